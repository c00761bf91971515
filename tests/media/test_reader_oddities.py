"""Rotation, odd shapes, frame rates, colours, damage: one known truth each."""

from __future__ import annotations

import gc
import itertools
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
import pytest

from heygem.errors import FileUnreadable, PictureTooLarge, PictureTooSmall
from heygem.media import reader as reader_module
from heygem.media.probe import probe_video
from heygem.media.reader import VideoReader, count_frames
from tests.media.clips import HEIGHT, WIDTH, ffmpeg, film, number, numbered, timed_film

X264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", 8, "-preset", "veryfast")
RED, GREEN, BLUE, GREY = (200, 40, 40), (40, 160, 60), (50, 60, 190), (128, 128, 128)


def corners(width: int = 128, height: int = 64) -> np.ndarray:
    """Red, green / blue, grey quarters."""
    top = np.repeat([RED, GREEN], width // 2, axis=0)
    low = np.repeat([BLUE, GREY], width // 2, axis=0)
    return np.repeat(np.stack([top, low]), height // 2, axis=0).astype(np.uint8)


def quarters(rgb: np.ndarray) -> np.ndarray:
    """(2, 2, 3) mean colours of the quarters, away from their edges."""
    h, w = rgb.shape[0] // 2, rgb.shape[1] // 2
    inner = np.s_[4:-4, 4:-4]
    return np.array([[rgb[y : y + h, x : x + w][inner].mean((0, 1)) for x in (0, w)] for y in (0, h)])


def first_rgb(path: Path) -> np.ndarray:
    with VideoReader(path) as reader:
        return next(iter(reader)).rgb()


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("mirror", [False, True])
def test_phone_rotation(tmp_path: Path, turn: int, mirror: bool) -> None:
    """The stored picture is the upright one turned back by what the display matrix says."""
    plain = film(tmp_path / "plain.mp4", [corners()] * 3, *X264)
    out = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", turn, *(["-display_hflip"] if mirror else []), "-i", plain, "-c", "copy", out)
    ffmpeg("-i", out, "-frames:v", 1, tmp_path / "truth.png")  # what ffmpeg itself shows
    info = probe_video(out)
    assert (info.width, info.height) == ((64, 128) if turn in (90, 270) else (128, 64))
    rgb, truth = first_rgb(out), first_rgb(tmp_path / "truth.png")
    assert rgb.shape == (info.height, info.width, 3)
    assert np.abs(quarters(rgb) - quarters(truth)).max() < 6
    if turn and not mirror:
        turned = np.rot90(corners(), turn // 90)
        assert np.abs(quarters(rgb) - quarters(turned)).max() < 6, "counter-clockwise"


def test_non_square_pixels(tmp_path: Path) -> None:
    clip = film(tmp_path / "wide.mp4", [corners(96, 64)] * 3, "-vf", "setsar=4/3", *X264)
    info = probe_video(clip)
    assert (info.width, info.height) == (128, 64)
    assert np.abs(quarters(first_rgb(clip)) - quarters(corners())).max() < 6


def test_rotated_non_square_pixels(tmp_path: Path) -> None:
    clip = film(tmp_path / "wide.mp4", [corners(96, 64)] * 3, "-vf", "setsar=4/3", *X264)
    ffmpeg("-display_rotation", 90, "-i", clip, "-c", "copy", tmp_path / "turned.mp4")
    info = probe_video(tmp_path / "turned.mp4")
    assert (info.width, info.height) == (64, 128)
    assert np.abs(quarters(first_rgb(tmp_path / "turned.mp4")) - quarters(np.rot90(corners()))).max() < 6


def test_odd_size_loses_last_row_and_column(tmp_path: Path) -> None:
    picture = np.full((65, 97, 3), 60, np.uint8)
    picture[-1], picture[:, -1] = 250, 250
    clip = film(tmp_path / "odd.mkv", [picture] * 2, "-c:v", "libx264", "-qp", 0, "-pix_fmt", "yuv444p")
    info = probe_video(clip)
    assert (info.width, info.height) == (96, 64)
    assert np.abs(first_rgb(clip).astype(int) - 60).max() <= 2, "nothing of the dropped edge is left"


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        *((rate, rate) for rate in ("5", "25/2", "24000/1001", "29", "30000/1001", "60", "240")),
        *(("480", "240"), ("1000", "200"), ("23.98", "24000/1001")),
    ],
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_constant_rates_are_exact(tmp_path: Path, rate: str, expected: str, suffix: str) -> None:
    clip = film(tmp_path / f"clip.{suffix}", map(numbered, range(60)), *X264, rate=rate)
    info = probe_video(clip)
    assert info.fps == Fraction(expected)
    step = 1 if Fraction(rate) <= 241 else int(Fraction(rate) / info.fps)
    with VideoReader(clip) as reader:
        read = [number(frame) for frame in reader]
    assert len(read) == count_frames(clip) == (59 + step // 2) // step + 1
    assert all(abs(n - step * k) <= step for k, n in enumerate(read))
    if step == 1:
        assert read == list(range(60))


@pytest.mark.parametrize(
    ("grid", "jitter", "shift", "expected"),
    [(1000, 0, 0, 30), (1000, 30, 7000, 30), (1000, 700, 0, 20), (1700, 500, 40, 12)],
    ids=["holes in a grid", "late, uneven clock", "no grid", "slow, no grid"],
)
def test_variable_rate_follows_the_time_stamps(
    tmp_path: Path, grid: int, jitter: int, shift: int, expected: int
) -> None:
    """Pictures at irregular times: each frame shows the last picture that is due, wherever reading begins."""
    steps = itertools.cycle([1, 2, 1, 3, 1, 1])
    places = list(itertools.accumulate((next(steps) for _ in range(99)), initial=0))
    noise = np.random.default_rng(3).integers(0, jitter + 1, 100) * (np.arange(100) > 0)
    stamps = [place * grid + int(wobble) for place, wobble in zip(places, noise, strict=True)]
    clip = timed_film(tmp_path / "vfr.mp4", map(numbered, range(100)), [stamp + shift for stamp in stamps])
    info = probe_video(clip)
    assert info.fps == expected
    due = [floor(stamp * info.fps / 30000 + Fraction(1, 2)) for stamp in stamps]
    truth = [max(k for k, at in enumerate(due) if at <= n) for n in range(due[-1] + 1)]
    with VideoReader(clip, budget=WIDTH * HEIGHT * 3 // 2 * 7) as reader:
        assert [number(frame) for frame in reader] == truth
        backwards = range(len(truth) - 1, -1, -3)
        assert [number(frame) for frame in reader.frames(backwards)] == [truth[n] for n in backwards]
    assert count_frames(clip) == len(truth)


def test_dropped_pictures_keep_the_rate(tmp_path: Path) -> None:
    clip = film(
        *(tmp_path / "drops.mp4", map(numbered, range(100)), "-vf", "select='not(eq(mod(n,7),3))'"),
        *("-fps_mode", "vfr", *X264),
    )
    with VideoReader(clip) as reader:
        assert reader.info.fps == 25
        assert [number(f) for f in reader] == [n - (n % 7 == 3) for n in range(100)]


def test_interlaced_is_woven_progressive(tmp_path: Path) -> None:
    """A bar that moves between the two fields leaves a comb; deinterlacing takes it away."""
    fields = np.zeros((40, HEIGHT, WIDTH, 3), np.uint8) + 30
    for k, field in enumerate(fields):
        field[:, 2 * k : 2 * k + 24] = 220
    encode = ("-flags", "+ilme+ildct", "-c:v", "mpeg2video", "-q:v", 2)
    clip = film(tmp_path / "tv.mpg", fields, "-vf", "interlace=lowpass=0:scan=tff", *encode, rate=50)
    with VideoReader(clip) as reader:
        assert reader.info.fps == 25
        frames = list(reader)
    assert 19 <= len(frames) <= 20
    y = frames[10].planes()[0].astype(int)
    comb = np.abs(y[1:-1:2] - (y[:-2:2] + y[2::2]) / 2).mean()
    assert comb < 3, "rows of both fields agree"
    assert (y > 120).sum() / HEIGHT == pytest.approx(24, abs=3), "the bar is there"


COLOURS = {
    "bt709": ("out_color_matrix=bt709:out_range=tv", "bt709", "tv", "yuv420p"),
    "bt709 full": ("out_color_matrix=bt709:out_range=pc", "bt709", "pc", "yuv420p"),
    "bt601": ("out_color_matrix=bt601:out_range=tv", "smpte170m", "tv", "yuv420p"),
    "bt601 full": ("out_color_matrix=bt601:out_range=pc", "bt470bg", "pc", "yuv420p"),
    "bt601 untagged": ("out_color_matrix=bt601:out_range=tv", None, "tv", "yuv420p"),
    "bt601 4:4:4": ("out_color_matrix=bt601:out_range=tv", "smpte170m", "tv", "yuv444p"),
    "bt601 4:2:2": ("out_color_matrix=bt601:out_range=tv", "smpte170m", "tv", "yuv422p"),
    "bt601 10 bit": ("out_color_matrix=bt601:out_range=tv", "smpte170m", "tv", "yuv420p10le"),
    "bt709 10 bit": ("out_color_matrix=bt709:out_range=tv", "bt709", "tv", "yuv420p10le"),
    "bt709 4:2:2 full": ("out_color_matrix=bt709:out_range=pc", "bt709", "pc", "yuv422p"),
}


@pytest.mark.parametrize("kind", COLOURS)
def test_colours_are_exact(tmp_path: Path, kind: str) -> None:
    scale, matrix, span, form = COLOURS[kind]
    tags = ("-color_range", span, *(("-colorspace", matrix) if matrix else ()))
    clip = film(
        *(tmp_path / "c.mkv", [corners()] * 3, "-vf", f"scale=flags=accurate_rnd+full_chroma_inp:{scale}"),
        *("-pix_fmt", form, "-c:v", "libx264", "-crf", 1, *tags),
    )
    assert np.abs(quarters(first_rgb(clip)) - quarters(corners())).max() <= 3


def test_wide_gamut_of_phones(tmp_path: Path) -> None:
    """BT.2020 pictures (10 bit HEVC of phones) show the same colours after conversion (matrix of ITU-R BT.2087)."""
    wider = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    gamma = 2.0  # near enough to the curve of BT.709 for mid levels
    picture = (((corners() / 255) ** gamma @ wider.T) ** (1 / gamma) * 255).round().astype(np.uint8)
    tags = ("-colorspace", "bt2020nc", "-color_primaries", "bt2020", "-color_trc", "arib-std-b67")
    clip = film(
        *(tmp_path / "hlg.mov", [picture] * 3, "-vf", "scale=out_color_matrix=bt2020:out_range=tv"),
        *("-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-x265-params", "log-level=error:crf=4", *tags),
    )
    assert np.abs(quarters(first_rgb(clip)) - quarters(corners())).max() <= 8


def test_alpha_keeps_the_colours(tmp_path: Path) -> None:
    vp9 = ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-crf", 10, "-b:v", 0, "-auto-alt-ref", 0, "-cpu-used", 8)
    matrix = "scale=out_color_matrix=bt601,format=yuva420p,geq='lum(X,Y)':'cb(X,Y)':'cr(X,Y)':a='if(gt(X,64),0,255)'"
    clip = film(tmp_path / "alpha.webm", [corners()] * 3, "-vf", matrix, *vp9)
    assert np.abs(quarters(first_rgb(clip)) - quarters(corners())).max() < 8


def test_size_that_changes_midway(tmp_path: Path) -> None:
    for name, size in (("a", "128:96"), ("b", "64:48")):
        film(tmp_path / f"{name}.ts", map(numbered, range(10)), "-vf", f"scale={size}:flags=neighbor", *X264)
    (tmp_path / "ab.ts").write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    with VideoReader(tmp_path / "ab.ts") as reader:
        assert {(f.width, f.height) for f in reader} == {(128, 96)}


@pytest.mark.parametrize("offsets", [(0, 8000), (20000, 50)])
def test_clock_set_anew(tmp_path: Path, offsets: tuple[int, int]) -> None:
    """A recording that was joined from two, the second with a much later or an earlier clock."""
    parts = [
        film(
            *(tmp_path / "p.ts", map(numbered, range(30 * k, 30 * k + 30)), *X264, "-bf", 0, "-g", 10),
            *("-output_ts_offset", offset),
        ).read_bytes()
        for k, offset in enumerate(offsets)
    ]
    (tmp_path / "joined.ts").write_bytes(b"".join(parts))
    with VideoReader(tmp_path / "joined.ts", budget=0) as reader:
        assert [number(f) for f in reader] == list(range(60))
        assert [number(f) for f in reader.frames([59, 58, 31, 2])] == [59, 58, 31, 2]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "flv", "ts", "avi"])
def test_file_cut_short(tmp_path: Path, suffix: str) -> None:
    """Whole frames are used, the rest of a plan repeats the last of them."""
    fast = ("-movflags", "+faststart") if suffix == "mp4" else ()
    clip = film(tmp_path / f"whole.{suffix}", map(numbered, range(100)), *X264, "-bf", 0, "-g", 10, *fast)
    data = clip.read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(data[: len(data) * 6 // 10])
    with VideoReader(cut) as reader:
        read = [number(frame) for frame in reader]
        assert 20 < len(read) < 90
        assert read == list(range(len(read)))
        plan = [0, 10, 99, 98, 97, 3]
        assert [number(f) for f in reader.frames(plan)] == [0, 10, *[len(read) - 1] * 3, 3]


def test_garbage_in_the_middle(tmp_path: Path) -> None:
    clip = film(tmp_path / "whole.mkv", map(numbered, range(100)), *X264, "-bf", 0, "-g", 10)
    data = bytearray(clip.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = bytes(np.random.default_rng(0).integers(0, 256, 300, dtype=np.uint8))
    clip.write_bytes(data)
    with VideoReader(clip) as reader:
        read = [number(frame) for frame in reader]
    assert len(read) == 100 and read[:20] == list(range(20)) and read[-20:] == list(range(80, 100))


def test_nothing_decodes(tmp_path: Path) -> None:
    clip = film(tmp_path / "a.mp4", map(numbered, range(10)), *X264)
    data = bytearray(clip.read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:end] = bytes(end - start)
    clip.write_bytes(data)
    with pytest.raises(FileUnreadable, match="no picture in it can be decoded"):
        VideoReader(clip)


def test_size_limits(tmp_path: Path) -> None:
    tiny = film(tmp_path / "tiny.mp4", [np.zeros((16, 16, 3), np.uint8)] * 2, *X264)
    with pytest.raises(PictureTooSmall):
        probe_video(tiny)
    ffmpeg("-f", "lavfi", "-i", "color=s=7680x4320:r=5:d=0.2", "-preset", "ultrafast", tmp_path / "huge.mp4")
    with pytest.raises(PictureTooLarge, match="7680x4320"):
        probe_video(tmp_path / "huge.mp4")


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_seeking_does_not_read_the_whole_film(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = film(tmp_path / f"long.{suffix}", map(numbered, range(250)), *X264, "-g", 25)
    read = 0
    plain = reader_module.packets

    def counted(*arguments):
        nonlocal read
        for packet in plain(*arguments):
            read += 1
            yield packet

    monkeypatch.setattr(reader_module, "packets", counted)
    with VideoReader(clip) as reader:
        assert number(next(iter(reader.frames([240])))) == 240
    assert read < 80


def test_frames_belong_to_the_caller(tmp_path: Path) -> None:
    clip = film(tmp_path / "a.mp4", map(numbered, range(5)), *X264)
    with VideoReader(clip) as reader:
        for n, frame in zip([2, 2, 1, 2, 0, 2], reader.frames([2, 2, 1, 2, 0, 2]), strict=True):
            assert number(frame) == n
            frame.data[:] = 0


def test_plan_is_read_lazily(tmp_path: Path) -> None:
    clip = film(tmp_path / "a.mp4", map(numbered, range(5)), *X264)
    taken = []

    def plan():
        for n in itertools.cycle(range(5)):
            taken.append(n)
            yield n

    with VideoReader(clip) as reader:
        assert [number(f) for f in itertools.islice(reader.frames(plan()), 7)] == [0, 1, 2, 3, 4, 0, 1]
        assert len(taken) <= 8
        assert [number(f) for f in reader.frames(np.array([3, 1]))] == [3, 1]
        with pytest.raises(ValueError, match="-1"):
            list(reader.frames([-1]))


def test_pictures_are_freed_at_once_and_not_by_the_garbage_collector(tmp_path: Path) -> None:
    """A reference cycle per picture would hold hundreds of megabytes of a long film until the collector comes by."""
    path = film(tmp_path / "film.mp4", [numbered(n) for n in range(100)])
    with VideoReader(path) as reader:
        gc.collect()
        gc.disable()
        try:
            for _ in reader:
                pass
            assert gc.collect() < 50
        finally:
            gc.enable()
