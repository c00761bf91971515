"""Subtitles in the picture and beside it: right in time, place and colour, and nothing else changes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from heygem.errors import Cancelled, FontMissing, OutputError, SubtitlesUnusable, ToolMissing
from heygem.finish import ass, subtitles
from heygem.finish.base import Finish
from heygem.finish.fonts import face_for
from heygem.finish.subtitles import Burned, add_track, check, late
from heygem.media.frame import Frame
from tests.finish.test_captions import ASS, LONG, SRT
from tests.media.clips import clicks, film, numbered, wav

SIZE = (320, 180)
FPS = Fraction(25)
HEAD = ASS.split("[Fonts]")[0].replace("Arial", "DejaVu Sans").replace("PlayResX: 640", "PlayResX: 320")
HEAD = HEAD.replace("PlayResY: 360", "PlayResY: 180") + "[Events]\n"


def grey(size: tuple[int, int] = SIZE, level: int = 90) -> Frame:
    return Frame.of(np.full((size[1], size[0], 3), level, np.uint8))


def srt(*lines: tuple[str, str, str]) -> str:
    return "".join(f"{n}\n{start} --> {end}\n{text}\n\n" for n, (start, end, text) in enumerate(lines, 1))


def said(start: str, end: str, text: str, layer: int = 0) -> str:
    return f"Dialogue: {layer},0:00:0{start},0:00:0{end},Default,,0,0,0,,{text}\n"


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str, name: str = "lines.srt") -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.fixture
def chinese() -> None:
    try:
        face_for("你好")
    except FontMissing:
        pytest.skip("needs a Chinese font")


@contextmanager
def opened(path: Path, frames: int = 100, size: tuple[int, int] = SIZE, fps: Fraction = FPS) -> Iterator[Burned]:
    burned = Burned(path, size, fps, frames)
    try:
        yield burned
    finally:
        burned.close()


def drawn(path: Path, frames: int = 100, size: tuple[int, int] = SIZE, fps: Fraction = FPS) -> list[np.ndarray]:
    """What differs from grey in each frame: (h, w) luma."""
    with opened(path, frames, size, fps) as burned:
        base = grey(size).planes()[0].astype(int)
        return [burned(number, grey(size)).planes()[0] - base for number in range(frames)]


TIMES = [(0.2, 0.56), (0.56, 0.8), (1.0, 1.16), (1.17, 1.2)]
"""On frames of 25 a second, next to each other, and between two frames."""


def frames_with_text(write, fps: Fraction) -> list[int]:
    path = write(srt(*((f"00:00:{a:06.3f}", f"00:00:{b:06.3f}", "Hi") for a, b in TIMES)))
    return [number for number, picture in enumerate(drawn(path, 80, fps=fps)) if picture.any()]


def test_a_text_is_seen_from_its_first_frame_to_its_last(write) -> None:
    assert frames_with_text(write, FPS) == [*range(5, 20), *range(25, 29)]


@pytest.mark.parametrize("fps", [Fraction(30000, 1001), Fraction(24), Fraction(50, 3), Fraction(60)])
def test_at_every_frame_rate(write, fps: Fraction) -> None:
    moments = {number: float((number + Fraction(1, 17)) / fps) for number in range(80)}
    assert frames_with_text(write, fps) == [n for n, now in moments.items() if any(a <= now < b for a, b in TIMES)]


def test_other_frames_stay_as_they_are_to_the_bit(write) -> None:
    path = write(srt(("00:00:01,000", "00:00:02,000", "Hello")))
    noise = np.random.default_rng(1).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    with opened(path) as burned:
        for number in (0, 24, 30, 50, 99):
            frame, before = Frame.of(noise), Frame.of(noise)
            assert np.array_equal(burned(number, frame).data, before.data) == (number != 30)
            assert np.array_equal(frame.data[: SIZE[1] // 2], before.data[: SIZE[1] // 2]), "nothing above the text"


def test_still_pictures_are_those_that_drawing_every_frame_gives(write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Overlapping texts, whose places depend on what was seen before."""
    texts = [("0.10", "1.30", "one"), ("0.50", "2.00", "two"), ("1.00", "1.70", "{\\an8}three"), ("2.20", "2.50", "x")]
    path = write(HEAD + "".join(said(*text) for text in texts), "lines.ass")
    once = drawn(path, 70)
    monkeypatch.setattr(subtitles, "_MOVING", subtitles.re.compile(""))
    each = drawn(path, 70)
    assert all(np.array_equal(a, b) for a, b in zip(once, each, strict=True))
    assert len({picture.tobytes() for picture in once}) == 7, "six different pictures, and none"


