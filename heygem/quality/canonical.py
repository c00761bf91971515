"""The lower face cut out of pictures with pose and size removed, and the region of it that a ruler expects to change.

The region is told by landmarks alone, never by the difference of two pictures: the face below the eyes, grown.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from heygem.faces.shape import LIPS, OVAL, Pose, eye_centres

JAW = OVAL[7:30]
"""The jaw line from temple to temple, in order: it begins and ends at the height of the eyes."""
GROW = 1.4
"""How far the region reaches, in distances of the jaw line from the centre of the face: the neck gives a little."""
MARGIN = 0.1
"""How much further, in inter-ocular distances: on the far side of a turned head the jaw line is near the centre."""
FINEST = 160
"""Pixels per inter-ocular distance that a cut-out has at most."""
BOX = (-1.3, -0.8, 1.3, 1.3)
"""x0, y0, x1, y1 of a cut-out from the centre of the mouth, canonical."""


def outline(points: np.ndarray) -> np.ndarray:
    """(K, 2) convex outline of the region of one face (468, 3), in the units of the points."""
    left, right = eye_centres(points)
    centre = points[list(OVAL), :2].mean(axis=0)
    jaw = points[list(JAW), :2] - centre
    further = MARGIN * np.linalg.norm(right - left) / np.linalg.norm(jaw, axis=1, keepdims=True)
    grown = centre + jaw * (GROW + further)
    return cv2.convexHull(grown.astype(np.float32))[:, 0]


def outside(landmarks: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(height, width) bool: pixels of a picture of ``size`` (width, height) that lie outside the region of a face
    (468, 3) px. Whole 2x2 blocks, as chroma has."""
    width, height = size
    inside = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(inside, np.round(outline(landmarks)).astype(np.int32), 1)
    blocks = inside.reshape(height // 2, 2, width // 2, 2).max(axis=(1, 3))
    return blocks.repeat(2, axis=0).repeat(2, axis=1) == 0


@dataclass(frozen=True)
class Cutter:
    """Cuts the lower face of one person out of their frames: ``fineness`` px per inter-ocular distance, ``BOX`` round
    ``mouth`` (3,), the centre of the lips of the canonical mean ``shape`` (468, 3)."""

    shape: np.ndarray
    pose: Pose
    fineness: float

    @classmethod
    def of(cls, shape: np.ndarray, pose: Pose) -> Cutter:
        return cls(shape, pose, min(FINEST, float(np.median(pose.scale))))

    @property
    def mouth(self) -> np.ndarray:
        return self.shape[list(LIPS)].mean(axis=0)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of a cut-out."""
        return round((BOX[2] - BOX[0]) * self.fineness), round((BOX[3] - BOX[1]) * self.fineness)

    def cut(self, luma: np.ndarray, number: int) -> np.ndarray:
        """(height, width) uint8 of the picture's luma (h, w) with pose ``number``; the plane of the lips is flat."""
        turn = self.pose.scale[number] * self.pose.rotation[number]
        corner = self.mouth + np.array([*BOX[:2], 0])
        matrix = np.column_stack([turn[:2, :2] / self.fineness, turn[:2] @ corner + self.pose.origin[number, :2]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(luma, matrix, self.size, flags=flags, borderMode=cv2.BORDER_REPLICATE)

    def places(self) -> np.ndarray:
        """(height, width, 2) canonical place of every pixel of a cut-out, from the centre of the mouth."""
        width, height = self.size
        x, y = np.arange(width) / self.fineness + BOX[0], np.arange(height) / self.fineness + BOX[1]
        return np.stack(np.meshgrid(x, y), axis=2)

    def radius(self) -> np.ndarray:
        """(height, width) how far out a pixel lies: 0 in the centre of the mouth, 1 on the outline of the region."""
        line = outline(self.shape) - self.mouth[:2]
        edges = np.roll(line, -1, axis=0) - line
        normals = np.stack([edges[:, 1], -edges[:, 0]], axis=1)
        reach = (normals * line).sum(axis=1)  # a convex outline is where the largest of these is 1
        return (self.places() @ (normals / reach[:, None]).T).max(axis=2)
