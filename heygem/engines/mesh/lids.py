"""Closes the eyes of a photo: lids in the colours of the skin above come down over them, with lashes at their edge.

The tracker finds eyes to a few pixels only, so both edges are looked for again in the picture. There is no lid to be
seen in a picture of an open eye: it is filled from the skin between eye and brow (normalised convolution, Knutsson and
Westin 1993). What lies for a moment only needs no pores.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from heygem.engines.mesh.geometry import smoothstep
from heygem.faces.shape import LOWER_LIDS, UPPER_LIDS
from heygem.media.frame import Frame

BROW = ((226, 113, 225, 224, 223, 222, 221, 189, 244), (464, 413, 441, 442, 443, 444, 445, 342, 446))
"""Just under the brow."""
SHUT = 0.1
"""Opening of an eye, in eye widths, under which it is closed already."""
SKIN = 0.35
"""Least height of the skin between eye and brow, in openings: with less there is nothing to make a lid of."""
LIKE = (0.45, 1.4)
"""Least and most of a lid's red, green and blue in relation to the cheek's: beyond, what was found is no eye."""
AMISS = 0.6
"""Openings by which the tracker may be wrong about the upper lid; beyond, it did not see this eye."""
LASHES = 0.09
"""Half the thickness of the lashes, in openings."""
SHADE = 0.14
"""How much darker a lid is at its edges than in the middle, where it bulges to the light."""
_HEIGHTS = np.arange(-1.0, 1.001, 0.05)
"""Rows in which edges are looked for, in openings below the line that the tracker found."""


@dataclass(frozen=True)
class _Eye:
    """One eye in its box, ``corner`` x, y px.

    depth (h, w): px below the line through the corners of the eye; upper, lower (h, w): depth of the edges of the lids;
    lid (h, w, 3) float32 RGB: the skin; lash (3,) RGB; opening px.
    """

    corner: tuple[int, int]
    depth: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    lid: np.ndarray
    lash: np.ndarray
    opening: float


class Lids:
    """The eyelids of one photo. ``landmarks`` (468, 3) px of ``frame``."""

    def __init__(self, landmarks: np.ndarray, frame: Frame) -> None:
        eyes = [_eye(landmarks[:, :2].astype(np.float64), side, frame) for side in (0, 1)]
        self._eyes = [eye for eye in eyes if eye is not None] if all(eyes) else []

    @property
    def able(self) -> bool:
        """Whether there are two open eyes with skin enough to close them."""
        return bool(self._eyes)

    def close(self, frame: Frame, share: float) -> None:
        """Closes both eyes in place, 0 as they are, 1 shut."""
        for eye in self._eyes:
            _close(eye, frame, share)


def _eye(points: np.ndarray, side: int, frame: Frame) -> _Eye | None:
    upper, lower, brow = (points[list(line[side])] for line in (UPPER_LIDS, LOWER_LIDS, BROW))
    width = float(np.linalg.norm(upper[-1] - upper[0]))
    right = (upper[-1] - upper[0]) / max(width, 1e-6)
    down = np.array([-right[1], right[0]])
    opening = float(((lower - upper) @ down).max())
    if opening < max(SHUT * width, 2):
        return None
    outline = np.concatenate([upper, lower, brow])
    low = np.maximum(np.floor(outline.min(axis=0)), 0).astype(int) // 2 * 2
    high = np.ceil(outline.max(axis=0) + 0.8 * opening).astype(int) // 2 * 2
    high = np.minimum(high, (frame.width, frame.height))
    if (high - low).min() < 8:
        return None
    x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
    place = np.stack([x, y], axis=-1) - upper[0]
    along, depth = place @ right, place @ down
    edge, floor, roof = (np.interp(along, (p - upper[0]) @ right, (p - upper[0]) @ down) for p in (upper, lower, brow))
    picture = frame.rgb((int(low[0]), int(low[1]), int(high[0]), int(high[1])))
    middle = (along > 0.2 * width) & (along < 0.8 * width)
    inside = (along > 0) & (along < width)
    bulge = np.where(inside, np.sin(np.pi * np.clip(along / width, 0, 1)), 0) * opening
    luma = picture.mean(axis=2)
    amiss = _lid(luma[middle], (depth - edge)[middle] / opening)
    if abs(amiss) > AMISS:
        return None
    edge = edge + amiss * bulge
    floor = np.maximum(floor + _floor(luma[middle], (depth - floor)[middle] / opening) * bulge, edge)
    skin = (depth > roof) & (depth < edge - 2 * LASHES * opening) & inside
    if skin.sum() < SKIN * opening * width:
        return None
    skin &= luma >= np.percentile(luma[skin], 25)  # without the crease, lashes, hair
    lash = np.percentile(picture[(np.abs(depth - edge) < 2 * LASHES * opening) & inside], 10, axis=0)
    lid = _filled(picture, skin, 0.3 * opening)
    cheek = np.median(picture[(depth > floor + 0.2 * opening) & inside], axis=0)
    likeness = lid[(depth > edge) & (depth < floor)].mean(axis=0) / np.maximum(cheek, 1)
    if not (LIKE[0] < likeness).all() or not (likeness < LIKE[1]).all():
        return None
    return _Eye((int(low[0]), int(low[1])), depth, edge, floor, lid, lash, opening)


def _lid(luma: np.ndarray, height: np.ndarray) -> float:
    """Where the upper lid ends, in openings below the tracker's line: where the picture turns darkest downwards."""
    rows = _rows(luma, height)
    places = np.arange(4, len(rows) - 4)
    fall = np.array([rows[k - 4 : k].mean() - rows[k : k + 4].mean() for k in places]) / max(np.ptp(rows), 1.0)
    return float(_HEIGHTS[places[np.argmax(fall - 0.5 * _HEIGHTS[places] ** 2)]])


