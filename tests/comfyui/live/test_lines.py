"""The example workflows as a program would run them: over HTTP, in a real ComfyUI."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from tests.comfyui import lines
from tests.comfyui.live.conftest import Live
from tests.comfyui.live.films import films, good, newest, picture, seen
from tests.comfyui.live.inputs import SIZE, SPOKEN

PHOTO = (512, 512)


@pytest.mark.parametrize(
    ("line", "key", "size"),
    [("single", "4", SIZE), ("teacher", "9", PHOTO), ("compare", "6", None), ("retry", "5", SIZE)],
)
def test_makes_a_film_as_long_as_the_voice(live: Live, line: str, key: str, size: tuple[int, int] | None):
    (film,) = films(live, good(live, lines.LINES[line]()), key)
    found = seen(film)
    assert found["codecs"] == ["h264", "aac"] and found["fps"] == 25
    assert found["seconds"] == pytest.approx(SPOKEN, abs=0.1) and found["frames"] == round(SPOKEN * 25)
    assert size is None or found["size"] == size


def test_text_becomes_a_film(live: Live):
    (film,) = films(live, good(live, lines.spoken()), "6")
    found = seen(film)
    assert found["size"] == PHOTO and found["seconds"] > 1.5
    assert found["frames"] / 25 == pytest.approx(found["seconds"], abs=0.1)


def test_the_mouth_moves_and_the_rest_of_a_video_stays(live: Live):
    (film,) = films(live, good(live, lines.single()), "4")
    changed = [
        np.abs(picture(film, n) - picture(live.engine.input / "person.mp4", n)).mean(axis=2) for n in (10, 20, 30)
    ]
    assert max(one.max() for one in changed) > 40
    assert max(one[: SIZE[1] // 8].mean() for one in changed) < 3


def test_a_report_tells_what_was_done_and_no_path(live: Live):
    text = good(live, lines.single()).text("5")
    told = json.loads(text)
    assert 0 <= told["score"] <= 100 and told["frames"] == round(SPOKEN * 25) and told["engine"].startswith("mesh")
    assert str(live.engine.base) not in text


def test_a_batch_skips_what_cannot_speak_and_says_why(live: Live):
    ended = good(live, lines.batch())
    text = newest(live.engine.output, "*.csv").read_text("utf-8-sig")
    rows = {row["name"]: row for row in csv.DictReader(text.splitlines())}
    assert {name: row["state"] for name, row in rows.items()} == {
        "1 good": "done",
        "2 no face": "skipped",
        "10 broken": "failed",
    }
    assert "face" in rows["2 no face"]["message"] and "10 broken.mp4" in rows["10 broken"]["message"]
    assert ended.text("6").startswith("done 1, failed 1, skipped 1")
    assert seen(live.engine.output / rows["1 good"]["result"])["frames"] == round(SPOKEN * 25)


def test_a_lesson_is_shared_and_announced(live: Live):
    before = len(live.receiver.got)
    ended = good(live, lines.teacher())
    assert len(live.receiver.got) == before + 1
    told = live.receiver.got[-1][1].decode()
    assert "课程视频已生成" in told and "lesson.mp4" in ended.text("10")


def test_a_background_and_a_logo_are_in_the_picture(live: Live):
    (film,) = films(live, good(live, lines.teacher()), "9")
    corner, *_ = (picture(film, 20)[:40, :40],)
    assert np.abs(corner.mean(axis=(0, 1)) - (0xDF, 0xE9, 0xF3)).max() < 12
    red = picture(film, 20)
    assert ((red[..., 0] > 150) & (red[..., 1] < 90) & (red[..., 2] < 90)).sum() > 200


def test_compared_videos_stand_side_by_side(live: Live):
    (film,) = films(live, good(live, lines.compare()), "6")
    both = picture(film)
    half = both.shape[1] // 2
    assert both.shape[1] > 1.5 * SIZE[0]
    assert np.abs(both[-200:, :half] - both[-200:, half:]).mean() < 12  # the same person twice


def test_a_retry_tells_its_tries(live: Live):
    told = json.loads(good(live, lines.retry()).text("6"))
    assert 0 <= told["score"] <= 100
