"""Frames of a video or photo at a constant rate, in any order, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, count
from math import floor
from pathlib import Path
from typing import Any

import av
from av.codec.hwaccel import HWAccel
from av.error import FFmpegError
from loguru import logger

from heygem.errors import FileUnreadable, NoVideo
from heygem.media.container import best_stream, check, decode, open_media, packets
from heygem.media.decoders import choose
from heygem.media.frame import Frame
from heygem.media.probe import PathLike, VideoInfo, opening, still_info
from heygem.media.still import is_still, load_still
from heygem.media.upright import Upright, deinterlaced, planar

BUDGET = 128 << 20
"""Bytes of frames that a reader keeps at most for reading backwards."""

_LEAP = 300  # seconds without a picture that are no pause but a clock set anew
_JUMP = 250  # frames forward from which seeking is worth more than decoding on


class VideoReader:
    """Frames at ``info.fps``. Frame n shows the last picture whose time, rounded to the grid, is not after n.

    >>> with VideoReader(path) as reader:
    ...     for frame in reader: ...

    ``count`` is the exact number of frames, known once an iteration has reached the end. Not for several threads.
    device: "cpu", or "auto" and "cuda" for a film that is worth a trial of NVDEC; where that fails, the processor
    decodes. ``decoder`` tells which one it is.

    Raises the errors of ``probe_video`` on construction.
    """

    def __init__(self, path: PathLike, budget: int = BUDGET, device: str = "cpu") -> None:
        self._path = Path(path)
        self.info: VideoInfo
        self.count: int | None = None
        self._source: _Still | _Film
        self._source = _Still(self._path) if is_still(check(self._path, "a video")) else _Film(self._path, device)
        self.info, self.decoder = self._source.info, self._source.decoder
        self._most = max(1, budget // (self.info.width * self.info.height * 3 // 2))
        self._small = self.info.frames is not None and self.info.frames <= self._most
        self._kept: dict[int, Frame] = {}
        self._run: _Run | None = None

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file. Safe to call twice."""
        self._kept, self._run = {}, None
        self._source.close()

    def __iter__(self) -> Iterator[Frame]:
        """All frames from first to last. Each one is the caller's own."""
        self._run = None
        for n in count():
            frame = self._frame(n)
            if self.count is not None and n >= self.count:
                return
            yield frame

    def frames(self, plan: Iterable[int]) -> Iterator[Frame]:
        """The frames with the numbers in ``plan``, in its order; it is read one number at a time.

        Upward runs stream; a step down decodes the stretch before it into memory (``BUDGET``). Numbers behind the last
        frame repeat it. Each yielded frame is the caller's own. ValueError for a number below zero.
        """
        for n in plan:
            yield self._frame(int(n))

    def _frame(self, n: int) -> Frame:
        if n < 0:
            raise ValueError(f"there is no frame {n}")
        if self.count is not None:
            n = min(n, self.count - 1)
        if n in self._kept:
            return self._kept[n].copy()
        if self._run is None or n > self._run.number + _JUMP:
            self._run = self._source.run(n)
        elif n < self._run.number:
            self._step_back(n)
            return self._kept[n].copy()
        frame = self._advance(n)
        if self._small and len(self._kept) < self._most:
            self._kept[n] = frame.copy()
        return frame

    def _advance(self, n: int) -> Frame:
        assert self._run is not None
        picture = self._run.at(n)
        if self._run.ended:
            self.count = self._run.number + 1
        return self._source.frame(picture)

    def _step_back(self, n: int) -> None:
        """Keeps the stretch that ends with frame ``n``: the next steps down are then there already."""
        low = max(0, n - self._most + 1)
        self._run = self._source.run(low)
        if not self._small:
            self._kept = {}
        for k in range(low, n + 1):
            self._kept[k] = self._advance(k)


class _Run:
    """Pictures upward from some point of the film, with their numbers on the constant grid."""

    def __init__(self, pictures: Iterator[tuple[int, Any]]) -> None:
        self._pictures = pictures
        self.number, self._shown = next(pictures)
        self._next = next(pictures, None)

    @property
    def ended(self) -> bool:
        return self._next is None

    def at(self, n: int) -> Any:
        """The picture that frame ``n`` shows; ``n`` is not below ``number``, that of the last picture shown."""
        while self._next is not None and self._next[0] <= n:
            self.number, self._shown = self._next
            self._next = next(self._pictures, None)
        return self._shown


