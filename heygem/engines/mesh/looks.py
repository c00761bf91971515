"""How mouth pictures look, whatever the shape of the mouth: a few numbers made of the colours at points of the mesh."""

from __future__ import annotations

import cv2
import numpy as np

from heygem.engines.mesh.geometry import PASTES, falloff
from heygem.engines.mesh.person import Person
from heygem.faces.mouths import Mouths
from heygem.faces.shape import INNER_LOWER, INNER_UPPER

GRAIN = 0.04
"""Canonical size of the patch whose mean colour counts."""
HEIGHTS = (0.3, 0.7)
"""Where between the lips the inside is looked at."""
KEPT = 16
"""Principal components of the colours that are kept."""


def looks(mouths: Mouths, person: Person) -> tuple[np.ndarray, np.ndarray]:
    """(M, k) skin and lips, and (M, k) inside of the mouth, of M pictures, float32: the squared distance of two rows is
    the mean squared difference of their colours (0..1).

    The mean colour of the skin is taken out: rendering matches it anyway.
    """
    outside = np.setdiff1d(np.flatnonzero(falloff(person.closed, PASTES) > 0), INNER_UPPER + INNER_LOWER)
    colours = np.stack([_colours(mouths, k, person, outside) for k in range(len(mouths))])
    return _principal(colours[:, : len(outside)]), _principal(colours[:, len(outside) :])


def _colours(mouths: Mouths, k: int, person: Person, outside: np.ndarray) -> np.ndarray:
    """(P, 3) float32 RGB 0..1 of picture k at the points ``outside`` the mouth, then at points between the lips."""
    picture, frame = mouths.picture(k), int(mouths.frames[k])
    points = person.landmarks[frame, :, :2] - mouths.boxes[k][:2]
    upper, lower = points[list(INNER_UPPER[2:-2])], points[list(INNER_LOWER[2:-2])]
    points = np.concatenate([points[outside], *(upper + share * (lower - upper) for share in HEIGHTS)])
    grain = max(GRAIN * float(person.pose.scale[frame]), 1.0)
    sides = picture.width, picture.height
    size = np.maximum(np.round(np.array(sides) / grain), 1).astype(int)
    small = picture.small(size.tolist())
    x, y = np.ascontiguousarray(((points + 0.5) * (size / sides) - 0.5).T, np.float32)[:, None]
    found = cv2.remap(small, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0].astype(np.float32) / 255
    return found - found[: len(outside)].mean(axis=0)


def _principal(colours: np.ndarray) -> np.ndarray:
    """(M, k) the coordinates of colours (M, P, 3) along their principal directions."""
    flat = colours.reshape(len(colours), -1) / np.float32(np.sqrt(colours[0].size))
    flat = flat - flat.mean(axis=0)
    return flat @ np.linalg.eigh(flat.T @ flat)[1][:, -KEPT:]
