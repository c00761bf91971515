"""The cheap verdict: real faces, real files, real child processes, really killed."""

from __future__ import annotations

import ctypes
import io
import os
import re
import signal
import string
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from heygem.faces.people import WHY
from heygem.faces.scan import Seen, Sighting
from heygem.jobs import preflight
from heygem.jobs.preflight import BAD, GOOD, WARN, Preflight, Question, Verdict, judge
from heygem.media.probe import VideoInfo
from heygem.tick import Tick
from tests.media.clips import film
from ui.words.preflight import PREFLIGHT

PATIENCE = 60


@pytest.fixture(scope="module")
def real() -> Iterator[Preflight]:
    asked = Preflight()
    yield asked
    asked.close()


@pytest.fixture
def photo(portrait: Path, tmp_path: Path) -> Callable[..., Path]:
    """The portrait, its part ``box``, scaled, once or several times side by side on grey."""
    whole = Image.open(portrait).convert("RGB")

    def make(box: tuple[int, int, int, int], scale: float = 1.0, times: int = 1) -> Path:
        part = whole.crop(box)
        part = part.resize((round(part.width * scale), round(part.height * scale)))
        picture = Image.new("RGB", (max(640, part.width * times), max(480, part.height)), (110, 110, 110))
        for n in range(times):
            picture.paste(part, (n * part.width, 0))
        picture.save(tmp_path / "photo.png")
        return tmp_path / "photo.png"

    return make


FACE = (96, 0, 352, 256)
"""Where the portrait's face and its surroundings lie; the face is about 100 px wide."""


def keys(verdict: Verdict | None) -> list[str]:
    assert verdict is not None
    return [key for key, _ in verdict.findings]


def test_a_good_photo(real: Preflight, photo: Callable[..., Path]) -> None:
    verdict = real.wait(photo(FACE, 1.5), PATIENCE)
    assert verdict is not None and (verdict.level, verdict.findings, verdict.faces) == (GOOD, (), 1)
    assert (verdict.width, verdict.height, verdict.still) == (640, 480, True)
    poster = Image.open(io.BytesIO(verdict.poster))
    assert (poster.format, poster.size) == ("JPEG", (320, 240))


def test_two_faces(real: Preflight, photo: Callable[..., Path]) -> None:
    verdict = real.wait(photo(FACE, 1.5, 2), PATIENCE)
    assert verdict is not None and (verdict.level, verdict.faces) == (WARN, 2)
    assert verdict.findings == (("preflight_several", {"count": "2"}),)


def test_a_small_face_and_one_too_small(real: Preflight, photo: Callable[..., Path]) -> None:
    verdict = real.wait(photo(FACE, 0.6), PATIENCE)
    assert verdict is not None and keys(verdict) == ["preflight_narrow"] and verdict.level == WARN
    assert 50 < int(verdict.findings[0][1]["width"]) < 75
    verdict = real.wait(photo(FACE, 0.3), PATIENCE)
    assert verdict is not None and verdict.level == BAD and verdict.faces == 0
    assert keys(verdict) == ["preflight_no_face", "preflight_too_small"]


def test_half_a_face(real: Preflight, photo: Callable[..., Path]) -> None:
    assert "preflight_cut_off" in keys(real.wait(photo((205, 0, 461, 256), 2), PATIENCE))


def test_a_film_without_a_face_of_few_frames(real: Preflight, tmp_path: Path) -> None:
    grey = [np.full((240, 320, 3), 110, np.uint8)] * 12
    verdict = real.wait(film(tmp_path / "grey.mp4", grey, rate=6), PATIENCE)
    assert verdict is not None and verdict.level == BAD and not verdict.still and verdict.poster
    assert verdict.findings == (("preflight_no_face", {"frames": "8"}), ("preflight_slow", {"fps": "6"}))
    assert (verdict.seconds, verdict.width, verdict.height) == (2, 320, 240)


