"""What a file is, without reading all of it. The content decides, never the suffix."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer

from heygem.errors import FileEmpty, FileUnreadable, NoSound, NoVideo, PictureTooLarge, PictureTooSmall, SoundTooShort
from heygem.media.container import best_stream, check, decode, file_start, open_media, packets
from heygem.media.rate import constant_rate
from heygem.media.still import is_still, load_still
from heygem.media.upright import display_turn

LONGEST, MOST_PIXELS, LEAST = 4096, 4096 * 2304, 32
"""Largest side and area (the frame size limit of H.264 level 5.1) and smallest side of a picture."""

SHORTEST = 0.1
"""Least seconds of sound."""

STILL_RATE = Fraction(25)
_LOOKED_AT = 256  # packets whose time stamps decide about the frame rate

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class VideoInfo:
    """The picture as the reader yields it: upright, square pixels, even size, constant rate.

    ``frames`` is the length at that rate as far as the container tells it, None if it does not.
    """

    width: int
    height: int
    fps: Fraction
    frames: int | None
    seconds: float
    codec: str
    still: bool


@dataclass(frozen=True)
class SoundInfo:
    """The main sound track. ``start``: seconds of silence before it, counted from the start of the file."""

    codec: str
    rate: int
    channels: int
    seconds: float
    start: float


@dataclass(frozen=True)
class MediaInfo:
    path: Path
    container: str
    video: VideoInfo | None
    sound: SoundInfo | None


def probe(path: PathLike) -> MediaInfo:
    """What is in the file. Raises FileMissing, FileEmpty, FileUnreadable, FileRefused, PictureTooLarge/TooSmall."""
    path = Path(path)
    if is_still(check(path, "media")):
        return MediaInfo(path, "image", still_info(path, load_still(path)), None)
    with open_media(path) as container:
        video = _video_info(path, container)
    with open_media(path) as container:  # from the start again
        sound = _sound_info(path, container)
        if video is None and sound is None:
            raise FileUnreadable(name=path.name, kind="media", reason="it has neither picture nor sound")
        return MediaInfo(path, container.format.name, video, sound)


def probe_video(path: PathLike) -> VideoInfo:
    """The picture of a video or photo. Raises NoVideo besides the errors of ``probe``."""
    path = Path(path)
    if is_still(check(path, "a video")):
        return still_info(path, load_still(path))
    with open_media(path, "a video") as container:
        info = _video_info(path, container)
        if info is None:
            raise NoVideo(name=path.name)
        return info


def probe_sound(path: PathLike) -> SoundInfo:
    """The sound of a recording or video. Raises NoSound and SoundTooShort besides the errors of ``probe``."""
    path = Path(path)
    if is_still(check(path, "sound")):
        raise NoSound(name=path.name)
    with open_media(path, "sound") as container:
        info = _sound_info(path, container)
        if info is None:
            raise NoSound(name=path.name)
        if 0 < info.seconds < SHORTEST:
            raise SoundTooShort(name=path.name, seconds=f"{info.seconds:.2f}", least=SHORTEST)
        return info


def heard(path: PathLike) -> bool:
    """Has it a sound that is long enough? Raises as ``probe`` what else is wrong with the file."""
    try:
        probe_sound(path)
    except (NoSound, FileEmpty, SoundTooShort):
        return False
    return True


@dataclass(frozen=True)
class Opening:
    """How a video begins: what the reader needs to place every picture on the constant grid."""

    info: VideoInfo
    first: Fraction  # time stamp (s) of frame 0
    clock: str  # the time stamp of a picture to go by: "pts", "dts", or "" where it has none


def opening(path: Path, container: InputContainer, stream: Any) -> Opening:
    """Decodes the first picture. Raises FileUnreadable where none decodes, PictureTooLarge/TooSmall."""
    stamps: list[int] = []
    source = _noted(packets(container, stream), stamps)
    picture = next(decode(stream, source), None)
    if picture is None:
        if not stamps:
            raise FileEmpty(name=path.name)
        raise FileUnreadable(name=path.name, kind="a video", reason="no picture in it can be decoded")
    for _ in islice(source, _LOOKED_AT):
        pass
    tick = stream.time_base
    # AVI stores no presentation times: libavformat makes them up in decoding order.
    clock = "dts" if container.format.name == "avi" and stream.codec_context.has_b_frames else "pts"
    stamp = getattr(picture, clock)
    first = (stamp or 0) * tick
    # The last stamps are left out: pictures that are shown between them are decoded later.
    times = [stamp * tick for stamp in sorted(set(stamps)) if stamp * tick >= first]
    times = times[:-16] if len(times) > 64 else times
    rates = (stream.average_rate, stream.guessed_rate, stream.base_rate)
    fps = constant_rate(rates, times, tick)
    width, height = _upright_size(picture, stream)
    _check_size(path, width, height)
    seconds = _seconds(container, stream)
    frames = max(1, round(seconds * fps)) if seconds else None
    if stream.frames and stream.average_rate and abs(stream.average_rate / fps - 1) < 1e-3:
        frames = stream.frames
    info = VideoInfo(width, height, fps, frames, seconds, stream.codec_context.codec.canonical_name, still=False)
    return Opening(info, first, "" if stamp is None else clock)


def _noted(source: Iterator[Any], stamps: list[int]) -> Iterator[Any]:
    """The packets as they are; their time stamps go to ``stamps``."""
    for packet in source:
        if packet.pts is not None and not packet.is_discard:
            stamps.append(packet.pts)
        yield packet


def _upright_size(picture: av.VideoFrame, stream: Any) -> tuple[int, int]:
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or Fraction(1)
    width, height = Fraction(picture.width), Fraction(picture.height)
    if Fraction(1, 8) < aspect < 8:
        width *= aspect
    turned, _ = display_turn(picture)
    if turned in (90, 270):
        width, height = height, width
    return int(width + Fraction(1, 2)) & ~1, int(height + Fraction(1, 2)) & ~1


def _check_size(path: Path, width: int, height: int) -> None:
    if max(width, height) > LONGEST or width * height > MOST_PIXELS:
        raise PictureTooLarge(name=path.name, width=width, height=height, most="4096x2304")
    if min(width, height) < LEAST:
        raise PictureTooSmall(name=path.name, width=width, height=height, least=f"{LEAST}x{LEAST}")


def _seconds(container: InputContainer, stream: Any) -> float:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base


def _rest(stream: Any, first: Any, source: Iterator[Any]) -> float:
    """Seconds from the first frame to the last packet: browsers record without saying how long it became."""
    begin = first.pts * first.time_base if first.pts is not None else Fraction(0)
    ends = (packet.pts + (packet.duration or 0) for packet in source if packet.pts is not None)
    return max(float(max(ends, default=0) * stream.time_base - begin), 0.0)


def still_info(path: Path, picture: np.ndarray) -> VideoInfo:
    """What the reader makes of the photo ``picture`` (h, w, 3). Raises PictureTooSmall."""
    height, width = (side & ~1 for side in picture.shape[:2])
    _check_size(path, width, height)
    return VideoInfo(width, height, STILL_RATE, 1, float(1 / STILL_RATE), "image", still=True)


def _video_info(path: Path, container: InputContainer) -> VideoInfo | None:
    stream = best_stream(container, "video")
    return opening(path, container, stream).info if stream else None


def _sound_info(path: Path, container: InputContainer) -> SoundInfo | None:
    stream = best_stream(container, "audio")
    if stream is None:
        return None
    source = packets(container, stream)
    first = next((frame for frame in decode(stream, source) if frame.samples), None)
    if first is None:
        raise FileEmpty(name=path.name)
    start = float(first.pts * first.time_base - file_start(container)) if first.pts is not None else 0.0
    seconds = _seconds(container, stream) or _rest(stream, first, source)
    return SoundInfo(
        stream.codec_context.codec.canonical_name, first.sample_rate, first.layout.nb_channels, seconds, max(start, 0.0)
    )
