"""Takes the shiver out of landmarks without delaying them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from heygem.faces.shape import Pose, align

SIGMA = 0.6 / 25
"""Width of the Gaussian in seconds: 0.6 frames at 25 frames a second."""
_PIECE, _MARGIN = 1024, 16


def smooth(landmarks: np.ndarray, fps: Fraction, reference: np.ndarray | None = None) -> np.ndarray:
    """Landmarks (n, 468, 3) px of one face followed without a gap, smoothed; float32.

    Zero-phase, in canonical space: the mouth and the head have noise of different size, so pose and shape are smoothed
    apart and put together again. ``reference`` (468, 3): the person's mean shape.
    """
    from scipy.ndimage import gaussian_filter1d  # a take of a known video does without

    sigma = float(SIGMA * fps)

    def calm(values: np.ndarray) -> np.ndarray:
        return gaussian_filter1d(values, sigma, axis=0, mode="nearest")

    shapes, pose = align(landmarks, reference)
    u, _, vt = np.linalg.svd(calm(pose.rotation))  # the mean of near rotations is almost one: the nearest is taken
    return Pose(calm(pose.scale), u @ vt, calm(pose.origin)).to_picture(calm(shapes)).astype(np.float32)


def pieces(length: int) -> Iterator[tuple[slice, slice, slice]]:
    """Cuts a long track into pieces that can be smoothed one by one without a seam, so that memory stays flat.

    Each is (outer, inner, kept): smooth ``outer`` of the track, take ``inner`` of the result, it belongs to ``kept``.
    """
    for start in range(0, length, _PIECE):
        low, end = max(start - _MARGIN, 0), min(start + _PIECE, length)
        yield slice(low, end + _MARGIN), slice(start - low, end - low), slice(start, end)
