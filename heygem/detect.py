"""Detection: is there a face that can speak, how many, in how much of the film; with a picture to show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from heygem.errors import OptionInvalid
from heygem.faces.scan import Seen, scan
from heygem.media.probe import PathLike
from heygem.media.reader import VideoReader

MOST_FRAMES, MOST_FACES = 100, 8
"""Most frames that are looked at, and faces in each."""
_USABLE, _LEFT_ALONE, _INK = (44, 190, 78), (245, 145, 30), (255, 255, 255)


@dataclass(frozen=True, eq=False)
class Detection:
    """picture: (h, w, 3) uint8 RGB, the frame with the most usable faces, boxes drawn: green with their number where a
    face is usable, orange where it would be left alone."""

    frames: tuple[Seen, ...]
    picture: np.ndarray

    @property
    def has_face(self) -> bool:
        return self.count > 0

    @property
    def count(self) -> int:
        """Usable faces in the frame that has most of them."""
        return max(len(seen.usable) for seen in self.frames)

    @property
    def coverage(self) -> float:
        """Share of the frames looked at that have a usable face, 0..1."""
        return coverage(self.frames)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the picture. Boxes are x0, y0, x1, y1 in px."""
        return {"has_face": self.has_face, "count": self.count, "coverage": self.coverage, "frames": rows(self.frames)}


def coverage(frames: Sequence[Seen]) -> float:
    """Share of the frames that have a usable face, 0..1."""
    return sum(bool(seen.usable) for seen in frames) / len(frames)


def rows(frames: Sequence[Seen]) -> list[dict[str, Any]]:
    """The frames as plain values."""
    return [
        {
            "frame": seen.number,
            "faces": [
                {
                    "box": [round(side, 1) for side in face.box],
                    "turned": round(face.yaw, 1),
                    "usable": not face.why,
                    "why": face.why.lstrip(", "),
                }
                for face in seen.faces
            ],
        }
        for seen in frames
    ]


def detect(video: PathLike, frames: int = 8) -> Detection:
    """Looks at up to ``frames`` frames spread over a video, or at a photo. Raises OptionInvalid, and what the reader
    raises for files that are no video."""
    seen = look_at(video, frames)
    return Detection(seen, drawn(video, seen))


def look_at(video: PathLike, frames: int = 8) -> tuple[Seen, ...]:
    """The same without the picture."""
    if not 1 <= frames <= MOST_FRAMES:
        raise OptionInvalid(option="frames", value=frames, allowed=f"a number from 1 to {MOST_FRAMES}")
    return scan(video, frames, MOST_FACES)


def drawn(video: PathLike, frames: Sequence[Seen]) -> np.ndarray:
    """The picture of a detection: the first frame with the most usable faces; where none has any, the middle one."""
    best = max(frames, key=lambda seen: len(seen.usable))
    shown = best if best.usable else frames[len(frames) // 2]
    with VideoReader(video) as reader:
        picture = next(reader.frames([shown.number])).rgb()
    return _with_boxes(picture, shown)


def _with_boxes(picture: np.ndarray, seen: Seen) -> np.ndarray:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    line = max(2, min(image.size) // 200)
    font = ImageFont.load_default(max(14, min(image.size) // 22))
    for face in reversed(seen.faces):  # the largest on top
        colour = _LEFT_ALONE if face.why else _USABLE
        x0, y0, x1, y1 = face.box
        draw.rounded_rectangle((x0, y0, x1, y1), 3 * line, outline=colour, width=line)
        if not face.why:
            text = str(seen.usable.index(face))
            room, (_, _, wide, high) = 2 * line, draw.textbbox((0, 0), text, font)
            above = max(0, y0 - high - 2 * room)
            draw.rounded_rectangle((x0, above, x0 + wide + 2 * room, above + high + 2 * room), 2 * line, fill=colour)
            draw.text((x0 + room, above + room), text, _INK, font)
    return np.asarray(image)
