"""Faces with known lips: the mean face under a moving head."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from heygem.faces.shape import INNER_LOWER, LIPS, OUTER_LOWER, Pose, mean_face

LOWER = [point for point in dict.fromkeys(INNER_LOWER + OUTER_LOWER) if point not in (78, 308, 61, 291)]


def shapes(openings: np.ndarray) -> np.ndarray:
    """(N, 468, 3) canonical: the mean face whose lower lip has sunk by ``openings`` (N,)."""
    found = np.repeat(mean_face()[None].astype(np.float64), len(openings), axis=0)
    found[:, LOWER, 1] += openings[:, None]
    return found


def head(count: int, seed: int = 0) -> Pose:
    """A head that turns and sways a little, 100 px between the eyes, in a picture of 640x640."""
    angles = 6 * np.sin(np.arange(count)[:, None] / (7, 11, 13) + seed)
    turns = Rotation.from_euler("yxz", angles, degrees=True).as_matrix()
    origin = np.array([320.0, 260.0, 0.0]) + 5 * np.sin(np.arange(count)[:, None] / (9, 8, 7))
    return Pose(100 + 3 * np.sin(np.arange(count) / 15), turns, origin)


def shifted(found: np.ndarray, by: float) -> np.ndarray:
    """Shapes (N, 468, 3) with all lips moved sideways, canonical."""
    moved = found.copy()
    moved[:, list(LIPS), 0] += by
    return moved
