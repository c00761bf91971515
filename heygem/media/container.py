"""Opens media files of strangers: by content, from the local disk alone, and never a file that points elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from loguru import logger

from heygem.errors import FileEmpty, FileMissing, FileRefused, FileUnreadable

# What libavformat may recognise. Everything that can name another file or address (hls, concat, dash, image2, sdp,
# rtsp, imf …) is missing on purpose.
FORMATS = (
    "mov,mp4,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,h264,hevc,m4v,mjpeg,ivf,dv,asf,rm,nut,gif,"
    "wav,w64,aiff,caf,au,mp3,aac,loas,flac,ogg,amr,ac3,eac3,dts,ape,wv,tta,mpc,mpc8,voc"
)

_USUAL_LAYOUT = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""Which channel is where, by their number, in a file that does not say so."""

_POINTERS = (
    ("HLS playlist", rb"\A#EXTM3U"),
    ("concat list", rb"\Affconcat version"),
    ("DASH manifest", rb"<MPD\b"),
    ("playlist", rb"(?i)\A\[playlist\]|\A\[reference\]|<playlist\b|<asx\b|<smil\b|<SmoothStreamingMedia\b"),
    ("session description", rb"\Av=0\s[\s\S]*^c=IN IP"),
    ("RTSP link", rb"\ARTSPtext|\Ahttps?://|\Artsp://"),
)
_HEIC = re.compile(rb"\A....ftyp(hei[cmsx]|hev[cx]|mif1|msf1)", re.DOTALL)


def check(path: Path, kind: str) -> bytes:
    """The first bytes of a file that exists, is not empty and points nowhere else.

    ``kind`` ("a video", "sound" …) goes into the sentence of the error.

    Raises FileMissing, FileEmpty, FileRefused or FileUnreadable.
    """
    try:
        if not path.exists():
            raise FileMissing(name=path.name)
        if not path.is_file():
            raise FileUnreadable(name=path.name, kind=kind, reason="it is not a file")
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise FileUnreadable(name=path.name, kind=kind, reason=error.strerror) from error
    if not head:
        raise FileEmpty(name=path.name)
    text = _text(head)
    for what, pattern in _POINTERS:
        if re.search(pattern, text, re.MULTILINE):
            raise FileRefused(name=path.name, kind=what)
    if _HEIC.match(head):
        raise FileUnreadable(name=path.name, kind=kind, reason="HEIC photos are not supported, save it as JPG")
    return head


def _text(head: bytes) -> bytes:
    """The head as libavformat would probe it: behind an ID3 tag, a byte order mark and blanks; nothing if binary."""
    if head.startswith(b"ID3") and len(head) > 10:
        a, b, c, d = head[6:10]
        head = head[10 + (a << 21 | b << 14 | c << 7 | d) :]
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return b"" if b"\0" in head[:64] else head


def open_media(path: Path, kind: str = "media", hwaccel: HWAccel | None = None) -> InputContainer:
    """A checked, open container. The caller closes it. hwaccel: what decodes, else the processor. Raises as ``check``
    does."""
    check(path, kind)
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    try:
        # "file:" and the absolute path: no name is taken for a protocol or an option.
        name = f"file:{path.absolute()}"
        return av.open(name, "r", container_options=options, metadata_errors="replace", hwaccel=hwaccel)
    except FFmpegError as error:
        raise FileUnreadable(name=path.name, kind=kind, reason=_reason(error)) from error


def _reason(error: FFmpegError) -> str:
    known = {"Invalid data found when processing input": "it is damaged, cut short or in an unknown format"}
    text = error.strerror or type(error).__name__
    return known.get(text, "its format is not supported" if text == "Invalid argument" else text)


def best_stream(container: InputContainer, kind: str) -> Any:
    """The main "video" or "audio" stream, None where there is none. The cover picture of a song is not a video."""
    attached = Disposition.attached_pic | Disposition.timed_thumbnails
    usable = [s for s in container.streams if s.type == kind and not s.disposition & attached and s.codec_context]
    best = container.streams.best(kind)  # type: ignore[arg-type]
    best = best if best in usable else next(iter(usable), None)
    if kind == "audio" and best is not None and not best.codec_context.is_open:
        # PyAV 18.1 frees a layout with its own order of channels (AIFF, MOV) twice, which ends the process. Such an
        # order gives way to the usual one here, before anything decodes.
        context: Any = best.codec_context
        channels = context.channels  # reading it once is harmless, twice is not
        context.layout = _USUAL_LAYOUT.get(channels, f"{channels} channels")
    return best


def file_start(container: InputContainer) -> Fraction:
    """Time stamp (s) at which the file begins: that of its earliest stream. Sound before zero is encoder priming."""
    return max(Fraction(container.start_time or 0, av.time_base), Fraction(0))


def packets(container: InputContainer, stream: Any) -> Iterator[Any]:
    """Packets until the end of the file or the first damage in its structure; the last one may be empty (flush)."""
    source = container.demux(stream)
    while True:
        try:
            packet = next(source)
        except StopIteration:
            return
        except FFmpegError as error:
            logger.warning("{} breaks off: {}", Path(container.name).name, error.strerror)
            return
        yield packet


def decode(stream: Any, source: Iterator[Any]) -> Iterator[Any]:
    """Frames of the packets of a stream. What is damaged is left out (and logged); a file cut short ends early."""
    damaged = 0
    for packet in _whole(source):
        try:
            frames = stream.decode(packet)
        except EOFError:
            break
        except FFmpegError:
            damaged += 1
            continue
        for frame in frames:
            frame.time_base = frame.time_base or stream.time_base
            if frame.is_corrupt:
                damaged += 1
            else:
                yield frame
    if damaged:
        logger.warning("{}: {} damaged pieces were left out", Path(stream.container.name).name, damaged)


def _whole(source: Iterator[Any]) -> Iterator[Any]:
    """The packets without an incomplete one at the end of the file, and None (flush) behind the last of them."""
    held = None
    for packet in source:
        if not packet.size:
            break
        if held is not None:
            yield held
        held = packet if packet.is_corrupt else None
        if held is None:
            yield packet
    yield None