def test_a_face_in_half_of_the_film(real: Preflight, portrait: Path, tmp_path: Path) -> None:
    face = np.asarray(Image.open(portrait).convert("RGB").crop(FACE).resize((384, 384)))
    pictures = [face] * 20 + [np.full_like(face, 110)] * 20
    verdict = real.wait(film(tmp_path / "half.mp4", pictures), PATIENCE)
    assert verdict is not None and (verdict.level, verdict.faces, verdict.coverage) == (WARN, 1, 0.5)
    assert verdict.findings == (("preflight_unseen", {"count": "4", "frames": "8"}),)
    assert [bool(frame["faces"]) for frame in verdict.frames] == [True] * 4 + [False] * 4 and verdict.preview == b""


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "input.empty"), (b"no film at all " * 99, "input.unreadable"), (None, "input.missing")],
)
def test_files_that_cannot_be_read_keep_their_code(
    real: Preflight, tmp_path: Path, content: bytes | None, code: str
) -> None:
    path = tmp_path / "bad.mp4"
    if content is not None:
        path.write_bytes(content)
    verdict = real.wait(path, PATIENCE)
    assert verdict is not None and verdict.level == BAD and verdict.poster == b""
    ((found, details),) = verdict.findings
    assert found == code and details["name"] == "bad.mp4"


def test_sound_is_no_video(real: Preflight, voice: Path) -> None:
    assert keys(real.wait(voice, PATIENCE)) == ["input.no_video"]


# What follows needs no faces: the look is replaced by one that does what the name of the file says, in a real child.


def by_name(question: Question, tick: Tick) -> Verdict:
    tick("analyse", 1, 2)
    match question.video.stem:
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "bug":
            raise ZeroDivisionError
        case "stuck":
            ctypes.PyDLL(None).sleep(60)
        case "slow":
            time.sleep(1)
    return Verdict(GOOD, (("pid", {"pid": str(os.getpid())}),), seconds=question.video.stat().st_size)


@pytest.fixture
def named() -> Iterator[Preflight]:
    asked = Preflight(look=by_name)
    yield asked
    asked.close()


def write(folder: Path, name: str, text: str = "x") -> Path:
    (folder / name).write_text(text)
    return folder / name


def pid(verdict: Verdict | None) -> int:
    assert verdict is not None and verdict.level == GOOD
    return int(verdict.findings[0][1]["pid"])


UNKNOWN = Verdict(WARN, (("preflight_unknown", {}),))


def test_a_crash_costs_the_verdict_of_one_file(named: Preflight, tmp_path: Path) -> None:
    names = ("one", "crash", "bug", "two")
    for name in names:
        assert named.ask(write(tmp_path, f"{name}.mp4")) is None
    one, crash, bug, two = (named.wait(tmp_path / f"{name}.mp4", PATIENCE) for name in names)
    assert crash == bug == UNKNOWN
    assert pid(one) != pid(two)
    assert named.ask(tmp_path / "crash.mp4") == UNKNOWN, "a file that crashes is not tried again"


def test_killed_from_outside_while_it_waits(named: Preflight, tmp_path: Path) -> None:
    first = pid(named.wait(write(tmp_path, "one.mp4"), PATIENCE))
    os.kill(first, signal.SIGKILL)
    while psutil.Process(first).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert pid(named.wait(write(tmp_path, "two.mp4"), PATIENCE)) != first


def test_one_that_hangs_is_given_up(named: Preflight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "LIMIT", 1.0)
    assert named.wait(write(tmp_path, "stuck.mp4"), PATIENCE) == UNKNOWN
    monkeypatch.setattr(preflight, "LIMIT", 60.0)
    assert pid(named.wait(write(tmp_path, "one.mp4"), PATIENCE))


def test_a_verdict_is_remembered_until_the_file_changes(named: Preflight, tmp_path: Path) -> None:
    file = write(tmp_path, "one.mp4")
    first = named.wait(file, PATIENCE)
    assert first is not None and first.seconds == 1 and named.ask(file) is first
    write(tmp_path, "one.mp4", "longer")
    assert named.ask(file) is None
    again = named.wait(file, PATIENCE)
    assert again is not None and again.seconds == 6


