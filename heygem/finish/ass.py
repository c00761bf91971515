"""libass, as the ffmpeg of imageio-ffmpeg has it: pictures of subtitles, one after the other, through a pipe.

What a user wrote never reaches a command line or a filter: ffmpeg runs in a private folder and reads names of ours.
"""

from __future__ import annotations

import math
import os
import select
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from loguru import logger
from pysubs2 import SSAFile

from heygem.errors import ToolMissing
from heygem.finish.overlay import Overlay

_SECONDS = 120.0
"""After so long without a picture the file is too much for libass."""
_PIPE = 1 << 20
_GAP = 16  # empty rows between what is laid over a frame in two parts
_LATER = 17
"""Frames are drawn as they look after one part in so many of their time. ASS counts hundredths of a second, and at no
usual frame rate does such a moment lie on one: so nothing hangs on how numbers are rounded."""
_FONTS = (
    '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
    '<fontconfig><dir prefix="cwd">fonts</dir><cachedir prefix="cwd">cache</cachedir></fontconfig>'
)
"""The fonts in the private folder and no others: what is seen does not depend on the rest of the machine."""


def ffmpeg() -> str:
    """The path of the program. Raises ToolMissing."""
    import imageio_ffmpeg

    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise ToolMissing(tool="imageio-ffmpeg") from error


class Pictures:
    """The pictures of some frames of a film: ``stretches`` are first and last ones, in their order.

    fonts: files of which libass may use the faces, and no others. Raises ToolMissing.
    """

    def __init__(
        self,
        subs: SSAFile,
        fonts: Iterable[Path],
        size: tuple[int, int],
        fps: Fraction,
        stretches: Sequence[tuple[int, int]],
    ) -> None:
        self._buffer = np.empty((size[1], size[0], 4), np.uint8)
        self._numbers = chain.from_iterable(range(first, last + 1) for first, last in stretches)
        self._number = -1
        self._seen: list[Overlay] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._private = TemporaryDirectory(prefix="heygem-subtitles-")
        self._folder = Path(self._private.name)
        try:
            subs.info["YCbCr Matrix"] = "None"  # else ffmpeg changes the colours, as some old players did
            subs.save(str(self._folder / "captions.ass"), format_="ass")
            (self._folder / "fonts.conf").write_text(_FONTS)
            (self._folder / "filters").write_text(_filters(fps, stretches))
            (self._folder / "fonts").mkdir()
            for number, font in enumerate(sorted(set(fonts))):
                _link(font, self._folder / "fonts" / f"{number}{font.suffix.lower()}")
            self._process = self._started(fps, stretches)
        except BaseException:
            self.close()
            raise

    def at(self, number: int) -> list[Overlay]:
        """What is seen in frame ``number``, which never goes back.

        Raises EOFError where libass ended or hangs.
        """
        if number != self._number:
            while self._number < number:
                self._number = next(self._numbers)
                self._fill()
            self._seen = _seen(self._buffer)
        return self._seen

    def close(self) -> None:
        """Ends ffmpeg and removes the folder. Safe to call twice."""
        if self._process is not None:
            self._process.kill()  # in the middle of its work it hears nothing gentler
            self._process.wait()
            assert self._process.stdout
            self._process.stdout.close()
        self._private.cleanup()

    def _started(self, fps: Fraction, stretches: Sequence[tuple[int, int]]) -> subprocess.Popen[bytes]:
        high, wide = self._buffer.shape[:2]
        seconds = float((stretches[-1][1] + 2) / fps)
        canvas = f"color=black:s={wide}x{high}:r={fps.numerator}/{fps.denominator}:d={seconds:.3f},format=rgba"
        pictures = sum(last - first + 1 for first, last in stretches)
        command = [ffmpeg(), "-v", "error", "-nostdin", "-f", "lavfi", "-i", canvas, "-/vf", "filters"]
        command += ["-fps_mode", "passthrough", "-frames:v", str(pictures), "-thread_queue_size", "1"]
        command += ["-f", "rawvideo", "-pix_fmt", "rgba", "-"]
        with (self._folder / "log").open("wb") as log:
            return subprocess.Popen(
                command,
                bufsize=0,
                pipesize=_PIPE,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self._folder,
                env={**os.environ, "FONTCONFIG_FILE": str(self._folder / "fonts.conf")},
            )

    def _fill(self) -> None:
        assert self._process and self._process.stdout
        room = self._buffer.data.cast("B")
        ready = select.poll()
        ready.register(self._process.stdout)
        while room:
            count = os.readv(self._process.stdout.fileno(), [room]) if ready.poll(_SECONDS * 1000) else 0
            if not count:
                logger.error("libass: {}", (self._folder / "log").read_text("utf-8", "replace")[-1000:] or "no picture")
                raise EOFError("libass ended or hangs")
            room = room[count:]


def _seen(drawn: np.ndarray) -> list[Overlay]:
    """The parts of a picture (see ``_filters``) with any alpha."""
    size = drawn.shape[1], drawn.shape[0]
    white = cv2.extractChannel(drawn, 3)
    alpha = cv2.bitwise_not(cv2.subtract(white, cv2.extractChannel(drawn, 1)))
    rows = np.flatnonzero(cv2.reduce(alpha, 1, cv2.REDUCE_MAX))
    parts: list[Overlay] = []
    for band in np.split(rows, np.flatnonzero(np.diff(rows) > _GAP) + 1) if rows.size else []:
        y0, y1 = band[0], band[-1] + 1
        columns = np.flatnonzero(cv2.reduce(alpha[y0:y1], 0, cv2.REDUCE_MAX))
        box = np.s_[y0:y1, columns[0] : columns[-1] + 1]
        straight = cv2.divide(drawn[box][..., :3], cv2.merge([alpha[box]] * 3), scale=255)
        parts.append(Overlay(cv2.merge([straight, alpha[box]]), int(columns[0]), int(y0), size))
    return parts


def _filters(fps: Fraction, stretches: Sequence[tuple[int, int]]) -> str:
    """Only the frames of ``stretches`` are drawn, each as it looks a little after it begins (see ``_LATER``).

    Drawn twice, on black and on white: red, green and blue of the one and green of the other come out, whose difference
    is the alpha. ffmpeg's own alpha of what is half transparent is squared.
    """
    time = f"settb=1/{_LATER * fps.numerator},setpts=PTS+{fps.denominator}"
    draw = "subtitles=captions.ass:fontsdir=fonts:wrap_unicode=1"
    return (
        f"select='{_within(stretches)}',{time},split[a][b];[a]{draw}[black];"
        f"[b]negate,{draw},extractplanes=g[white];[black][white]alphamerge"
    )


def _within(stretches: Sequence[tuple[int, int]]) -> str:
    """An expression that is 1 within one of the stretches: a search tree, for there may be thousands."""
    if len(stretches) == 1:
        return "between(n,{},{})".format(*stretches[0])
    middle = len(stretches) // 2
    return f"if(lt(n,{stretches[middle][0]}),{_within(stretches[:middle])},{_within(stretches[middle:])})"


def frame_of(ms: int, fps: Fraction) -> int:
    """The first frame that shows what begins at ``ms``."""
    return max(math.ceil(Fraction(ms, 1000) * fps - Fraction(1, _LATER)), 0)


def _link(font: Path, place: Path) -> None:
    try:
        place.symlink_to(font.absolute())
    except OSError:
        shutil.copyfile(font, place)
