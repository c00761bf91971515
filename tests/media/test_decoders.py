"""NVDEC is taken where it shows the very film as the processor does. The card is only tried where there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.codec.hwaccel import HWAccel
from loguru import logger

from heygem import gpus
from heygem.media import decoders
from heygem.media.reader import VideoReader
from heygem.media.upright import planar
from tests.media.clips import film, number, numbered

H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", 12, "-bf", 2)
TEN_BIT = ("-c:v", "libx265", "-x265-params", "log-level=error:keyint=12", "-pix_fmt", "yuv420p10le")


@pytest.fixture(scope="module", params=[H264, TEN_BIT], ids=["h264", "hevc 10 bit"])
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("clip") / "clip.mp4", map(numbered, range(40)), *request.param)


def woven(picture: av.VideoFrame) -> av.VideoFrame:
    """As a graphics card gives it: U and V in one plane, ten bits at the upper end of sixteen."""
    made = av.VideoFrame(picture.width, picture.height, "nv12" if "10" not in picture.format.name else "p010le")
    kind = np.uint8 if made.format.name == "nv12" else np.uint16
    luma, *chroma = (rows(plane, kind)[:, : plane.width] << 6 * (kind == np.uint16) for plane in picture.planes)
    for plane, values in zip(made.planes, (luma, np.stack(chroma, axis=2).reshape(len(chroma[0]), -1)), strict=True):
        rows(plane, kind)[:, : values.shape[1]] = values
    made.pts, made.time_base, made.colorspace, made.color_range = picture.pts, picture.time_base, 5, 2
    return made


def rows(plane: Any, kind: type[np.generic]) -> np.ndarray:
    return np.frombuffer(plane, kind).reshape(plane.height, -1)


def test_pictures_of_a_card_become_those_of_the_processor(clip: Path) -> None:
    with av.open(str(clip)) as container:
        pictures = [*container.decode(video=0)][:3]
    for picture, made in zip(pictures, planar(map(woven, pictures)), strict=True):
        assert made.format.name == picture.format.name and made.pts == picture.pts
        assert (made.colorspace, made.color_range) == (5, 2), "what they mean stays"
        pairs = zip(made.planes, picture.planes, strict=True)
        assert all(decoders._visible(a, made) == decoders._visible(b, picture) for a, b in pairs)


def test_other_pictures_pass_unchanged(clip: Path) -> None:
    with av.open(str(clip)) as container:
        pictures = [*container.decode(video=0)]
    assert all(a is b for a, b in zip(planar(iter(pictures)), pictures, strict=True))


def test_a_decoder_has_to_agree_to_the_bit(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert decoders.agrees(clip, None), "the processor with itself"
    beginning = decoders._beginning
    other = film(tmp_path / "other.mp4", map(numbered, range(1, 5)), *H264)
    monkeypatch.setattr(decoders, "_beginning", lambda path, card: beginning(other if card else path, None))
    said: list[str] = []
    sink = logger.add(said.append, level="WARNING")
    assert not decoders.agrees(clip, HWAccel("cuda"))
    logger.remove(sink)
    assert "other pictures" in said[0]


@pytest.mark.skipif(bool(gpus.visible()), reason="there is a GPU")
def test_a_card_that_does_not_answer_leaves_the_work_to_the_processor(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert decoders.choose(clip, "auto") is None
    monkeypatch.setattr(gpus, "visible", lambda: ["0"])
    assert decoders.choose(clip, "auto") is None, "FFmpeg itself finds no card"
    with VideoReader(clip, device="auto") as reader:
        assert reader.decoder == "CPU" and [number(frame) for frame in reader] == list(range(40))


def test_who_asks_for_the_processor_gets_it(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders, "agrees", lambda *_: pytest.fail("nobody asked for a card"))
    monkeypatch.setattr(gpus, "visible", lambda: ["0"])
    assert decoders.choose(clip, "cpu") is None
    with VideoReader(clip) as reader:
        assert reader.decoder == "CPU"


@pytest.mark.skipif(not gpus.visible(), reason="there is no GPU")
def test_a_card_shows_every_frame_as_the_processor_does(clip: Path) -> None:
    if not decoders.choose(clip, "auto"):
        pytest.skip("this card cannot decode this film")
    plan = [*range(40), *range(39, -1, -1), 5, 30]
    with VideoReader(clip) as ours, VideoReader(clip, device="auto") as theirs:
        assert theirs.decoder == "GPU, NVDEC"
        for a, b in zip(ours.frames(plan), theirs.frames(plan), strict=True):
            assert np.array_equal(a.data, b.data)
