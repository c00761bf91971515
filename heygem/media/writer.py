"""The result: one H.264 encode with the user's own sound, under its final name only when it is whole."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError
from av.video.reformatter import Interpolation

from heygem.errors import OptionInvalid, OutputError
from heygem.media.encoders import QUALITIES, open_video
from heygem.media.frame import Frame
from heygem.media.soundtrack import Soundtrack


class VideoWriter:
    """Writes frames 0, 1, 2 … of an MP4 at exactly ``fps``, with the sound of the files ``sounds`` from their start.

    The file appears under its name on a clean exit; after an exception nothing stays behind. Several sounds are mixed.
    The sound is written to its own end: how many frames cover it is the caller's decision.

    quality: "draft", "standard" or "high". device: "auto" takes NVENC where a trial encode works, "cpu" never,
    "cuda" raises EngineUnavailable without it. An odd size loses its last row or column.

    Raises OutputError (folder, disk), OptionInvalid, the errors of ``probe_sound`` for ``sounds``.
    """

    def __init__(
        self,
        out: str | os.PathLike[str],
        fps: Fraction,
        size: tuple[int, int],
        quality: str = "standard",
        sounds: Sequence[str | os.PathLike[str]] = (),
        device: str = "auto",
    ) -> None:
        if quality not in QUALITIES:
            raise OptionInvalid(option="quality", value=quality, allowed=", ".join(QUALITIES))
        self._out = Path(out)
        self._part = self._out.with_name(self._out.name + ".part")
        self._size = size[0] & ~1, size[1] & ~1
        self._tick = 1 / Fraction(fps)
        self._frames = 0
        self._container: Any = None
        self._mine = False
        self._track = Soundtrack([Path(sound) for sound in sounds]) if sounds else None
        try:
            with self._as_output_error():
                self._part.open("wb").close()  # the clearest message about a folder comes from the system
                self._mine = True
                self._container = av.open(f"file:{self._part.absolute()}", "w", "mp4", {"movflags": "+faststart"})
                self._video = open_video(self._container, Fraction(fps), self._size, quality, device)
                if self._track is not None:
                    self._track.attach(self._container)
        except BaseException:
            self._discard()
            raise

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            self._finish()
        except BaseException:
            self._discard()
            raise

    @property
    def encoder(self) -> str:
        """What encodes, and where, for people."""
        return "GPU, NVENC" if self._video.codec_context.name == "h264_nvenc" else "CPU, x264"

    def write(self, frame: Frame) -> None:
        """Encodes one frame, scaled if it is not of the writer's size. It may be changed afterwards."""
        picture = frame.picture()
        if (frame.width, frame.height) != self._size:
            picture = picture.reformat(*self._size, interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND)
        picture.pts, picture.time_base = self._frames, self._tick
        self._frames += 1
        with self._as_output_error():
            self._mux(self._video.encode(picture))

    def _finish(self) -> None:
        if not self._frames:
            raise OutputError(name=self._out.name, reason="there is no frame in it")
        with self._as_output_error():
            self._mux(self._video.encode(None))
            if self._track is not None:
                self._container.mux(self._track.until(None))
                self._track.close()
            self._container.close()
            self._part.replace(self._out)

    def _mux(self, packets: Iterable[Any]) -> None:
        """Writes video packets, the sound up to each of them first: neither waits for the other in memory."""
        for packet in packets:
            if self._track is not None:
                self._container.mux(self._track.until(packet.dts * packet.time_base))
            self._container.mux(packet)

    def _discard(self) -> None:
        """Closes what is open and removes the unfinished file."""
        if self._track is not None:
            self._track.close()
        for _ in range(2 if self._mine else 0):
            # Without its name the file is not rearranged once more on closing; some systems remove closed files only.
            with suppress(OSError):
                self._part.unlink(missing_ok=True)
            if self._container is not None:
                with suppress(FFmpegError, OSError, ValueError):
                    self._container.close()

    @contextmanager
    def _as_output_error(self) -> Iterator[None]:
        try:
            yield
        except (FFmpegError, OSError) as error:
            raise OutputError(name=self._out.name, reason=error.strerror or error) from error
