"""H.264 encoders: x264 everywhere, NVENC where a trial shows that it works."""

from __future__ import annotations

import os
from fractions import Fraction
from functools import lru_cache
from typing import Any

import av
from av.container import OutputContainer
from av.error import FFmpegError

from heygem.errors import EngineUnavailable, OptionInvalid

QUALITIES = {
    "draft": ({"preset": "ultrafast", "crf": "23"}, {"preset": "p1", "cq": "27"}),
    "standard": ({"preset": "veryfast", "crf": "18"}, {"preset": "p4", "cq": "21"}),
    "high": ({"preset": "medium", "crf": "16"}, {"preset": "p6", "cq": "18"}),
}
"""Quality -> options of x264 and of NVENC."""

_BT709, _LIMITED = 1, 1  # ITU-T H.273 code of primaries, transfer and matrix; AVCOL_RANGE_MPEG
_MOST_THREADS = 8  # each holds 20 MB of a picture of 1080x1920, and a take makes no more pictures than eight encode
_NVENC_LEAST = (160, 64)  # NVENC refuses smaller pictures


def open_video(output: OutputContainer, fps: Fraction, size: tuple[int, int], quality: str, device: str) -> Any:
    """Adds an H.264 High stream, yuv420p, tagged BT.709 limited, one tick per frame. Raises EngineUnavailable."""
    nvenc = _choose(size, device)
    x264_options, nvenc_options = QUALITIES[quality]
    options = {**nvenc_options, "rc": "vbr", "spatial_aq": "1"} if nvenc else x264_options
    stream = output.add_stream("h264_nvenc" if nvenc else "libx264", rate=fps, options={**options, "profile": "high"})
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    _tag(stream.codec_context)
    stream.time_base = stream.codec_context.time_base = 1 / fps
    stream.codec_context.thread_type = "FRAME"  # slices of one picture, PyAV's own choice, wait for each other
    stream.codec_context.thread_count = min((os.cpu_count() or 1) * 3 // 2, _MOST_THREADS)
    return stream


def _tag(context: Any) -> None:
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = _LIMITED


def _choose(size: tuple[int, int], device: str) -> bool:
    if device not in ("auto", "cpu", "cuda"):
        raise OptionInvalid(option="device", value=device, allowed="auto, cpu or cuda")
    fits = size[0] >= _NVENC_LEAST[0] and size[1] >= _NVENC_LEAST[1]
    usable = device != "cpu" and fits and nvenc_works()
    if device == "cuda" and not usable:
        reason = "this GPU or its driver cannot encode video" if fits else "the picture is too small for it"
        raise EngineUnavailable(engine="The NVIDIA video encoder", reason=reason)
    return usable


@lru_cache(maxsize=1)
def nvenc_works() -> bool:
    """Encodes one tiny picture: a driver may be missing, and H100 or A100 have no encoder at all."""
    try:
        context: Any = av.CodecContext.create("h264_nvenc", "w")
        context.width, context.height, context.pix_fmt = 256, 256, "yuv420p"
        context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
        picture = av.VideoFrame(256, 256, "yuv420p")
        picture.pts = 0
        return bool(context.encode(picture) + context.encode(None))
    except (FFmpegError, ValueError):
        return False