@pytest.mark.parametrize("tags", [r"{\k20}a{\k20}b{\k20}c", r"{\fad(300,300)}abc", r"{\move(20,90,300,90)}abc"])
def test_what_moves_is_drawn_for_every_frame(write, tags: str) -> None:
    path = write(HEAD + said("0.00", "0.60", tags) + said("1.00", "2.00", "still"), "lines.ass")
    pictures = drawn(path, 50)
    assert len({picture.tobytes() for picture in pictures[:15]}) >= 3
    assert len({picture.tobytes() for picture in pictures[25:50]}) == 1
    assert not any(picture.any() for picture in pictures[15:25])


def test_edges_keep_their_colour(write) -> None:
    """White at half strength on white must not be seen: colours that come times alpha would darken it."""
    path = write(HEAD + said("0.00", "1.00", r"{\bord0\shad0\1a&H80&}WHITE"), "lines.ass")
    with opened(path, 25) as burned:
        white = burned(0, grey(level=255))
        assert np.abs(white.planes()[0].astype(int) - 235).max() <= 1
        black = burned(1, grey(level=0)).planes()[0]
        assert 100 < black.max() < 150, "and half of it on black"


def test_colours_are_those_of_the_file(write) -> None:
    box = r"{\an7\pos(100,50)\p1\bord0\shad0\1c&H2010E0&}m 0 0 l 60 0 60 40 0 40{\p0}"
    path = write(HEAD + said("0.00", "1.00", box), "lines.ass")
    with opened(path, 25) as burned:
        rgb = burned(0, grey()).rgb()
    assert np.abs(rgb[60:80, 110:150].astype(int) - (0xE0, 0x10, 0x20)).max() <= 3
    assert np.abs(rgb[:40].astype(int) - 90).max() <= 1


@pytest.mark.parametrize("size", [(1280, 720), (1080, 1920)])
def test_long_chinese_texts_stay_inside_the_margins(write, chinese: None, size: tuple[int, int]) -> None:
    path = write(srt(("00:00:00,000", "00:00:01,000", LONG)))
    rows, columns = np.nonzero(drawn(path, 1, size)[0])
    assert columns.min() >= 0.05 * size[0] - 2 and columns.max() <= 0.95 * size[0] + 2
    assert rows.max() <= 0.96 * size[1] and rows.min() > 0.75 * size[1]
    assert columns.max() - columns.min() > 0.6 * size[0], "and use the room"
    assert abs(columns.max() + columns.min() - size[0]) < 0.05 * size[0], "in the middle"


def test_height_is_that_of_a_line(write) -> None:
    path = write(srt(("00:00:00,000", "00:00:01,000", "Å|g")))
    heights = []
    for height in (0.05, 0.1):
        burned = Burned(path, (640, 360), FPS, 25, height=height)
        rows = np.flatnonzero((burned(0, grey((640, 360))).planes()[0] != grey().planes()[0][0, 0]).any(axis=1))
        burned.close()
        heights.append(np.ptp(rows))
    assert 0.6 * 18 < heights[0] < 1.2 * 18 and 0.6 * 36 < heights[1] < 1.2 * 36


def test_fonts_that_are_not_installed_become_one_that_is(write, chinese: None) -> None:
    lines = said("0.00", "1.00", r"你好") + said("1.00", "2.00", r"{\fnNo Such Font\b1}Hello {\fnDejaVu Sans}again")
    path = write(HEAD.replace("DejaVu Sans", "微软雅黑二号") + lines, "lines.ass")
    pictures = drawn(path, 50)
    assert pictures[0].any() and pictures[30].any()
    with opened(path) as burned:
        written = (burned._pictures._folder / "captions.ass").read_text("utf-8")  # type: ignore[union-attr]
    assert "微软雅黑二号" not in written and "No Such Font" not in written and r"\fnDejaVu Sans" in written


