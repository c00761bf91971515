"""What lies behind the lips of a mouth picture, and where it goes when the lips move: upper teeth stay with the skull,
lower teeth with the jaw, and between them a hole opens that the picture cannot fill.

The inside is a strip of four lines across the mouth, from its left corner to its right one: the upper lip, the end of
what belongs to the skull, the beginning of what belongs to the jaw, the lower lip.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heygem.engines.mesh.geometry import COLUMNS, smoothstep
from heygem.faces.shape import CHIN, INNER_LOWER, INNER_UPPER, gap

LIP_SKIN = 0.035
"""Of a tracked opening this much is the wet of the lips and no inside: parted lips show no teeth."""
SHOWS = 0.05
"""Opening beyond that from which a picture is trusted to show an inside."""
TEETH_END = 0.05
"""The upper front teeth end this far below the line where the closed lips meet (3.1 mm)."""
ROLL_IN, ROLLED = 0.06, 0.5
"""Lips that meet though they were open by so much in the picture hide this share of their red: the wet edge of an open
lip is lit like the teeth."""
COVER = 0.04
"""A lip slides over teeth by no more."""
STRETCHED = (0.3, 0.8)
"""Shares of the picture's opening: a mouth that opens by less than the first beyond it is stretched, by more than the
second it gets a hole. A slit between the teeth looks worse than teeth a little longer."""
UPPER, LOWER = list(INNER_UPPER), list(INNER_LOWER)
_HEIGHTS = np.linspace(0.08, 0.95, 12)
"""Heights between the lips, 0 upper and 1 lower, at which the two rows of teeth may part."""


@dataclass(frozen=True)
class Lips:
    """Inner lips of a shape as curves: x (11,), upper and lower (11,), depth (11,), all canonical; x rises."""

    x: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    depth: np.ndarray

    @classmethod
    def of(cls, shape: np.ndarray) -> Lips:
        """The inner lips of a shape (468, 3)."""
        up, low = shape[UPPER], shape[LOWER]
        x = np.maximum.accumulate((up[:, 0] + low[:, 0]) / 2)
        return cls(x, up[:, 1], np.maximum(low[:, 1], up[:, 1]), (up[:, 2] + low[:, 2]) / 2)

    def at(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Upper, lower and depth at x."""
        return np.interp(x, self.x, self.upper), np.interp(x, self.x, self.lower), np.interp(x, self.x, self.depth)


@dataclass(frozen=True)
class Inside:
    """How the inside of one picture is shown between the lips of a target.

    ends (2, 11): canonical y, in the target, where what belongs to the skull ends and what belongs to the jaw begins.
    closed 0..1: how little inside the picture shows at all.
    sealed 0..1: how far lips meet that were open in the picture.
    """

    ends: np.ndarray
    closed: float
    sealed: float = 0.0


class Behind:
    """The inside of a picture with the shape ``own`` (468, 3) under the lips of ``target`` (468, 3).

    part 0..1: where between the lips of the picture the rows of teeth part.
    """

    def __init__(self, own: np.ndarray, target: np.ndarray, part: float) -> None:
        """``closed`` and ``sealed``: see ``Inside``."""
        self._own, self._target, self._part = Lips.of(own), Lips.of(target), part
        rise, fall = (target[k, 1] - own[k, 1] for k in (13, 14))
        chin = float((target[list(CHIN), 1] - own[list(CHIN), 1]).mean())
        # A lip that uncovers more than the picture shows takes along what clings to it; one that closes covers it, but
        # only so much: a smile that ends would else take the teeth of the wide mouth with it.
        self.skull = min(float(rise), 0.0) + max(float(rise) - COVER, 0.0)
        self.jaw = float(fall) if fall > 0 else float(np.clip(chin, fall, min(fall + COVER, 0.0)))
        if self.jaw > self.skull:
            ratio = (self.jaw - self.skull) / max(float(gap(own)), 1e-6)
            opens = float(smoothstep(np.array((ratio - STRETCHED[0]) / (STRETCHED[1] - STRETCHED[0]))))
            still = min(max(self.skull, 0.0), self.jaw)
            self.skull, self.jaw = still + opens * (self.skull - still), still + opens * (self.jaw - still)
        closing = smoothstep((gap(own) - gap(target) - 0.02) / ROLL_IN) * smoothstep(1 - gap(target) / ROLL_IN)
        self.sealed = float(closing)
        self.closed = float(smoothstep(np.array(1 - (gap(own) - LIP_SKIN) / SHOWS)))

    def ends(self) -> np.ndarray:
        """(2, 11) canonical y in the target where the skull's part ends and the jaw's begins."""
        here = self._target
        part = self._parting(self._source_x(here.x))
        above = np.clip(part + self.skull, here.upper, here.lower)
        return np.stack([above, np.clip(part + self.jaw, above, here.lower)])

    def points(self, ends: np.ndarray) -> np.ndarray:
        """(44, 3) canonical points of the picture under the four lines of the target, the inner two at ``ends``."""
        here = self._target
        x = self._source_x(here.x)
        upper, lower, depth = self._own.at(x)
        part = self._parting(x)
        lines = [np.clip(y - self.skull, upper, part) for y in (here.upper, ends[0])]
        lines += [np.clip(y - self.jaw, part, lower) for y in (ends[1], here.lower)]
        return np.concatenate([np.stack([x, y, depth], axis=1) for y in lines])

    def _parting(self, x: np.ndarray) -> np.ndarray:
        upper, lower, _ = self._own.at(x)
        return upper + self._part * (lower - upper)

    def _source_x(self, x: np.ndarray) -> np.ndarray:
        """Teeth do not move sideways; only where the target is wider than the picture's mouth, they are stretched."""
        own, here = self._own.x, self._target.x
        wider = max((here[-1] - here[0]) / max(own[-1] - own[0], 1e-6), 1.0)
        middle = here[COLUMNS // 2]
        inside = middle + (x - middle) / wider
        return np.clip(inside, own[0], own[-1])


def parting(profile: np.ndarray, upper: np.ndarray, lower: np.ndarray, closed: np.ndarray) -> float:
    """0..1, where between the lips the rows of teeth part: at a dark place near where the upper teeth should end.

    profile (12,): brightness 0..255 at ``heights``; upper, lower (3,): canonical middle of the inner lips; closed
    (468, 3): the closed mouth, from which the teeth end a known way down.
    """
    expected = (closed[13, 1] + TEETH_END - upper[1]) / max(lower[1] - upper[1], 1e-6)
    contrast = (profile - profile.min()) / max(float(np.ptp(profile)), 25.0)
    return float(_HEIGHTS[np.argmin(contrast + 1.2 * np.abs(_HEIGHTS - np.clip(expected, _HEIGHTS[0], _HEIGHTS[-1])))])


def heights() -> np.ndarray:
    """(12,) heights between the lips, 0 upper and 1 lower, at which ``parting`` wants brightness."""
    return _HEIGHTS
