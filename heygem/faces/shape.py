"""Canonical space: the shape of a face with head pose and size removed, and the topology of the 468-point mesh.

Canonical units: inter-ocular distance 1, origin between the eyes, x to the right of the picture, y down, z away from
the camera (as MediaPipe's landmarks). A point of the picture is ``scale * rotation @ shape + origin``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

ASSET = Path(__file__).parent.parent / "assets" / "face_mesh.npz"

EYES = (33, 133, 362, 263)
"""Outer and inner corner of the eye on the left of the picture, inner and outer corner of the other one."""
UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
"""Edge of the upper lid from the left of the picture to the right: eye on the left, eye on the right."""
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
LIPS = tuple(dict.fromkeys(OUTER_UPPER + OUTER_LOWER + INNER_UPPER + INNER_LOWER))
CHIN = (152, 148, 176, 149, 150, 377, 400, 378, 379)
MOUTH = LIPS + CHIN
"""The 49 points whose motion is speech: 40 of the lips, 9 of the chin."""
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""The face oval, in order round the face."""
STABLE = (
    *(33, 133, 362, 263, 7, 163, 249, 390, 173, 398),  # eyes
    *(168, 6, 197, 195, 8, 9, 122, 351, 193, 417),  # bridge of the nose
    *(10, 151, 67, 297, 109, 338, 103, 332),  # forehead
    *(21, 251, 54, 284, 127, 356, 162, 389),  # temples
)
"""Points that speech does not move: they carry the pose."""


@dataclass(frozen=True)
class Pose:
    """Head pose of N frames: scale (N,) px for one inter-ocular distance, rotation (N, 3, 3), origin (N, 3) px."""

    scale: np.ndarray
    rotation: np.ndarray
    origin: np.ndarray

    def to_picture(self, shapes: np.ndarray) -> np.ndarray:
        """Canonical (N, V, 3) -> picture (N, V, 3) px."""
        turned = np.einsum("nij,nvj->nvi", self.rotation, shapes)
        return self.scale[:, None, None] * turned + self.origin[:, None]

    def to_canonical(self, points: np.ndarray) -> np.ndarray:
        """Picture (N, V, 3) px -> canonical (N, V, 3)."""
        centred = (points - self.origin[:, None]) / self.scale[:, None, None]
        return np.einsum("nji,nvj->nvi", self.rotation, centred)

    @property
    def yaw(self) -> np.ndarray:
        """(N,) turn of the head to the side in degrees; positive when the nose points to the right of the picture."""
        forward = -self.rotation[:, :, 2]  # where the nose points: away from +z
        return np.degrees(np.arctan2(forward[:, 0], -forward[:, 2]))

    def __getitem__(self, rows: np.ndarray | slice) -> Pose:
        return Pose(self.scale[rows], self.rotation[rows], self.origin[rows])


@cache
def _asset() -> dict[str, np.ndarray]:
    with np.load(ASSET) as stored:
        return dict(stored)


def triangles() -> np.ndarray:
    """(854, 3) int16: the triangles of the mesh. The opening between the inner lips is a hole in it."""
    return _asset()["triangles"]


def mean_face() -> np.ndarray:
    """(468, 3) float32: a symmetric mean face in canonical units."""
    return _asset()["mean"]


def eye_centres(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres of the eyes, each (..., 3), of landmarks (..., 468, 3): left of the picture first."""
    return shapes[..., EYES[:2], :].mean(axis=-2), shapes[..., EYES[2:], :].mean(axis=-2)


def eye_normalise(shape: np.ndarray) -> np.ndarray:
    """(468, 3) moved and scaled so that the origin lies between the eyes and their distance is 1. No rotation."""
    left, right = eye_centres(shape)
    return (shape - (left + right) / 2) / np.linalg.norm(right - left)


def align(landmarks: np.ndarray, reference: np.ndarray | None = None) -> tuple[np.ndarray, Pose]:
    """Removes pose and size from landmarks (N, 468, 3) in px.

    Fits a 3-D similarity (Umeyama 1991) from ``reference`` (468, 3), by default the mean face, to the STABLE points of
    every frame. A person's own mean shape as reference gives a steadier pose.

    Returns the canonical shapes (N, 468, 3) float64 and the pose.
    """
    model = (mean_face() if reference is None else reference)[list(STABLE)].astype(np.float64)
    seen = landmarks[:, STABLE].astype(np.float64)
    model_mean, seen_mean = model.mean(axis=0), seen.mean(axis=1)
    model_centred, seen_centred = model - model_mean, seen - seen_mean[:, None]
    u, d, vt = np.linalg.svd(np.einsum("nvi,vj->nij", seen_centred, model_centred))
    flip = np.ones_like(d)
    flip[:, 2] = np.sign(np.linalg.det(u @ vt))  # a rotation, never a mirror image
    rotation = (u * flip[:, None]) @ vt
    scale = (d * flip).sum(axis=1) / (model_centred**2).sum()
    origin = seen_mean - scale[:, None] * (rotation @ model_mean)
    pose = Pose(scale, rotation, origin)
    return pose.to_canonical(landmarks.astype(np.float64)), pose


def gap(shapes: np.ndarray) -> np.ndarray:
    """Opening of the lips, (...,) canonical units, of shapes (..., 468, 3): 0 closed, about 0.1 to 0.25 in speech."""
    return shapes[..., 14, 1] - shapes[..., 13, 1]


def width(shapes: np.ndarray) -> np.ndarray:
    """Width of the mouth from corner to corner, (...,) canonical units, of shapes (..., 468, 3)."""
    return shapes[..., 291, 0] - shapes[..., 61, 0]
