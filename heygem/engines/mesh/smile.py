"""A smile for a face that stands still: corners of the mouth lifted and widened, cheeks and lower lids a touch higher.

It is a displacement of the mesh on top of what speech asks. Both lips move as one, so that lips that touch still touch,
and the skin around the mouth moves with them. Where speech narrows the mouth, its smile gives way.
"""

from __future__ import annotations

import numpy as np

from heygem.engines.mesh.geometry import carrier, mouth_centre, smoothstep
from heygem.faces.shape import (
    CHIN,
    INNER_LOWER,
    INNER_UPPER,
    LOWER_LIDS,
    MOUTH,
    OUTER_LOWER,
    OUTER_UPPER,
    UPPER_LIDS,
    width,
)

WIDE, HIGH, BACK = 0.075, 0.115, 0.05
"""How far the corners of a smiling mouth go outwards, up and back, canonical: 4.7, 7.2 and 3.2 mm."""
BLOCK = (1.55, 0.5, 0.75)
"""Ellipse of the skin that moves with the lips as one: half width, up, down from their centre, in half widths of the
mouth."""
LEAST = 0.4
"""A photo that smiles already gets less, by what it shows, but at least this share."""
NARROW = (0.02, 0.10)
"""By how much lips are narrower than at rest, canonical, where the smile begins to give way, and where it has."""
GIVES = 0.7
"""Share of the smile that is gone then."""
CHEEKS = ((-0.64, 0.62), (0.64, 0.62))
CHEEK, AROUND = 0.05, (0.46, 0.40)
"""Rise of the cheeks, canonical, and how far around their middles something moves."""
LIDS, BELOW = 0.2, 0.3
"""Rise of the lower lids, in openings of the eye; canonical depth of the skin that follows."""


class Smile:
    """The smile of a face with the shape ``closed`` (468, 3); amount 0 none, 1 clear and friendly; region as that of a
    style."""

    def __init__(self, closed: np.ndarray, amount: float, region: str = "jaw") -> None:
        self._width = float(width(closed))
        self._mouth, self._eyes = np.zeros((2, *closed.shape))
        if amount > 0:
            shown = float(closed[[13, 14], 1].mean() - closed[[61, 291], 1].mean())
            amount *= float(np.clip(1 - shown / HIGH, LEAST, 1))
            self._mouth = amount * _mouth(closed, region)
            self._eyes = amount * (_cheeks(closed) + _lids(closed))

    def of(self, shape: np.ndarray) -> np.ndarray:
        """(468, 3) canonical: what every point of the face moves by while the mouth has the shape (468, 3)."""
        least, most = NARROW
        rounded = float(smoothstep((self._width - width(shape) - least) / (most - least)))
        return np.asarray((1 - GIVES * rounded) * self._mouth + self._eyes)


def _mouth(closed: np.ndarray, region: str) -> np.ndarray:
    """(468, 3) what a smile does to lips and the skin around them: their line becomes a bow. The chin stays."""
    middle, half = closed[[61, 291], 0].mean(), width(closed) / 2
    aside = np.clip((closed[:, 0] - middle) / half, -1, 1)
    for upper, lower in ((INNER_UPPER, INNER_LOWER), (OUTER_UPPER, OUTER_LOWER)):
        pair = np.array([upper, lower])
        aside[pair] = aside[pair].mean(axis=0)
    bow = 1.5 * aside**2 - 0.5 * aside**4
    moved = np.stack([WIDE * aside, -HIGH * bow, BACK * bow], axis=1)
    x, y = (closed[:, :2] - mouth_centre(closed)).T / half
    block = np.hypot(x / BLOCK[0], y / np.where(y < 0, BLOCK[1], BLOCK[2])) < 1
    leaders = np.union1d(np.flatnonzero(block), MOUTH)
    moved[list(CHIN)] = 0
    return carrier(closed, region, leaders) @ moved[leaders]


def _cheeks(closed: np.ndarray) -> np.ndarray:
    x, y = closed[:, 0], closed[:, 1]
    moved = np.zeros_like(closed)
    for middle in CHEEKS:
        moved[:, 1] -= CHEEK * smoothstep(1 - np.hypot((x - middle[0]) / AROUND[0], (y - middle[1]) / AROUND[1]))
    return moved


def _lids(closed: np.ndarray) -> np.ndarray:
    """(468, 3) what a smile does to the lower lids and the skin under them."""
    moved = np.zeros_like(closed)
    for lines in zip(UPPER_LIDS, LOWER_LIDS, strict=True):
        upper, lower = (closed[list(line)] for line in lines)
        along = (closed[:, 0] - lower[0, 0]) / (lower[-1, 0] - lower[0, 0])
        depth = closed[:, 1] - np.interp(closed[:, 0], lower[:, 0], lower[:, 1])
        skin = np.sin(np.pi * np.clip(along, 0, 1)) * smoothstep(1 - depth / BELOW) * (depth > -1e-6)
        moved[:, 1] -= LIDS * float((lower - upper)[:, 1].max()) * skin
    return moved
