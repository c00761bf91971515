"""Moves the head of a photo a little: the frame is bent by a smooth field that is rigid in the head and nothing beyond.

The field works on the finished frame, so the mouth follows the head exactly. Depth comes from a plain bulge, not from
the landmarks: at one degree nobody sees the difference, and a smooth field bends no straight line visibly.
"""

from __future__ import annotations

import cv2
import numpy as np

from heygem.engines.mesh.geometry import smoothstep
from heygem.faces.avatar import Avatar
from heygem.faces.shape import align
from heygem.media.frame import Frame

CENTRE = np.array([0.0, 0.35])
"""Middle of the head, canonical."""
HEAD = (1.45, 1.75)
"""Half width and height of what moves as a whole: the head with its hair, canonical."""
FADES = 1.9
"""In heads: where nothing moves any more."""
NECK = 2.4
"""y of the point that the head rolls round, canonical."""
BULGE, AXIS = 0.9, 0.3
"""How far the nose lies before the outline of the head, and the outline before the axis of turning; canonical."""
BORDER = 0.5
"""Distance from the edge of the picture, canonical, over which the movement fades."""


class Sway:
    """The head of one photo. Turns are in radians, positive yaw to the right of the picture, positive pitch down."""

    def __init__(self, avatar: Avatar) -> None:
        _, pose = align(avatar.landmarks[:1])
        self._scale = float(pose.scale[0])
        across = pose.rotation[0, :2, 0] / np.linalg.norm(pose.rotation[0, :2, 0])
        self._axes = np.array([across, (-across[1], across[0])])  # rows: right and down of the head, in the picture
        reach = FADES * max(HEAD) * self._scale
        middle = pose.origin[0, :2] + self._scale * CENTRE @ self._axes
        low = np.maximum(middle - reach, 0).astype(int) // 2 * 2
        high = np.minimum((middle + reach).astype(int) // 2 * 2, (avatar.width, avatar.height))
        self._box = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
        step = max(self._scale / 16, 2.0)
        size = np.maximum(np.ceil((high - low) / step), 2).astype(int)
        x, y = (start + (np.arange(n) + 0.5) * (end - start) / n for start, end, n in zip(low, high, size, strict=True))
        grid = np.stack(np.meshgrid(x, y), axis=-1)
        place = (grid - pose.origin[0, :2]) @ self._axes.T / self._scale
        edge = np.minimum(grid, (avatar.width, avatar.height) - grid).min(axis=-1) / (BORDER * self._scale)
        self._fields = _fields(place) * smoothstep(edge)[..., None]

    def move(self, frame: Frame, turn: np.ndarray, lift: float) -> None:
        """Turns the head in place: turn (3,) yaw, pitch and roll; lift: downwards, canonical."""
        yaw, pitch, roll = turn
        deep, rigid, up, aside = np.moveaxis(self._fields, -1, 0)
        right, down = yaw * deep + roll * up, pitch * deep + roll * aside + lift * rigid
        shift = -self._scale * (right[..., None] * self._axes[0] + down[..., None] * self._axes[1])
        box = np.array(self._box)
        for plane, part in zip(frame.planes(), (1, 2, 2), strict=True):
            _bend(plane, box // part, (shift / part).astype(np.float32))


def _fields(place: np.ndarray) -> np.ndarray:
    """(h, w, 4) what moves each place (h, w, 2), canonical: yaw and pitch; a shift; roll, to the right and down."""
    x, y = np.moveaxis(place, -1, 0)
    radius = np.hypot(x / HEAD[0], (y - CENTRE[1]) / HEAD[1])
    held = smoothstep((FADES - radius) / (FADES - 1))
    deep = AXIS + BULGE * np.clip(1 - radius**2, 0, 1) ** 2
    return np.stack([held * deep, held, held * (NECK - y), held * x], axis=-1)


def _bend(plane: np.ndarray, box: np.ndarray, shift: np.ndarray) -> None:
    """Changes ``plane`` in ``box``; shift (h, w, 2) px, coarse: from each pixel to where its value comes from."""
    x0, y0, x1, y1 = box
    fine = cv2.resize(shift, (int(x1 - x0), int(y1 - y0)), interpolation=cv2.INTER_LINEAR)
    fine[..., 0] += np.arange(x0, x1, dtype=np.float32)
    fine[..., 1] += np.arange(y0, y1, dtype=np.float32)[:, None]
    plane[y0:y1, x0:x1] = cv2.remap(plane, fine, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)  # pyright: ignore[reportCallIssue, reportArgumentType]
