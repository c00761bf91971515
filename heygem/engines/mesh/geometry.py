"""What moves, what is pasted and how the mesh is cut around the mouth. Canonical units (see ``heygem.faces.shape``).

The engine's mesh has the 468 points of the face, then 22 points of the mouth's interior (they lie on the inner lips of
the target, but take their picture from wherever the teeth are), then one fixed point outside each point of the jaw
line, so that a moving jaw pulls the neck along softly instead of tearing at it.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from heygem.faces.shape import CHIN, INNER_LOWER, INNER_UPPER, LIPS, OVAL, mean_face, triangles

INTERIOR = INNER_UPPER + INNER_LOWER
FIRST_INTERIOR = 468
FIRST_RING = FIRST_INTERIOR + len(INTERIOR)
JAW = OVAL[9:28]
"""The jaw line from ear to ear, in order."""
RING = 1.22
"""Distance of the fixed ring from the centre of the face, in jaw lines; more below the chin, where the neck gives."""
RING_CHIN = 1.36

MOVES = (1.05, 0.62, 0.95)
"""Ellipse of what moves: half width, up, down from the centre of the mouth."""
PASTES = (0.85, 0.48, 0.62)
"""Ellipse of the pixels that come from the chosen mouth picture."""


def smoothstep(x: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, smooth in between."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def mouth_centre(shape: np.ndarray) -> np.ndarray:
    """(2,) centre of the lips of a shape (468, 3)."""
    return shape[list(LIPS), :2].mean(axis=0)


def falloff(shape: np.ndarray, ellipse: tuple[float, float, float], edge: float = 1 / 3) -> np.ndarray:
    """(468,) 1 inside the ellipse round the mouth of ``shape`` (468, 3), falling to 0 over its outer ``edge``."""
    half, up, down = ellipse
    offset = shape[:, :2] - mouth_centre(shape)
    radius = np.hypot(offset[:, 0] / half, offset[:, 1] / np.where(offset[:, 1] < 0, up, down))
    weight = smoothstep((1 - radius) / edge)
    weight[list(_nose())] = 0.0  # speech does not move it, and its folded underside cannot be bent
    return weight


def moving(shape: np.ndarray) -> np.ndarray:
    """(468,) how much each point follows the target: the ellipse, and the chin fully."""
    weight = falloff(shape, MOVES)
    weight[list(CHIN)] = 1.0
    return weight


def ring(points: np.ndarray) -> np.ndarray:
    """(N, 19, 2) fixed points outside the jaw line of points (N, 468, 2 or 3)."""
    jaw = points[:, JAW, :2]
    centre = points[:, OVAL, :2].mean(axis=1, keepdims=True)
    bottom = np.sin(np.linspace(0, np.pi, len(JAW)))[None, :, None] ** 2
    return centre + (jaw - centre) * (RING + (RING_CHIN - RING) * bottom)


@cache
def mesh_triangles() -> np.ndarray:
    """(V, 3) int: triangles of the ring, the interior, the lower face: in this order, so that touching lips hide the
    interior."""
    cheek = [tuple(t) for t in triangles().tolist() if any(v in _lower_face() for v in t)]
    n = len(INNER_UPPER)
    strip = []
    for k in range(n - 1):
        upper, lower = FIRST_INTERIOR + k, FIRST_INTERIOR + n + k
        strip += [(upper, upper + 1, lower), (upper + 1, lower + 1, lower)]
    outer = []
    for k in range(len(JAW) - 1):
        outside = FIRST_RING + k
        outer += [(JAW[k], JAW[k + 1], outside), (JAW[k + 1], outside + 1, outside)]
    return np.array(outer + strip + cheek)


@cache
def _nose() -> frozenset[int]:
    """Points of the nose: above its base (point 2) and between the outer rims of the nostrils, on the mean face."""
    face = mean_face()
    return frozenset(np.flatnonzero((face[:, 1] < face[2, 1] + 0.02) & (np.abs(face[:, 0]) < 0.32)).tolist())


@cache
def _lower_face() -> frozenset[int]:
    """Points that can move, on the mean face, with some reserve for other faces."""
    weight = falloff(mean_face(), tuple(1.15 * r for r in MOVES))  # pyright: ignore[reportArgumentType]
    return frozenset(np.flatnonzero(weight > 0).tolist()) | frozenset(CHIN)
