"""Compare: films side by side in one, in step, each under its label."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from av.video.reformatter import Interpolation

from heygem.errors import OptionInvalid
from heygem.finish.fonts import face_for
from heygem.finish.overlay import Overlay
from heygem.media.frame import Frame
from heygem.media.probe import MOST_PIXELS, heard
from heygem.media.reader import VideoReader, count_frames
from heygem.media.target import check_target, disk_errors
from heygem.media.writer import VideoWriter
from heygem.tick import Tick, silent

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

FEWEST, MOST = 2, 9
WIDEST = 3840
"""Longest side of the result in pixels; what would be larger is scaled down."""
_SHADE = (0, 0, 0, 150)  # RGBA behind the text
_BLACK = (16, 128, 128)  # YCbCr, limited range
_NONE = np.zeros((0, 0, 4), np.uint8)


def compare(
    videos: Sequence[Path], labels: Sequence[str], out: Path, quality: str = "standard", tick: Tick = silent
) -> Path:
    """Writes the films ``videos``, 2 to 9, into one: all of one height, at the frame rate of the first, with the sound
    of the first that has one. The longest sets the length; one that is over stands still. A photo is a film, too.

    labels: as many texts; an empty one is not drawn. Raises OptionInvalid, OutputError, FontMissing and what the reader
    raises; nothing is left behind then, nor where ``tick`` stops it.
    """
    if len(labels) != len(videos):
        allowed = f"{len(videos)}, one for each video"
        raise OptionInvalid(option="labels", value=f"{len(labels)} of them", allowed=allowed)
    check_compare(labels, out, videos)
    with disk_errors(out), ExitStack() as opened:
        films = [opened.enter_context(_Film(path)) for path in videos]
        cells, size = _layout([film.shape for film in films])
        bars = _bars(labels, cells, size)
        fps = films[0].fps
        total = max(math.ceil(film.frames * fps / film.fps) for film in films)
        canvas = Frame.plain(*size, _BLACK)
        sounds = list(islice(filter(heard, videos), 1))
        with VideoWriter(out, fps, size, quality, sounds) as writer:
            for n in range(total):
                for film, cell, bar in zip(films, cells, bars, strict=True):
                    _lay(canvas, cell, film.at(n / fps, cell))
                    bar.over(canvas)
                writer.write(canvas)
                tick("render", n + 1, total)
    return out


def check_compare(labels: Sequence[str], out: Path, inputs: Sequence[Path]) -> None:
    """What can be wrong before there is any film: how many, their labels, the place. Raises OptionInvalid, FontMissing,
    OutputError."""
    if not FEWEST <= len(labels) <= MOST:
        raise OptionInvalid(option="videos", value=f"{len(labels)} of them", allowed=f"{FEWEST} to {MOST}")
    check_target(out, inputs)
    for label in filter(str.strip, labels):
        face_for(label)


@dataclass(frozen=True)
class _Cell:
    """Where a film is shown, in px; all even."""

    x: int
    y: int
    width: int
    height: int


def _layout(shapes: Sequence[tuple[int, int]]) -> tuple[list[_Cell], tuple[int, int]]:
    """A cell for each film of (width, height), and the size of the whole: up to three in a row, four as a square."""
    columns = len(shapes) if len(shapes) <= 3 else 2 if len(shapes) == 4 else 3
    rows = math.ceil(len(shapes) / columns)
    height = max(height for _, height in shapes)

    def widths(height: int) -> list[int]:
        return [max(2, 2 * round(w * height / h / 2)) for w, h in shapes]

    def wide(widths: Sequence[int]) -> list[int]:
        return [max(widths[column::columns]) for column in range(columns)]

    whole = sum(wide(widths(height))), rows * height
    most = min(1.0, WIDEST / max(whole), math.sqrt(MOST_PIXELS / math.prod(whole)))
    height = int(height * most) & ~1
    each = widths(height)
    across = wide(each)
    cells = []
    for n, width in enumerate(each):
        row, column = divmod(n, columns)
        x = sum(across[:column]) + (across[column] - width) // 4 * 2
        cells.append(_Cell(x, row * height, width, height))
    return cells, (sum(across), rows * height)


class _Film:
    """One film, asked for its picture at ever later times. A context manager."""

    def __init__(self, path: Path) -> None:
        self.frames = count_frames(path)
        self._reader = VideoReader(path, 0)  # nothing is kept: it is read upwards only
        self.fps = self._reader.info.fps
        self.shape = self._reader.info.width, self._reader.info.height
        self._number, self._shown = -1, Frame.blank(2, 2)

    def __enter__(self) -> _Film:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def at(self, seconds: Fraction, cell: _Cell) -> Frame:
        """The picture at this time, of the size of the cell; the last one when the film is over."""
        number = min(math.floor(seconds * self.fps), self.frames - 1)
        if number != self._number:
            self._number = number
            self._shown = _scaled(next(self._reader.frames([number])), cell.width, cell.height)
        return self._shown


def _scaled(frame: Frame, width: int, height: int) -> Frame:
    if (frame.width, frame.height) == (width, height):
        return frame
    smooth = Interpolation.BICUBIC | Interpolation.ACCURATE_RND
    return Frame.of_picture(frame.picture().reformat(width, height, interpolation=smooth))


def _lay(canvas: Frame, cell: _Cell, picture: Frame) -> None:
    box = (cell.x, cell.y, cell.x + cell.width, cell.y + cell.height)
    for place, plane in zip(canvas.views(box), picture.planes(), strict=True):
        place[:] = plane


def _bars(labels: Sequence[str], cells: Sequence[_Cell], size: tuple[int, int]) -> list[Overlay]:
    """The labels, each in the upper left of its cell of a picture of ``size`` (w, h). Raises FontMissing."""
    bars = []
    for cell, picture in zip(cells, _pictures(labels, cells), strict=True):
        margin = picture.shape[0] // 3
        bars.append(Overlay(picture, cell.x + margin, cell.y + margin, size))
    return bars


def _pictures(labels: Sequence[str], cells: Sequence[_Cell]) -> list[np.ndarray]:
    """The labels as (h, w, 4) RGBA, all in letters of one size; nothing for an empty one. Raises FontMissing."""
    from PIL import ImageFont

    texts = [" ".join(label.split()) for label in labels]
    largest = max(14, min(min(cell.width, cell.height) for cell in cells) // 24)
    faces = [face_for(text) if text else None for text in texts]

    def fonts(size: int) -> list[FreeTypeFont | None]:
        return [face and ImageFont.truetype(str(face.path), size, face.index) for face in faces]

    def rooms(size: int) -> list[int]:
        return [cell.width - 3 * size for cell in cells]

    size, least = largest, max(11, largest * 2 // 3)
    while size > least and any(
        font and font.getlength(text) > room for text, font, room in zip(texts, fonts(size), rooms(size), strict=True)
    ):
        size -= 1
    drawn = zip(texts, fonts(size), rooms(size), strict=True)
    return [_bar(text, font, room) if font else _NONE for text, font, room in drawn]


def _bar(text: str, font: FreeTypeFont, room: int) -> np.ndarray:
    """One label, cut to ``room`` px."""
    from PIL import Image, ImageDraw

    shown = next((one for one in _shorter(text) if font.getlength(one) <= room), "…")
    pad = round(font.size) // 2
    image = Image.new("RGBA", (round(font.getlength(shown)) + 2 * pad, sum(font.getmetrics()) + pad // 2))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, image.width - 1, image.height - 1), pad, _SHADE)
    draw.text((pad, image.height / 2), shown, (255, 255, 255, 255), font, anchor="lm")
    return np.asarray(image)


def _shorter(text: str) -> Iterator[str]:
    yield text
    for end in range(len(text) - 1, 0, -1):
        yield text[:end].rstrip() + "…"
