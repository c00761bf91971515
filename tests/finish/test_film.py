"""A finished film: every frame, its own sound in step, whole or not there at all."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from heygem.errors import Cancelled, FileMissing, HeyGemError, OptionInvalid, OutputError
from heygem.finish.base import Finish
from heygem.finish.film import finish
from heygem.media.probe import probe
from heygem.media.reader import VideoReader
from heygem.media.sound import RATE, load_sound
from tests.media import clips

CLICKS = (0.2, 0.6)


@pytest.fixture(scope="module")
def logo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logo") / "logo.png"
    Image.new("RGB", (10, 10), "red").save(path)
    return path


@pytest.fixture(scope="module")
def wish(logo: Path) -> Finish:
    return Finish(logo=str(logo), logo_place="top-left", logo_size=0.1)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """25 numbered frames with clicks."""
    folder = tmp_path_factory.mktemp("film")
    sound = clips.wav(folder / "sound.wav", clips.clicks(CLICKS, 1, RATE), RATE)
    silent = clips.film(folder / "silent.mp4", map(clips.numbered, range(25)), "-crf", 8, "-pix_fmt", "yuv420p")
    clips.ffmpeg("-i", silent, "-i", sound, "-c:v", "copy", "-c:a", "aac", folder / "film.mp4")
    return folder / "film.mp4"


def read(path: Path) -> list[int]:
    with VideoReader(path) as reader:
        return [clips.number(frame) for frame in reader]


def test_every_frame_and_the_sound_are_there(film: Path, wish: Finish, tmp_path: Path) -> None:
    ticks: list[tuple[str, int, int]] = []
    made = finish(film, tmp_path / "out.mp4", wish, tick=lambda *tick: ticks.append(tick))
    assert (made.frames, made.seconds, made.width, made.height) == (25, 1.0, clips.WIDTH, clips.HEIGHT)
    assert made.notes == {"logo": "logo.png"} and made.warnings == [] and made.path == tmp_path / "out.mp4"
    assert read(made.path) == list(range(25))
    assert clips.onsets(load_sound(made.path).samples, RATE) == pytest.approx(CLICKS, abs=0.005)
    with VideoReader(made.path) as reader:
        corner = next(iter(reader)).rgb()[8, 8].astype(int)
    assert corner[0] > 180 and corner[1] < 80
    assert [tick for tick in ticks if tick[0] == "render"] == [("render", n, 25) for n in range(1, 26)]
    assert ticks[0] == ("probe", 0, 1) and ticks[-1] == ("finish", 1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert made.as_dict()["path"] == str(made.path)


def test_a_silent_film_stays_silent(wish: Finish, tmp_path: Path) -> None:
    source = clips.film(
        tmp_path / "silent.mp4", map(clips.numbered, range(5)), "-pix_fmt", "yuv420p", rate="30000/1001"
    )
    made = finish(source, tmp_path / "out.mp4", wish, "draft", "cpu")
    found = probe(made.path)
    assert found.sound is None and found.video and found.video.fps == Fraction(30000, 1001) and made.frames == 5


def test_a_photo_becomes_one_frame(portrait: Path, wish: Finish, tmp_path: Path) -> None:
    made = finish(portrait, tmp_path / "out.mp4", wish)
    assert (made.frames, made.width, made.height) == (1, 512, 512)


def test_sound_that_begins_before_the_picture_stays_in_step(film: Path, wish: Finish, tmp_path: Path) -> None:
    """The first picture comes 0.4 s after the sound: it stands for so long before."""
    late = tmp_path / "late.mkv"
    clips.ffmpeg("-itsoffset", 0.4, "-i", film, "-i", film, "-map", "0:v", "-map", "1:a", "-c", "copy", late)
    made = finish(late, tmp_path / "out.mp4", wish)
    assert made.frames == 35 and read(made.path) == [0] * 10 + list(range(25))
    assert clips.onsets(load_sound(made.path).samples, RATE) == pytest.approx(CLICKS, abs=0.005)


def test_stopped_it_leaves_nothing(film: Path, wish: Finish, tmp_path: Path) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("render", 7):
            raise Cancelled

    (tmp_path / "out.mp4").write_text("an older one")
    with pytest.raises(Cancelled):
        finish(film, tmp_path / "out.mp4", wish, tick=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert (tmp_path / "out.mp4").read_text() == "an older one"


def test_stopped_at_the_very_end_it_leaves_nothing_either(film: Path, wish: Finish, tmp_path: Path) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("finish", 1):
            raise Cancelled

    with pytest.raises(Cancelled):
        finish(film, tmp_path / "out.mp4", wish, tick=stop)
    assert list(tmp_path.iterdir()) == []


def test_what_is_wrong_is_said_before_the_work(film: Path, wish: Finish, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"

    def unbegun(stage: str, done: int, total: int) -> None:
        assert stage != "render"

    calls: list[tuple[tuple[Any, ...], type[HeyGemError]]] = [
        ((film, out, Finish()), OptionInvalid),
        ((tmp_path / "none.mp4", out, wish), FileMissing),
        ((film, out, Finish(background=str(tmp_path / "none.png"))), FileMissing),
        ((film, film, wish), OutputError),
        ((film, tmp_path / "out.mkv", wish), OptionInvalid),
        ((film, out, wish, "best"), OptionInvalid),
        ((film, out, wish, "standard", "gpu"), OptionInvalid),
    ]
    for given, error in calls:
        with pytest.raises(error):
            finish(*given, tick=unbegun)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def tracks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Films that were given a track; nothing is really added."""
    given: list[Path] = []
    module = ModuleType("heygem.finish.subtitles")
    vars(module).update(check=lambda *_: None, add_track=lambda video, *_: given.append(video))
    vars(module).update(late=lambda path, seconds: [f"{path} {seconds:g}"])
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("heygem.finish.subtitles", module, raising=False)
    return given


