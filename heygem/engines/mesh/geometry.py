"""What moves, what is pasted and how the mesh is cut around the mouth. Canonical units (see ``heygem.faces.shape``).

Two meshes share the 468 points of the face. The one that moves the frame's own face has one fixed point more outside
each point of the jaw line, so that a moving jaw pulls the neck along softly instead of tearing at it. The one that lays
a mouth picture over it has four lines of points across the mouth instead, between which the picture's inside is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np

from heygem.faces.shape import (
    CHIN,
    INNER_LOWER,
    INNER_UPPER,
    LIPS,
    LOWER_LIDS,
    MOUTH,
    OVAL,
    UPPER_LIDS,
    mean_face,
    triangles,
)

POINTS = 468
COLUMNS = len(INNER_UPPER)
LINES = 4
"""Lines of the inside of the mouth: upper lip, end of the upper teeth, beginning of the lower ones, lower lip."""
JAW = OVAL[9:28]
"""The jaw line from ear to ear, in order."""
RING = 1.22
"""Distance of the fixed ring from the centre of the face, in jaw lines; more below the chin, where the neck gives."""
RING_CHIN = 1.36

MOVES = {"jaw": (1.05, 0.62, 0.95), "mouth": (0.85, 0.50, 0.90)}
"""Ellipse of what moves, by region: half width, up, down from the centre of the mouth."""
STIFF = 12.0
"""How much stiffer than a cheek the skin below the lips is: the chin bone carries it."""
PASTES = (0.85, 0.48, 0.62)
"""Ellipse of the pixels that come from the chosen mouth picture, where the jaw moves as well."""


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


def carrier(shape: np.ndarray, region: str = "jaw", leaders: Sequence[int] | np.ndarray = MOUTH) -> np.ndarray:
    """(468, P) shares with which each point of the face follows displacements of P points, by default those of MOUTH.

    Lips and chin lead, what lies outside the ellipse and the ring round the jaw stay, all between is stretched like a
    membrane: the mesh's Laplace equation with positive weights, whose solutions never overshoot. In the region "mouth"
    the lips lead alone, and chin and jaw line stay.
    """
    edges = np.unique(np.sort(frame_triangles()[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)), axis=0)
    flat = np.concatenate([shape[:, :2], ring(shape[None])[0]])
    tension = 1 / np.maximum(np.linalg.norm(flat[edges[:, 0]] - flat[edges[:, 1]], axis=1), 0.01)
    middle = flat[edges].mean(axis=1) - mouth_centre(shape)
    tension *= 1 + STIFF * np.exp(-((middle[:, 0] / 0.22) ** 2)) * (middle[:, 1] > 0)
    laplace = np.zeros((len(flat), len(flat)))
    for a, b in (edges.T, edges.T[::-1]):
        np.add.at(laplace, (a, b), -tension)
        np.add.at(laplace, (a, a), tension)
    leads = np.eye(len(leaders))
    free = np.zeros(len(flat), bool)
    free[:POINTS] = falloff(shape, MOVES[region]) > 0
    free[list(leaders)] = False
    if region == "mouth":
        leads[np.isin(leaders, CHIN)] = 0
        free[list(JAW)] = False
    shares = np.zeros((POINTS, len(leaders)))
    shares[list(leaders)] = leads
    inside = free[:POINTS]
    shares[inside] = np.linalg.solve(laplace[free][:, free], -laplace[free][:, list(leaders)] @ leads)
    return shares


def pasted(shape: np.ndarray) -> np.ndarray:
    """(468,) how much each point shows the mouth picture: the ellipse, but not the jaw line, whose border is the
    frame's own."""
    weight = falloff(shape, PASTES)
    weight[list(JAW)] = 0.0
    return weight


def ring(points: np.ndarray) -> np.ndarray:
    """(N, 19, 2) fixed points outside the jaw line of points (N, 468, 2 or 3)."""
    jaw = points[:, JAW, :2]
    centre = points[:, OVAL, :2].mean(axis=1, keepdims=True)
    bottom = np.sin(np.linspace(0, np.pi, len(JAW)))[None, :, None] ** 2
    return centre + (jaw - centre) * (RING + (RING_CHIN - RING) * bottom)


@cache
def frame_triangles(eyes: bool = False) -> np.ndarray:
    """(M, 3) int, 468 points of the face and 19 of the ring: the ring, the inside of the mouth, the lower face; with
    ``eyes`` all of the face, the openings of the eyes as well."""
    outer = []
    for k in range(len(JAW) - 1):
        outside = POINTS + k
        outer += [(JAW[k], outside, JAW[k + 1]), (JAW[k + 1], outside, outside + 1)]
    inside = _strip(INNER_UPPER, INNER_LOWER)
    if eyes:
        inside += [t for lids in zip(UPPER_LIDS, LOWER_LIDS, strict=True) for t in _strip(*lids)]
    return np.array(outer + inside + _face_triangles(frozenset(range(POINTS)) if eyes else _lower_face()))


@cache
def mouth_triangles() -> np.ndarray:
    """(M, 3) int, 468 points of the face and 4 x 11 of the inside: inside, lower face, so that touching lips hide the
    inside."""
    lines = np.arange(POINTS, POINTS + LINES * COLUMNS).reshape(LINES, COLUMNS).tolist()
    inside = [t for above, below in pairwise(lines) for t in _strip(above, below)]
    return np.array(inside + _face_triangles(_lower_face()))


def _strip(upper: Sequence[int], lower: Sequence[int]) -> list[tuple[int, ...]]:
    """Triangles between two lines of points."""
    triangles = []
    for k in range(len(upper) - 1):
        triangles += [(upper[k], upper[k + 1], lower[k]), (upper[k + 1], lower[k + 1], lower[k])]
    return triangles


def _face_triangles(points: frozenset[int]) -> list[tuple[int, ...]]:
    """Triangles of the face that touch ``points``, clockwise on a face seen from the front."""
    chosen = np.array([t for t in triangles().tolist() if any(v in points for v in t)])
    wrong = ~facing(1000 * mean_face()[:, :2], chosen)
    chosen[wrong] = chosen[wrong][:, [0, 2, 1]]
    return [tuple(t) for t in chosen.tolist()]


@cache
def _nose() -> frozenset[int]:
    """Points of the nose: above its base (point 2) and between the outer rims of the nostrils, on the mean face."""
    face = mean_face()
    return frozenset(np.flatnonzero((face[:, 1] < face[2, 1] + 0.02) & (np.abs(face[:, 0]) < 0.32)).tolist())


@cache
def _lower_face() -> frozenset[int]:
    """Points that can move, on the mean face, with some reserve for other faces."""
    weight = falloff(mean_face(), tuple(1.15 * r for r in MOVES["jaw"]))  # pyright: ignore[reportArgumentType]
    return frozenset(np.flatnonzero(weight > 0).tolist()) | frozenset(CHIN)


def facing(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(M,) bool: which triangles (M, 3) of points (V, 2) px show their outer side, seen from the front of a face."""
    return areas(points[triangles]) > -0.25


def areas(corners: np.ndarray) -> np.ndarray:
    """(M,) signed area, twice, of triangles (M, 3, 2)."""
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
