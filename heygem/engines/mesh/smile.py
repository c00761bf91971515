"""A smile for a face that stands still: corners of the mouth lifted and widened, cheeks and lower lids a touch higher.

The mouth smiles in its target shapes, so the warp that makes it speak makes it smile. Every pair of inner lip points
moves as one: lips that touch still touch. Where speech narrows the mouth, the smile gives way; cheeks and eyes keep it.
"""

from __future__ import annotations

import numpy as np

from heygem.engines.mesh.geometry import smoothstep
from heygem.faces.shape import (
    INNER_LOWER,
    INNER_UPPER,
    LOWER_LIDS,
    OUTER_LOWER,
    OUTER_UPPER,
    UPPER_LIDS,
    width,
)

WIDE, HIGH, BACK = 0.09, 0.13, 0.06
"""How far the corners of a smiling mouth go outwards, up and back, canonical: 3.5, 4.7 and 2.5 mm."""
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
    """The smile of a face with the shape ``closed`` (468, 3); amount 0 none, 1 clear and friendly.

    raised (468, 3): what cheeks and lower lids move by, canonical.
    """

    def __init__(self, closed: np.ndarray, amount: float) -> None:
        self._width = float(width(closed))
        self._lips = amount * _lips(closed)
        self.raised = amount * (_cheeks(closed) + _lids(closed))

    def on(self, shapes: np.ndarray) -> np.ndarray:
        """The shapes (n, 468, 3) with a smile."""
        least, most = NARROW
        rounded = smoothstep((self._width - width(shapes) - least) / (most - least))
        return shapes + (1 - GIVES * rounded)[:, None, None] * self._lips


def _lips(closed: np.ndarray) -> np.ndarray:
    """(468, 3) what a smile does to the lips: their line becomes a bow."""
    moved = np.zeros_like(closed)
    middle, half = closed[[61, 291], 0].mean(), width(closed) / 2
    for upper, lower in ((INNER_UPPER, INNER_LOWER), (OUTER_UPPER, OUTER_LOWER)):
        pair = np.array([upper, lower])
        aside = ((closed[pair, 0] - middle) / half).mean(axis=0)
        bow = aside**2
        moved[pair] = np.stack([WIDE * aside, -HIGH * bow, BACK * bow], axis=1)
    return moved


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
