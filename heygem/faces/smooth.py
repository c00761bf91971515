"""Takes the shiver out of landmarks without delaying them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy.ndimage import gaussian_filter1d

from heygem.faces.shape import Pose, align

SIGMA = 0.6 / 25
"""Width of the Gaussian in seconds: 0.6 frames at 25 frames a second."""
_CHUNK, _MARGIN = 1024, 16


def smooth(landmarks: np.ndarray, fps: Fraction, reference: np.ndarray | None = None) -> np.ndarray:
    """Landmarks (n, 468, 3) px of one face followed without a gap, smoothed; float32.

    Zero-phase, in canonical space: the mouth and the head have noise of different size, so pose and shape are smoothed
    apart and put together again. ``reference`` (468, 3): the person's mean shape. Works in pieces: memory stays flat.
    """
    sigma = float(SIGMA * fps)
    result = np.empty(landmarks.shape, np.float32)
    for start in range(0, len(landmarks), _CHUNK):
        low = max(start - _MARGIN, 0)
        part = np.asarray(landmarks[low : start + _CHUNK + _MARGIN])
        kept = slice(start - low, start - low + _CHUNK)
        result[start : start + _CHUNK] = _smooth(part, sigma, reference)[kept]
    return result


def _smooth(landmarks: np.ndarray, sigma: float, reference: np.ndarray | None) -> np.ndarray:
    shapes, pose = align(landmarks, reference)

    def calm(values: np.ndarray) -> np.ndarray:
        return gaussian_filter1d(values, sigma, axis=0, mode="nearest")

    u, _, vt = np.linalg.svd(calm(pose.rotation))  # the mean of near rotations is almost one: the nearest is taken
    return Pose(calm(pose.scale), u @ vt, calm(pose.origin)).to_picture(calm(shapes))