def test_only_so_many_fonts_are_looked_for(write, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(subtitles, "_MOST_FONTS", 2)
    monkeypatch.setattr(subtitles, "faces_named", lambda names: asked.extend(names) or {})
    lines = "".join(said("0.00", "1.00", rf"{{\fnFont {number}}}a") for number in range(9))
    captions = subtitles.read(write(HEAD + lines, "lines.ass"))
    family = subtitles._choose_fonts(captions, "")[0].family
    assert asked == ["DejaVu Sans", "Font 0"]
    assert all(event.text == rf"{{\fn{family}}}a" for event in captions.subs.events)


def test_ass_without_styles_is_drawn(write) -> None:
    path = write("[Script Info]\n[Events]\n" + said("0.00", "1.00", "Hello"), "bare.ass")
    assert drawn(path, 1)[0].any()


def test_emoji_that_no_font_has_are_left_out(write) -> None:
    one, two = (drawn(write(srt(("00:00:00,000", "00:00:01,000", text))), 1)[0] for text in ("AB", "A\U0001fae8B"))
    assert one.any() and np.array_equal(one, two)


def test_names_of_files_never_reach_a_filter(write) -> None:
    pictures = drawn(write(SRT.replace("你好", "Hi"), "it's [a]:test,movie=x;%41\\.srt"), 20)
    assert pictures[15].any()


def test_nothing_within_the_film_is_said_and_starts_nothing(write) -> None:
    with opened(write(srt(("00:01:00,000", "00:01:01,000", "late")))) as burned:
        assert burned._pictures is None
        assert burned.warnings == ["no line of the subtitles lies within the film"]
        assert np.array_equal(burned(0, grey()).data, grey().data)


def test_frames_may_be_left_out(write) -> None:
    path = write(HEAD + said("0.00", "2.00", r"{\move(20,90,300,90)}abc"), "lines.ass")
    every = drawn(path, 40)
    with opened(path, 40) as burned:
        for number in (0, 7, 30):
            luma = burned(number, grey()).planes()[0] - grey().planes()[0].astype(int)
            assert np.array_equal(luma, every[number])


def test_a_death_of_libass_is_an_error_and_leaves_nothing(write) -> None:
    path = write(HEAD + said("0.00", "3.00", r"{\k20}a{\k20}b"), "lines.ass")
    with opened(path) as burned:
        pictures = burned._pictures
        assert pictures and pictures._process
        pictures._process.kill()
        since = time.monotonic()
        with pytest.raises(SubtitlesUnusable) as error:
            for number in range(75):
                burned(number, grey())
        assert time.monotonic() - since < 30 and error.value.details["name"] == "lines.ass"
    assert not pictures._folder.exists()
    burned.close()


def test_a_libass_that_hangs_is_an_error(write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(ass, "ffmpeg", lambda: str(program))
    monkeypatch.setattr(ass, "_SECONDS", 0.2)
    with opened(write(srt(("00:00:00,000", "00:00:01,000", "Hi")))) as burned, pytest.raises(SubtitlesUnusable):
        burned(0, grey())


def test_closing_ends_the_process_at_once(write) -> None:
    with opened(write(HEAD + said("0.00", "9.00", r"{\k20}a{\k20}b"), "lines.ass"), 225) as burned:
        assert burned._pictures and burned._pictures._process
        process = burned._pictures._process
        burned(0, grey())
    assert process.poll() is not None


def test_what_is_wrong_is_said_before_the_work(write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(srt(("00:00:00,000", "00:00:01,000", "Hello")))
    wish = Finish(subtitles=str(path))
    check(wish)
    with pytest.raises(FontMissing):
        check(replace(wish, font="No Such Font"))
    check(replace(wish, font="No Such Font", captions="track"))
    with pytest.raises(SubtitlesUnusable):
        check(Finish(subtitles=str(path.with_name("other.srt"))))
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "")
    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", lambda: (_ for _ in ()).throw(RuntimeError("none")))
    with pytest.raises(ToolMissing):
        check(wish)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Two seconds with sound and a title."""
    sound = wav(tmp_path / "sound.wav", clicks([0.5], 2, 16000), 16000, "-c:a", "pcm_s16le")
    options = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-metadata", "title=名字", "-bf", "2")
    return film(tmp_path / "film.mp4", map(numbered, range(50)), "-i", sound, *options)


def packets(path: Path) -> list[tuple[str, int | None, int | None, int | None, bytes]]:
    with av.open(str(path)) as container:
        streams = [*container.streams.video, *container.streams.audio]
        return [
            (one.stream.type, one.pts, one.dts, one.duration, bytes(one))
            for one in container.demux(streams)
            if one.size
        ]


def track(path: Path) -> list[tuple[float, float, str]]:
    """Start, length (seconds) and text of the samples that say something."""
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        return [
            (
                float(one.pts * one.time_base),
                float(one.duration * one.time_base),
                bytes(one)[2:][: bytes(one)[1]].decode(),
            )
            for one in container.demux(stream)
            if one.size > 2 and one.pts is not None and one.duration and one.time_base
        ]


def test_a_track_leaves_picture_and_sound_as_they_are(write, video: Path) -> None:
    before = packets(video)
    add_track(video, write(SRT.replace("00:00:03,000", "00:00:09,000").replace("00:00:02,000", "00:00:01,500")))
    assert packets(video) == before
    assert track(video) == [(0.5, 0.75, "你好"), (1.5, 0.5, "第二行\n继续")]
    with av.open(str(video)) as container:
        assert container.metadata["title"] == "名字"
        assert container.streams.subtitles[0].language == "zho"
        assert float(container.duration or 0) / av.time_base <= 2.1, "the film grows no longer"
    data = video.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_texts_at_the_same_time_stand_below_each_other(write, video: Path) -> None:
    lines = said("0.20", "1.20", r"{\pos(1,1)\k20}one") + said("0.60", "1.00", r"{\i1}two{\i0}")
    add_track(video, write(HEAD + lines, "lines.ass"))
    assert [text for _, _, text in track(video)] == ["one", "one\ntwo", "one"]


def test_what_ass_draws_is_no_text(write, video: Path) -> None:
    shape = r"{\p1}m 0 0 l 60 0 60 40{\p0}"
    lines = said("0.20", "0.80", shape + r"你好{\p2}m 0 0") + said("1.00", "1.50", r"{\pos(1,1)\p1}m 0 0 l 9 9")
    add_track(video, write(HEAD + lines, "lines.ass"))
    assert track(video) == [(0.2, pytest.approx(0.6), "你好")]
    with av.open(str(video)) as container:
        assert container.streams.subtitles[0].language == "zho"
    assert late(write(HEAD + said("0.20", "0.80", shape), "shape.ass"), 2), "nothing is left to be shown"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("你好", "zho"),
        ("Hello", "eng"),
        ("こんにちは世界", "jpn"),
        ("안녕하세요", "kor"),
        ("Ça va", "und"),
        ("我用 Python", "zho"),
        ("123", "und"),
    ],
)
def test_the_language_follows_from_the_signs(text: str, language: str) -> None:
    assert subtitles._language(text) == language


def test_a_film_that_ends_before_the_first_line_stays_as_it_is(write, video: Path) -> None:
    before, path = video.read_bytes(), write(srt(("00:01:00,000", "00:01:01,000", "late")))
    add_track(video, path)
    assert video.read_bytes() == before
    assert late(path, 60) == ["no line of the subtitles lies within the film"] and late(path, 60.5) == []


def test_a_cancelled_track_leaves_the_film_as_it_was(write, video: Path) -> None:
    before, there = video.read_bytes(), set(video.parent.iterdir())
    path = write(SRT)

    def tick(stage: str, done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        add_track(video, path, tick)
    assert video.read_bytes() == before and set(video.parent.iterdir()) == there | {path}


def test_a_track_that_cannot_be_written_is_an_error(write, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, path = video.read_bytes(), write(SRT)
    program = video.with_name("ffmpeg")
    program.write_text("#!/bin/sh\necho 'Error writing trailer: No space left on device' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(subtitles, "ffmpeg", lambda: os.fspath(program))
    with pytest.raises(OutputError) as error:
        add_track(video, path)
    assert error.value.details["reason"] == "No space left on device"
    assert video.read_bytes() == before and not video.with_name("film.mp4.part").exists()