def test_a_track_alone_leaves_picture_and_sound_as_they_are(film: Path, tracks: list[Path], tmp_path: Path) -> None:
    made = finish(film, tmp_path / "out.mp4", Finish(subtitles="words.srt", captions="track"))
    assert made.path.read_bytes() == film.read_bytes() and made.frames == 25 and made.path == tmp_path / "out.mp4"
    assert made.warnings == ["words.srt 1"]
    assert len(tracks) == 1 and tracks[0] != made.path, "it is added before the film has its name"
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_film_that_is_no_mp4_is_encoded_for_a_track(film: Path, tracks: list[Path], tmp_path: Path) -> None:
    source = tmp_path / "film.avi"
    clips.ffmpeg("-i", film, "-c:v", "mjpeg", "-q:v", 2, "-c:a", "pcm_s16le", source)
    made = finish(source, tmp_path / "out.mp4", Finish(subtitles="words.srt", captions="track"))
    found = probe(made.path)
    assert found.video and found.sound and (found.video.codec, found.sound.codec) == ("h264", "aac")
    assert read(made.path) == list(range(25)) and made.notes == {}
    assert made.warnings == ["words.srt 1"]


def test_a_track_that_fails_leaves_nothing(
    film: Path, wish: Finish, tracks: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise Cancelled

    monkeypatch.setattr("heygem.finish.subtitles.add_track", fails)
    for drawn in (wish, Finish()):
        with pytest.raises(Cancelled):
            asked = Finish(logo=drawn.logo, subtitles="words.srt", captions="track")
            finish(film, tmp_path / "out.mp4", asked)
        assert list(tmp_path.iterdir()) == []


def test_a_person_is_laid_on_a_colour(portrait: Path, tmp_path: Path) -> None:
    """All the way: the face stays, the corner is the colour."""
    made = finish(portrait, tmp_path / "out.mp4", Finish(background="#2040c0"), "high")
    with VideoReader(made.path) as reader:
        seen = next(iter(reader)).rgb().astype(int)
    assert np.abs(seen[10, 500] - (0x20, 0x40, 0xC0)).max() < 12
    assert np.abs(seen[100:140, 210:240] - np.asarray(Image.open(portrait))[100:140, 210:240].astype(int)).mean() < 8
    assert made.notes == {"background": "MediaPipe selfie segmentation"} and made.warnings == []