def _floor(luma: np.ndarray, height: np.ndarray) -> float:
    """Where the eye ends below, in openings below the tracker's line: where the picture becomes like the cheek."""
    rows = _rows(luma, height)
    unlike = np.abs(rows - rows[_HEIGHTS > 0.6].mean())
    here = np.flatnonzero((unlike > 0.35 * unlike.max()) & (_HEIGHTS < 0.35))
    return float(np.clip(_HEIGHTS[here.max(initial=0)], 0, 0.3))


def _rows(luma: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Mean of luma (n,) around each of ``_HEIGHTS``, of pixels at height (n,)."""
    edges = np.append(_HEIGHTS - 0.025, _HEIGHTS[-1] + 0.025)
    sums, counts = np.histogram(height, edges, weights=luma)[0], np.histogram(height, edges)[0]
    return np.interp(_HEIGHTS, _HEIGHTS[counts > 0], sums[counts > 0] / counts[counts > 0])


def _filled(picture: np.ndarray, known: np.ndarray, reach: float) -> np.ndarray:
    """(h, w, 3) float32: the colours of the ``known`` (h, w) pixels, spread smoothly over all."""
    weight = known.astype(np.float32)[..., None]
    stack = np.concatenate([picture * weight, weight], axis=2)
    near, far = (cv2.GaussianBlur(stack, (0, 0), sigma) for sigma in (reach, 4 * reach))
    total = near + 1e-3 * far
    return total[..., :3] / (total[..., 3:] + 1e-9)


def _close(eye: _Eye, frame: Frame, share: float) -> None:
    (x0, y0), (height, width) = eye.corner, eye.depth.shape
    picture = frame.rgb((x0, y0, x0 + width, y0 + height)).astype(np.float32)
    way = np.maximum(eye.lower - eye.upper, 0)
    edge, lashes = eye.upper + share * way, LASHES * eye.opening
    moved = smoothstep(share * way / (2 * lashes))  # nothing in the corners, where the lids meet
    above = smoothstep((eye.depth - eye.upper) / (4 * lashes) + 1.4)
    cover = (above * np.clip(edge - eye.depth + 0.5, 0, 1) * moved)[..., None]
    round_off = (
        1 - SHADE * np.cos(np.pi * np.clip((eye.depth - eye.upper) / np.maximum(edge - eye.upper, 1), 0, 1)) ** 2
    )
    picture += cover * (round_off[..., None] * eye.lid - picture)
    line = (np.exp(-(((eye.depth - edge) / lashes) ** 2)) * moved)[..., None]
    picture += 0.7 * line * (eye.lash - picture)
    frame.paste(x0, y0, np.clip(picture + 0.5, 0, 255).astype(np.uint8))
