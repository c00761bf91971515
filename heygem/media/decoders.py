"""Decoders: the processor everywhere, NVDEC where it shows a film just as the processor does."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.hwaccel import HWAccel
from av.error import FFmpegError
from loguru import logger

from heygem import gpus
from heygem.errors import HeyGemError
from heygem.media.container import best_stream, decode, open_media, packets
from heygem.media.upright import planar

COMPARED = 3
"""Pictures at the beginning of a film that both have to decode to the same bits."""


def choose(path: Path, device: str) -> HWAccel | None:
    """What decodes the video in ``path``: NVDEC if ``device`` ("auto", "cpu", "cuda") lets it and a trial on the
    beginning of this very file succeeds, else None, which is the processor. GPUs differ in the formats they know."""
    if device == "cpu" or not gpus.visible():
        return None
    nvdec = HWAccel("cuda", allow_software_fallback=False)
    return nvdec if agrees(path, nvdec) else None


def agrees(path: Path, hwaccel: HWAccel | None) -> bool:
    """Does it decode the first pictures of the video in ``path`` as the processor does, to the bit?"""
    try:
        theirs, ours = (_beginning(path, one) for one in (hwaccel, None))
    except (HeyGemError, FFmpegError, NotImplementedError, RuntimeError) as error:
        logger.debug("{} is decoded by the processor: {}", path.name, error)
        return False
    if theirs != ours:
        logger.warning("{} is decoded by the processor: the graphics card shows other pictures", path.name)
    return theirs == ours


def _beginning(path: Path, hwaccel: HWAccel | None) -> list[tuple[str, list[bytes]]]:
    """Form and planes of the first pictures."""
    with open_media(path, "a video", hwaccel) as container:
        stream = best_stream(container, "video")
        if hwaccel and not stream.codec_context.is_hwaccel:
            raise NotImplementedError(f"no decoder of a graphics card for {stream.codec_context.name}")
        pictures = islice(planar(decode(stream, packets(container, stream))), COMPARED)
        return [(one.format.name, [_visible(plane, one) for plane in one.planes]) for one in pictures]


def _visible(plane: Any, picture: av.VideoFrame) -> bytes:
    """The samples of a plane without the padding behind its rows."""
    kind = np.uint16 if picture.format.components[0].bits > 8 else np.uint8
    rows = np.frombuffer(plane, kind).reshape(-1, plane.line_size // np.dtype(kind).itemsize)
    return rows[: plane.height, : plane.width].tobytes()