def test_what_is_remembered_is_bounded(named: Preflight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_KEPT", 2)
    files = [write(tmp_path, f"{n}.mp4") for n in range(3)]
    for file in files:
        assert named.wait(file, PATIENCE)
    assert named.ask(files[1]) and named.ask(files[2])
    assert named.ask(files[0]) is None


def test_few_previews_are_remembered(named: Preflight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_PREVIEWS", 1)
    files = [write(tmp_path, f"{n}.mp4") for n in range(2)]
    plain = named.wait(files[0], PATIENCE)
    for file in files:
        assert named.wait(file, PATIENCE, preview=True)
    assert named.wait(files[1], 0, preview=True) and named.ask(files[0]) is plain
    assert named.wait(files[0], 0, preview=True) is None


def test_wait_ends_in_time_and_close_ends_everything(named: Preflight, tmp_path: Path) -> None:
    first = pid(named.wait(write(tmp_path, "one.mp4"), PATIENCE))
    began = time.monotonic()
    assert named.wait(write(tmp_path, "stuck.mp4"), 0.3) is None
    assert time.monotonic() - began < 1
    named.close()
    named.close()
    assert time.monotonic() - began < 3 and not psutil.pid_exists(first)
    assert named.wait(write(tmp_path, "two.mp4"), 5) is None


def test_the_process_ends_when_nothing_is_asked(tmp_path: Path) -> None:
    before = psutil.Process().children()
    asked = Preflight(idle=0.3, look=by_name)
    assert psutil.Process().children() == before
    first = pid(asked.wait(write(tmp_path, "one.mp4"), PATIENCE))
    end = time.monotonic() + 10
    while psutil.pid_exists(first) and time.monotonic() < end:
        time.sleep(0.05)
    assert not psutil.pid_exists(first)
    assert pid(asked.wait(write(tmp_path, "two.mp4"), PATIENCE)) != first
    asked.close()


# What is said of what was seen.

INFO = VideoInfo(1080, 1920, Fraction(25), 250, 10.0, "h264", still=False)


def face(width: float = 200, yaw: float = 0, why: str = "") -> Sighting:
    return Sighting((0, 0, width, width), yaw, why)


def said(*frames: list[Sighting], info: VideoInfo | None = None) -> list[preflight.Finding]:
    """What is said of a video with these faces in its frames."""
    return [*judge(info or INFO, [Seen(n, tuple(faces)) for n, faces in enumerate(frames)])]


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"fps": Fraction(10)}, ("preflight_slow", {"fps": "10"})),
        ({"seconds": 5400.0}, ("preflight_long", {"minutes": "90"})),
        ({"width": 3840, "height": 2160}, ("preflight_large", {"width": "3840", "height": "2160"})),
    ],
)
def test_what_costs_time_or_looks(changes: dict[str, object], finding: preflight.Finding) -> None:
    assert said([face()], info=replace(INFO, **changes)) == [finding]  # pyright: ignore[reportArgumentType]
    assert said([face()]) == []


def test_heads_turned() -> None:
    assert said([face(yaw=-38)], [face(yaw=41)], [face()]) == [("preflight_turned", {"degrees": "38"})]
    assert said([face()], [face(yaw=60, why=WHY[2])], [], [face(why=WHY[3])], [face(yaw=60, why=WHY[2])]) == [
        ("preflight_turned_away", {"count": "2", "frames": "5"}),
        ("preflight_unseen", {"count": "1", "frames": "5"}),
        ("preflight_cut_off", {"count": "1", "frames": "5"}),
    ]


def test_passers_by_that_are_too_small_do_not_count_as_people() -> None:
    assert said([face(), face(20, why=WHY[1])]) == []


def test_every_finding_has_its_words_with_the_same_values() -> None:
    source = Path(preflight.__file__).read_text("utf-8")
    spoken = set(re.findall(r'"(preflight_\w+)"', source))
    assert spoken == {key for key in PREFLIGHT if key not in STATES}
    for zh, en in PREFLIGHT.values():
        assert values(zh) == values(en) and re.search(r"[\u4e00-\u9fff]", zh) and not re.search(r"[\u4e00-\u9fff]", en)
    for key, given in re.findall(r'yield "(preflight_\w+)", \{(.*)\}', source):
        assert values(PREFLIGHT[key][1]) == set(re.findall(r'"(\w+)":', given))


STATES = {"preflight_good", "preflight_warn", "preflight_bad", "preflight_looking"}


def values(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
