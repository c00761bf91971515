"""From what was heard to the shape of this person's mouth in every output frame."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from heygem.engines.mesh.person import Person
from heygem.faces.shape import INNER_LOWER, INNER_UPPER
from heygem.speech.motion import Motion, MouthBasis

CALM = 0.08
"""Seconds of standard deviation of the smoothing at smoothness 1."""


def smooth_rows(rows: np.ndarray, smoothness: float, fps: float) -> np.ndarray:
    """Zero-phase Gaussian over time of rows (T, K): calmer, never late."""
    sigma = CALM * smoothness * fps
    return gaussian_filter1d(rows, sigma, axis=0, mode="nearest") if sigma > 0.05 and len(rows) > 1 else rows


def target_offsets(motion: Motion, basis: MouthBasis, person: Person, strength: float) -> np.ndarray:
    """(T, K) rows relative to rest, as far as this person opens the mouth and the user wants it."""
    return (motion.rows - basis.rest) * (strength * person.amplitude)


def target_shapes(offsets: np.ndarray, basis: MouthBasis, person: Person) -> np.ndarray:
    """(T, 468, 3) canonical targets: the closed mouth moved by offset rows (T, K). Lips never pass each other."""
    shapes = person.closed + np.tensordot(offsets, basis.components, axes=1)
    upper, lower = list(INNER_UPPER), list(INNER_LOWER)
    crossing = np.maximum(shapes[:, upper, 1] - shapes[:, lower, 1], 0)
    shapes[:, upper, 1] -= crossing / 2
    shapes[:, lower, 1] += crossing / 2
    return shapes
