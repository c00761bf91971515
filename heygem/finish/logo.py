"""A logo in a corner."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from heygem.errors import FileUnreadable
from heygem.finish.base import Finish
from heygem.finish.overlay import Overlay
from heygem.media.container import check as check_file
from heygem.media.frame import Frame
from heygem.media.still import is_still, load_transparent

MARGIN = 0.03
"""Room between the logo and the edges, as a share of the shorter side."""


def check(path: Path) -> None:
    """Raises FileMissing, FileEmpty, FileUnreadable, PictureTooLarge."""
    head = check_file(path, "a picture")
    if not is_still(head) and not head.startswith(b"GIF8"):
        raise FileUnreadable(name=path.name, kind="a picture", reason="it is neither PNG, JPEG, WebP nor GIF")
    load_transparent(path)


class Logo:
    """Effect."""

    name = "logo"

    def __init__(self, wish: Finish, size: tuple[int, int]) -> None:
        path = Path(wish.logo)
        check(path)
        self.note = path.name
        margin = round(MARGIN * min(size))
        room = min(wish.logo_size * size[0], size[0] - 2 * margin), size[1] - 2 * margin
        picture = _scaled(load_transparent(path), room)
        high, wide = picture.shape[:2]
        vertical, horizontal = wish.logo_place.split("-")
        x = margin if horizontal == "left" else size[0] - margin - wide
        y = margin if vertical == "top" else size[1] - margin - high
        self._overlay = Overlay(picture, x, y, size, wish.logo_opacity)

    def __call__(self, number: int, frame: Frame) -> Frame:
        self._overlay.over(frame)
        return frame

    def close(self) -> None:
        pass


def _scaled(rgba: np.ndarray, room: tuple[float, float]) -> np.ndarray:
    """As large as fits into ``room`` (w, h). Pillow weighs colours by their alpha, so edges stay clean."""
    scale = min(room[0] / rgba.shape[1], room[1] / rgba.shape[0])
    size = max(round(rgba.shape[1] * scale), 1), max(round(rgba.shape[0] * scale), 1)
    return np.asarray(Image.fromarray(rgba).resize(size, Image.Resampling.LANCZOS))
