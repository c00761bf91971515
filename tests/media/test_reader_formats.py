"""Every kind of film gives the same frames, whatever its name says."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain
from pathlib import Path

import pytest

from heygem.media.probe import probe
from heygem.media.reader import VideoReader, count_frames
from tests.media.clips import HEIGHT, WIDTH, film, number, numbered

FRAMES = 40
GOP = ("-g", 12, "-bf", 2)
KINDS = {
    "mp4": ("-c:v", "libx264", "-pix_fmt", "yuv420p", *GOP, "-f", "mp4"),
    "mp4 open GOP": ("-c:v", "libx264", "-x264-params", "open-gop=1", "-pix_fmt", "yuv420p", *GOP, "-f", "mp4"),
    "mp4 fragmented": ("-c:v", "libx264", "-pix_fmt", "yuv420p", *GOP, "-movflags", "frag_keyframe", "-f", "mp4"),
    "mov prores 4:2:2 10 bit": ("-c:v", "prores_ks", "-pix_fmt", "yuv422p10le", "-f", "mov"),
    "mov animation with alpha": ("-c:v", "qtrle", "-pix_fmt", "argb", "-f", "mov"),
    "avi mpeg4": ("-c:v", "mpeg4", "-q:v", 3, *GOP, "-f", "avi"),
    "avi mjpeg": ("-c:v", "mjpeg", "-q:v", 3, "-f", "avi"),
    "avi h264": ("-c:v", "libx264", "-pix_fmt", "yuv420p", *GOP, "-f", "avi"),
    "mkv hevc 10 bit": (
        *("-c:v", "libx265", "-x265-params", "log-level=error:keyint=12", "-pix_fmt", "yuv420p10le"),
        *("-f", "matroska"),
    ),
    "mkv h264 4:4:4": ("-c:v", "libx264", "-pix_fmt", "yuv444p", *GOP, "-f", "matroska"),
    "webm vp9": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", 8, "-g", 12, "-f", "webm"),
    "webm vp9 alpha": (
        *("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-deadline", "realtime", "-cpu-used", 8, "-g", 12),
        *("-auto-alt-ref", 0, "-f", "webm"),
    ),
    "flv": ("-c:v", "flv1", "-q:v", 3, "-g", 12, "-f", "flv"),
    "flv h264": ("-c:v", "libx264", "-pix_fmt", "yuv420p", *GOP, "-f", "flv"),
    "m4v": ("-c:v", "mpeg4", "-q:v", 3, *GOP, "-f", "ipod"),
    "ts": ("-c:v", "libx264", "-pix_fmt", "yuv420p", *GOP, "-f", "mpegts"),
    "mpg": ("-c:v", "mpeg2video", "-q:v", 3, *GOP, "-f", "mpeg"),
    "wmv": ("-c:v", "wmv2", "-q:v", 3, "-g", 12, "-f", "asf"),
    "gif": ("-f", "gif"),
    "h264 stream": ("-c:v", "libx264", "-pix_fmt", "yuv420p", *GOP, "-f", "h264"),
}


@pytest.fixture(scope="module", params=KINDS)
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("clip") / "clip.wav"  # the content decides, not the name
    return film(out, map(numbered, range(FRAMES)), *KINDS[request.param])


def test_probe(clip: Path) -> None:
    info = probe(clip).video
    assert info is not None
    assert (info.width, info.height, info.fps, info.still) == (WIDTH, HEIGHT, Fraction(25), False)
    assert count_frames(clip) == FRAMES


def test_all_frames_in_order(clip: Path) -> None:
    with VideoReader(clip) as reader:
        assert [number(frame) for frame in reader] == list(range(FRAMES))
        assert reader.count == FRAMES
        assert [number(frame) for frame in reader] == list(range(FRAMES)), "a second time"


def test_any_order_in_little_memory(clip: Path) -> None:
    """Ping-pong, holds, jumps and numbers behind the end, with room for five frames only."""
    last = FRAMES - 1
    plan = [*range(FRAMES), *range(last - 1, -1, -1), 0, 1, 1, 1, 30, 7, 8, 31, 29, 28, last, last + 5, 2]
    with VideoReader(clip, budget=5 * WIDTH * HEIGHT * 3 // 2) as reader:
        assert [number(frame) for frame in reader.frames(plan)] == [min(n, last) for n in plan]


def test_start_anywhere(clip: Path) -> None:
    for start in (33, 12, 11, 25):
        with VideoReader(clip) as reader:
            assert [number(f) for f in reader.frames(chain(range(start, start + 3), [start]))] == [
                *range(start, start + 3),
                start,
            ]