class _Still:
    decoder = "CPU"

    def __init__(self, path: Path) -> None:
        picture = load_still(path)
        self.info = still_info(path, picture)
        self._frame = Frame.of(picture)

    def run(self, _: int) -> _Run:
        return _Run(iter([(0, None)]))

    def frame(self, _: Any) -> Frame:
        return self._frame.copy()

    def close(self) -> None:
        pass


class _Film:
    def __init__(self, path: Path, device: str = "cpu") -> None:
        self._path = path
        self._hwaccel: HWAccel | None = None
        self._open()
        with self._container:
            begin = opening(path, self._container, self._stream)
        self.info, self._first, self._clock = begin.info, begin.first, begin.clock
        self._upright = Upright(self.info.width, self.info.height)
        self._hwaccel = choose(path, device)
        self.decoder = "GPU, NVDEC" if self._hwaccel else "CPU"
        self._open()
        self._fresh = True

    def close(self) -> None:
        self._container.close()

    def frame(self, picture: av.VideoFrame) -> Frame:
        return self._upright(picture)

    def run(self, n: int) -> _Run:
        """Pictures from the one that frame ``n`` shows, or from an earlier one."""
        for margin in (0, 2, 10) if n > 0 and self._clock else ():
            run = self._sought(n, margin)
            if run is not None:
                return run
        if not self._fresh:
            self.close()
            self._open()
        self._fresh = False
        pictures = self._numbered()
        first = next(pictures, None)
        if first is None:
            raise FileUnreadable(name=self._path.name, kind="a video", reason="no picture in it can be decoded")
        return _Run(chain([(0, first[1])], pictures))

    def _sought(self, n: int, margin: int) -> _Run | None:
        """A run from a key picture at or before frame ``n``, sought ``margin`` seconds early; None if not found."""
        self._fresh = False
        stamp = int((self._first + n / self.info.fps - margin) / self._stream.time_base)
        try:
            self._container.seek(stamp, stream=self._stream)
        except FFmpegError:
            return None
        pictures = self._numbered()
        first = next(pictures, None)
        return _Run(chain([first], pictures)) if first and first[0] <= n else None

    def length(self) -> int:
        """Number of frames on the constant grid, by the packets."""
        pictures, last = 0, -1
        for packet in packets(self._container, self._stream):
            if packet.size and not packet.is_discard and not packet.is_corrupt:
                pictures += 1
                last = max(last, self._number(packet, last + 1))
        return last + 1 if self._clock == "pts" else pictures

    def _open(self) -> None:
        self._container = open_media(self._path, "a video", self._hwaccel)
        self._stream = best_stream(self._container, "video")
        if self._stream is None:
            self._container.close()
            raise NoVideo(name=self._path.name)
        if self._hwaccel is None:
            self._stream.thread_type = "AUTO"

    def _numbered(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """Pictures from where the file stands, with the number of the frame that each is nearest to, ascending."""
        last = None
        for picture in deinterlaced(planar(decode(self._stream, packets(self._container, self._stream)))):
            number = self._number(picture, 0 if last is None else last + 1)
            if last is not None and not -1 <= (number - last) / self.info.fps <= _LEAP:
                logger.warning("{}: the clock leaps, pictures are counted from there on", self._path.name)
                self._clock, number = "", last + 1
            last = number if last is None else max(last, number)
            yield last, picture

    def _number(self, picture: av.VideoFrame, following: int) -> int:
        stamp = getattr(picture, self._clock) if self._clock else None
        if stamp is None:
            return following
        return floor((stamp * picture.time_base - self._first) * self.info.fps + Fraction(1, 2))


def count_frames(path: PathLike) -> int:
    """How many frames a reader yields, from the time stamps alone: nothing is decoded but the first picture.

    Exact for a sound file; one with damaged pictures may yield fewer. Raises the errors of ``probe_video``.
    """
    path = Path(path)
    if is_still(check(path, "a video")):
        return 1
    film = _Film(path)
    try:
        return film.length()
    finally:
        film.close()
