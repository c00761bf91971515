"""Sharpening of faces: what is there becomes clearer, nothing is made up. For films without a restoring network.

The luma of a face is taken apart into what is finer than about one, two and four pixels of a usual face. The two finer
bands are raised where an edge is, and left alone where only grain is. Networks leave the mouth softer than the rest of
the face, so the lower face is raised further: until each band is as strong there, compared with the next coarser one,
as round the eyes. That comparison tells how sharp edges are, however many of them there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from heygem.faces.shape import EYES, OVAL
from heygem.faces.track import Face
from heygem.media.frame import Box, Frame

STRENGTH = 0.8
"""How much the bands are raised at the edges of a face with the amount 1."""
USUAL = 400.0
"""Width in px up to which the finest band is that of single pixels; larger faces have coarser ones."""
SMALLEST = 40.0
"""Width in px of a face under which there is nothing to sharpen."""
LOWER, BLEND = 0.55, 0.35
"""From the eyes (0) down to the chin (1): where the lower face begins, and where it begins to be treated as such."""
ALLOWED = 1.15
"""How much sharper the upper face usually is, in films that nobody changed: 0.97 to 1.37, on average 1.11."""
MOST = 2.0
"""What a band of the lower face is raised by at most."""
GRAIN = 2.0
"""Deviations of the grain of the skin up to which a band counts as grain."""
OVERSHOOT = 2.0
"""Levels that a pixel may leave the range of its neighbours by: no halos."""
MEMORY = 0.04
"""Weight of a new frame in what is known of a face; a breath at 25 frames a second."""
EDGE = 0.04
"""Softness of the outline of a face, in widths of it."""
_DEVIATION = 1.4826  # of a normal distribution, per median of its absolute values


@dataclass(frozen=True)
class Patch:
    """A face cut out of a frame. box: even, in px of the frame. soft: (h, w) float32, 1 in the face, 0 at the edges of
    the box. depth: (h, w) float32, 0 at the eyes, 1 at the chin. width: of the face, px."""

    box: Box
    soft: np.ndarray
    depth: np.ndarray
    width: float

    @classmethod
    def of(cls, landmarks: np.ndarray, frame: Frame) -> Patch | None:
        """The patch round landmarks (468, 3) px; None where nothing of it, or too little, lies in the frame."""
        points = landmarks[:, :2]
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        width = float(x1 - x0)
        room = 3 * EDGE * width
        left, top = max(int(x0 - room), 0) & ~1, max(int(y0 - room), 0) & ~1
        right, bottom = min(int(x1 + room) + 1 & ~1, frame.width), min(int(y1 + room) + 1 & ~1, frame.height)
        if width < SMALLEST or right - left < SMALLEST or bottom - top < SMALLEST:
            return None
        seen = points - (left, top)
        soft = np.zeros((bottom - top, right - left), np.float32)
        cv2.fillConvexPoly(soft, cv2.convexHull(np.rint(seen[list(OVAL)]).astype(np.int32)), 1.0)
        soft = cv2.GaussianBlur(soft, (0, 0), EDGE * width)
        eyes = seen[list(EYES)].mean(axis=0)
        down = (seen[152] - eyes) / max(float(np.square(seen[152] - eyes).sum()), 1.0)
        across, along = np.arange(right - left, dtype=np.float32), np.arange(bottom - top, dtype=np.float32)
        depth = (across - eyes[0])[None] * down[0] + (along - eyes[1])[:, None] * down[1]
        return cls((left, top, right, bottom), soft, depth.astype(np.float32), width)


class Sharpener:
    """Called with every frame of a film in turn. amount: 0 changes nothing, 1 sharpens fully."""

    def __init__(self, amount: float) -> None:
        self._amount = amount
        self._known: dict[int, np.ndarray] = {}  # track -> energies of the bands of the upper and the lower face

    def __call__(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Sharpens the luma of ``faces`` in ``frame``; everything outside them stays bit-equal."""
        known = {}
        for face in faces:
            patch = Patch.of(face.landmarks, frame)
            if patch:
                known[face.track] = self._sharpen(frame.views(patch.box)[0], patch, self._known.get(face.track))
        self._known = known

    def _sharpen(self, luma: np.ndarray, patch: Patch, known: np.ndarray | None) -> np.ndarray:
        """Changes ``luma`` in place; what is known of the face from then on."""
        fine = max(1.0, patch.width / USUAL)
        bands = _bands(luma, fine)
        inside = patch.soft > 0.9
        upper, lower = inside & (patch.depth < BLEND), inside & (patch.depth > LOWER)
        if not upper.any() or not lower.any():
            return np.ones((2, 3)) if known is None else known
        energies = np.array([[float(np.square(band[place]).mean()) for band in bands] for place in (upper, lower)])
        known = energies if known is None else known + MEMORY * (energies - known)
        below = _smoothstep((patch.depth - BLEND) / (LOWER - BLEND))
        change = np.zeros_like(bands[0])
        for band, lift in zip(bands, lifts(known), strict=False):
            gain = (1 + self._amount * STRENGTH) * (1 + self._amount * (lift - 1) * below) - 1
            grains = [_grain(band[place]) for place in (upper, lower)]
            change += band * gain * _edges(band, grains[0] + (grains[1] - grains[0]) * below, fine)
        reach = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * round(fine) + 1,) * 2)
        lowest, highest = cv2.erode(luma, reach) - OVERSHOOT, cv2.dilate(luma, reach) + OVERSHOOT
        luma[:] = np.clip(np.rint(np.clip(luma + patch.soft * change, lowest, highest)), 0, 255)
        return known


def lifts(energies: np.ndarray) -> np.ndarray:
    """(2,) what the two finer bands of the lower face are raised by, 1 to ``MOST``, from the mean squares of all three
    (2, 3), upper face first."""
    steps = np.sqrt(energies[:, :-1] / np.maximum(energies[:, 1:], 1e-6))  # each band by the next coarser one
    lacking = np.maximum(steps[0] / np.maximum(steps[1], 1e-6) / ALLOWED, 1)
    return np.minimum(np.cumprod(lacking[::-1])[::-1], MOST)


def _bands(luma: np.ndarray, fine: float) -> list[np.ndarray]:
    """What is finer than ``fine``, 2 and 4 times that, in px: three times (h, w) float32, finest first."""
    blurred = [luma.astype(np.float32)]
    blurred += [cv2.GaussianBlur(blurred[0], (0, 0), fine * 2**step) for step in range(3)]
    return [finer - coarser for finer, coarser in pairwise(blurred)]


def _grain(values: np.ndarray) -> float:
    """Deviation of what is no edge."""
    return _DEVIATION * float(np.median(np.abs(values)))


def _edges(band: np.ndarray, grain: np.ndarray, fine: float) -> np.ndarray:
    """(h, w) 0 where a band holds but grain of the deviation ``grain`` (h, w), 1 where it holds an edge."""
    energy = cv2.GaussianBlur(np.square(band), (0, 0), 1.5 * fine)
    return np.square(energy) / (np.square(energy) + (GRAIN * grain) ** 4 + 1e-6)


def _smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
