"""The production lines, run to their end on a fake of ComfyUI with the real HeyGem behind the nodes."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from heygem import settings
from heygem.media.probe import probe, probe_sound, probe_video
from tests.comfyui import fake_comfy, lines
from tests.comfyui.fake_comfy import STATE, ExecutionBlocker, Interrupted
from tests.media.clips import film, numbered
from tests.notify.receiver import Receiver


def widgets(prompt, **changes):
    """The prompt with other values, by "node.input"."""
    for place, value in changes.items():
        node, _, name = place.partition("__")
        prompt[node.removeprefix("n")]["inputs"][name] = value
    return prompt


def temporary(comfy):
    return sorted(path.suffix for path in (comfy / "temp").iterdir())


def lessons(filled: Path) -> Path:
    """A folder of pairs: one that works, one without a face, one that is broken, and 10 comes after 2."""
    folder = filled / "lessons"
    folder.mkdir()
    for name in ("lesson2", "lesson10", "bars", "broken"):
        (folder / f"{name}.wav").write_bytes((filled / "voice.wav").read_bytes())
    for name in ("lesson2", "lesson10"):
        (folder / f"{name}.mp4").write_bytes((filled / "person.mp4").read_bytes())
    film(folder / "bars.mp4", [numbered(n) for n in range(5)])
    (folder / "broken.mp4").write_bytes(b"\0\0\0\x20ftypisom no video at all")
    return folder


def test_one_video(engine, comfy):
    done = engine.run(lines.single())
    (video,), (score,), (report,), (line,) = done["3"]
    known, picture = probe(Path(video.get_stream_source())), probe_video(video.get_stream_source())
    assert (picture.width, picture.height, picture.fps, picture.frames) == (320, 320, 25, 20)
    assert known.sound is not None and known.sound.seconds == pytest.approx(0.8, abs=0.1)
    facts = json.loads(report)
    assert 0 < score <= 100 and facts["score"] == score and facts["frames"] == 20 and str(comfy) not in report
    assert (line.name, line.state, line.video, line.score) == ("person", "done", "person.mp4", score)
    assert temporary(comfy) == [".mp4"]  # the result; neither the sound nor a record stays
    assert (comfy / "output" / "HeyGem" / "single_00001_.mp4").is_file() and done["5"] == [[report]]


def test_a_batch_goes_on_past_what_does_not_work(engine, comfy, filled):
    lessons(filled)
    done = engine.run(lines.batch())
    assert done["1"][2] == ["bars", "broken", "lesson2", "lesson10"]
    assert done["2"][2] == ["lesson2", "lesson10"]
    text, (finished,), (failed,), (skipped,), (file,) = done["5"]
    assert (finished, failed, skipped) == (2, 1, 1)
    with (comfy / "output" / file).open(encoding="utf-8-sig", newline="") as table:
        rows = {row["name"]: row for row in csv.DictReader(table)}
    assert {name: row["state"] for name, row in rows.items()} == {
        "lesson2": "done",
        "lesson10": "done",
        "bars": "skipped",
        "broken": "failed",
    }
    assert rows["bars"]["code"] == "input.no_face" and rows["broken"]["code"].startswith("input.")
    for name in ("lesson2", "lesson10"):
        assert probe(comfy / "output" / rows[name]["result"]).video and Path(rows[name]["result"]).stem == name
    assert text == done["6"][0] and "broken" in text[0] and str(comfy) not in text[0]


def test_where_nothing_has_a_face_the_prompt_succeeds_and_the_report_says_so(engine, comfy, filled):
    folder = lessons(filled)
    for name in ("lesson2", "lesson10", "broken"):
        (folder / f"{name}.mp4").unlink()
        (folder / f"{name}.wav").unlink()
    done = engine.run(lines.batch())
    assert isinstance(done["2"][0][0], ExecutionBlocker) and not any((comfy / "output").glob("**/*.mp4"))
    assert done["5"][3] == [1] and "bars" in done["5"][0][0]


def test_a_problem_in_the_middle_of_a_list_is_skipped_or_stops_it(engine, comfy, filled):
    """Without a gate."""
    lessons(filled)
    prompt = widgets(lines.batch(), n3__video=["1", 0], n3__audio=["1", 1], n3__name=["1", 2], n5__format="both")
    del prompt["2"], prompt["5"]["inputs"]["skipped"]
    done = engine.run(prompt)
    assert [isinstance(video, ExecutionBlocker) for video in done["3"][0]] == [True, True, False, False]
    assert done["3"][1][:2] == [-1, -1] and [line.state for line in done["3"][3]] == ["failed"] * 2 + ["done"] * 2
    rows = json.loads((comfy / "output" / done["5"][4][0]).with_suffix(".json").read_text("utf-8"))
    assert [row["name"] for row in rows if row["result"]] == ["lesson2", "lesson10"]
    prompt["3"]["inputs"]["on_error"] = "stop"
    with pytest.raises(ValueError, match=r"No usable face was found in “bars.mp4”.*Use a picture"):
        engine.run(prompt)


def test_a_photo_with_expression_moves_and_one_without_stands_still(engine, filled):
    from heygem.media.reader import VideoReader

    prompt = {key: lines.teacher()[key] for key in ("1", "2", "3", "4", "5")}
    seen = {}
    for name, amount in (("lively", 2.0), ("still", 0.0)):
        widgets(prompt, n4__blinks=amount, n4__sway=amount, n4__nod=amount, n4__smile=0.0)
        (video,), *_ = engine.run(prompt)["5"]
        with VideoReader(video.get_stream_source()) as reader:
            frames = [frame.planes()[0][:60].astype(int) for frame in reader]  # hair, far from the mouth
        seen[name] = max(abs(frame - frames[0]).mean() for frame in frames)
    assert seen["lively"] > 3 * seen["still"]


def test_an_avatar_speaks_again_and_again_without_its_video(engine, filled):
    prompt = lines.single()
    prompt["6"] = lines.node("HeyGemPrepareAvatar", video=["1", 0], face_index=0)
    del prompt["3"]["inputs"]["video"]
    prompt["3"]["inputs"]["avatar"] = ["6", 0]
    done = engine.run(prompt)
    assert json.loads(done["6"][1][0]) | {"people": 1, "usable_frames": 25, "frames": 25} == json.loads(done["6"][1][0])
    assert done["3"][3][0].state == "done"
    del prompt["3"]["inputs"]["avatar"]
    with pytest.raises(ValueError, match="video cannot be empty"):
        engine.run(prompt)


def test_a_retry_keeps_the_best_and_reports_every_try(engine, comfy):
    done = engine.run(lines.retry())
    report = json.loads(done["4"][2][0])
    scores = [one["score"] for one in report["tries"]]
    assert len(scores) == 2 and done["4"][1] == [max(scores)] and report["tries"][1]["changed"] == {"strength": 0.8}
    assert temporary(comfy) == [".mp4"]
    enough = widgets(lines.retry(), n4__least_score=1.0)
    assert len(json.loads(engine.run(enough)["4"][2][0])["tries"]) == 1


def test_room_is_made_for_the_engines_of_all_tries(pack, engine, monkeypatch):
    asked = []

    def booked(*wishes):
        asked.extend(wish.style.strength for wish in wishes)
        raise Interrupted

    monkeypatch.setattr(sys.modules[f"{pack.__name__}.nodes.quality"], "booked", booked)
    with pytest.raises(Interrupted):
        engine.run(lines.retry())
    assert asked == [1.0, 0.8]


def test_a_comparison_names_its_sets_and_gives_the_best(engine, comfy):
    done = engine.run(lines.compare())
    (whole,), (best,), (label,), (report,) = done["5"]
    rows = json.loads(report)
    assert [row["label"].split(" · ")[0] for row in rows] == ["A calm", "B lively"]
    assert label == max(rows, key=lambda row: row["score"])["label"]
    wide, one = (probe_video(video.get_stream_source()) for video in (whole, best))
    assert wide.width > 1.9 * one.width and wide.frames == one.frames == 20
    assert temporary(comfy) == [".mp4", ".mp4"]  # the comparison and the best one


def test_a_teachers_line_from_photo_to_notice(engine, comfy, filled, monkeypatch):
    from PIL import Image

    from heygem.notify import hook
    from heygem.notify.webhook import Message

    Image.new("RGBA", (80, 40), (200, 30, 30, 128)).save(filled / "logo.png")
    told = []
    monkeypatch.setenv("HEYGEM_NOTIFY_WEBHOOK", "https://example.com/hook")
    monkeypatch.setenv("HEYGEM_PUBLIC_URL", "https://videos.example.com")

    def send(url: str, message: Message, secret: str | None, private: bool) -> None:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()  # the real one runs a loop of its own
        told.append(message)

    monkeypatch.setattr(hook, "send", send)
    done = engine.run(widgets(lines.teacher(), n8__captions="burn", n10__name="lesson.mp4"))
    (final,), (method,) = done["8"]
    assert probe_video(final.get_stream_source()).frames == 20 and probe_sound(final.get_stream_source())
    assert "background" in done["6"][1][0] and "subtitles: " in method and "logo: drawn" in method
    (link,), (key,) = done["10"]
    assert link.startswith("https://videos.example.com/share/heygem/") and key.endswith("lesson.mp4")
    from storage.local import Local

    opened, meta = Local(settings.load()).open_link(link)
    assert meta.name == "lesson.mp4" and opened.parent == comfy / "output" / "HeyGem" / "shared"
    (message,) = told
    body = message.body
    assert body["facts"] == {"时长": "0.8 秒", "评分": f"{done['5'][1][0]:g} / 100（估算）"} and body["text"] == ""
    assert body["link"] == link and body["title"] == "课程视频已生成" and done["11"][0] == ["Webhook: sent"]


def test_a_notice_that_fails_fails_nothing_unless_asked(nodes, comfy, monkeypatch):
    from heygem.errors import WebhookFailed
    from heygem.notify import hook

    def refuse(*_):
        raise WebhookFailed(host="example.com", reason="it did not answer in time")

    notify = nodes["HeyGemNotify"].execute
    said = {"title": "t", "text": "x", "channel": "all"}
    assert "no channel is set" in notify(**said, on_error="skip").args[0]
    with pytest.raises(ValueError, match="HEYGEM_NOTIFY_WECOM"):
        notify(**said | {"channel": "wecom"}, on_error="skip")
    monkeypatch.setenv("HEYGEM_NOTIFY_WEBHOOK", "https://example.com/hook")
    monkeypatch.setattr(hook, "send", refuse)
    assert "did not answer" in notify(**said, on_error="skip").args[0]
    with pytest.raises(ValueError, match="did not answer"):
        notify(**said, on_error="stop")


def test_the_key_of_a_robot_is_in_no_log(nodes, comfy, monkeypatch, caplog):
    receiver = Receiver()
    monkeypatch.setenv("HEYGEM_NOTIFY_WEBHOOK", receiver.url)
    monkeypatch.setenv("HEYGEM_WEBHOOK_PRIVATE", "true")
    with caplog.at_level("INFO", "httpx"):
        nodes["HeyGemNotify"].execute(title="t", text="x", channel="webhook", on_error="stop")
    receiver.close()
    assert len(receiver.got) == 1 and "token=secret" in receiver.url
    assert "HTTP Request: POST" in caplog.text and "token=secret" not in caplog.text


def test_text_and_a_photo_are_enough(engine, filled):
    done = engine.run(widgets(lines.spoken(), n3__text="大家好，欢迎。"))
    assert done["3"][1][0] > 0.5 and done["3"][2][0].startswith("espeak:")
    assert done["5"][1][0] and probe(Path(done["5"][0][0].get_stream_source())).sound is not None


def test_a_language_is_named(nodes, comfy):
    assert nodes["HeyGemDetectLanguage"].execute(text="今天天气很好，我们去公园散步。").args[:2] == ("zh", "中文")
    assert nodes["HeyGemDetectLanguage"].execute(text="").args[0] == "und"


def test_a_face_is_found_with_a_picture_of_it(nodes, comfy, clip, tmp_path):
    detect = nodes["HeyGemDetectFace"].execute
    has, count, coverage, boxes, preview = detect(fake_comfy.VideoFromFile(str(clip)), 4).args
    assert (has, count, coverage) == (True, 1, 1.0) and preview.shape == (1, 320, 320, 3) and preview.max() <= 1
    assert {one["why"] for one in json.loads(boxes)} == {""}
    bars = film(tmp_path / "bars.mp4", [numbered(1)] * 3)
    assert detect(fake_comfy.VideoFromFile(str(bars)), 4).args[:3] == (False, 0, 0.0)


def test_why_a_face_is_left_alone_is_said_by_itself(nodes, comfy, clip, monkeypatch):
    from heygem import detect
    from heygem.faces.scan import Seen, Sighting

    seen = Seen(7, (Sighting((1.0, 2.0, 30.5, 40.0), 61.04, ", the face is turned away"),))
    monkeypatch.setattr(detect, "look_at", lambda *_: (seen,))
    monkeypatch.setattr(detect, "drawn", lambda *_: np.zeros((2, 2, 3), np.uint8))
    boxes = nodes["HeyGemDetectFace"].execute(fake_comfy.VideoFromFile(str(clip)), 1).args[3]
    (one,) = json.loads(boxes)
    assert (one["frame"], one["why"]) == (7, "the face is turned away")


def test_nothing_to_do_is_done_at_once(nodes, comfy, clip):
    video = fake_comfy.VideoFromFile(str(clip))
    enhance = nodes["HeyGemEnhanceFace"].execute(video=video, amount=0.0, use_gpu=False)
    assert enhance.args == (video, "nothing to do") and STATE.bars == []


def test_a_background_of_nothing_is_said(nodes, comfy, clip):
    video = fake_comfy.VideoFromFile(str(clip))
    said = {"video": video, "use_gpu": False, "colour": "red", "cutout": "person", "key_colour": "#00ff00"}
    for background, word in (("picture", "connect here"), ("film", "connect here"), ("colour", "#ffffff")):
        with pytest.raises(ValueError, match=word):
            nodes["HeyGemBackground"].execute(background=background, **said)
