"""Which square of a frame a network sees: where the face is, to fractions of a pixel, turned upright if askew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from heygem.media.frame import Box

COMPOSED = 120
"""Bytes for each pixel of a crop: thirty values in single precision."""
_CHUNK = 256  # frames whose landmarks are in memory at once


@dataclass(frozen=True)
class Crops:
    """maps (N, 2, 3) float64: from the unit square that a network sees to the pixels of each source frame.

    Both are continuous: the first pixel reaches from 0 to 1, the square from (0, 0) to (1, 1). side: how many pixels
    wide and high the network sees it.
    """

    maps: np.ndarray
    side: int

    @classmethod
    def of(
        cls, landmarks: np.ndarray, box_of: Callable[[np.ndarray], np.ndarray], side: int, turn: bool = True
    ) -> Crops:
        """Crops of faces ``landmarks`` (N, 468, 3) px, which may be mapped from a file.

        box_of: points of upright faces (n, 468, 2) px -> their boxes (n, 4) px: x0, y0, x1, y1. turn: a face that is
        held askew is turned upright; else squares keep the direction of the picture.
        """
        parts = [_maps(landmarks[k : k + _CHUNK], box_of, turn) for k in range(0, len(landmarks), _CHUNK)]
        return cls(np.concatenate(parts), side)

    def into(self, n: int, points: np.ndarray) -> np.ndarray:
        """Points (P, 2) px of frame ``n`` in its square, 0..1."""
        return np.linalg.solve(self.maps[n, :, :2], (points - self.maps[n, :, 2]).T).T

    def boxes(self) -> np.ndarray:
        """(N, 4) px: x0, y0, x1, y1 round the turned squares."""
        corners = np.einsum("nij,cj->nci", self.maps[:, :, :2], [(0, 0), (1, 0), (0, 1), (1, 1)])
        corners += self.maps[:, None, :, 2]
        return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)

    def shrink(self, shown: np.ndarray) -> float:
        """How many pixels of a frame one of the network covers, in the middle of the frames ``shown`` (S,)."""
        areas = np.abs(np.linalg.det(self.maps[shown, :, :2]))
        return float(np.sqrt(np.median(areas))) / self.side

    def bytes(self, shown: np.ndarray) -> int:
        """Of memory that a frame of ``shown`` (S,) takes while its picture is composed, about."""
        return int(COMPOSED * (self.shrink(shown) * self.side) ** 2)


@dataclass(frozen=True)
class Patches:
    """The parts of the frames that are worked on: one size for a whole take, so that they fit into one batch.

    origins (N, 2) int px, even: upper left corners in the source frames; size: width and height px, even.
    """

    origins: np.ndarray
    size: tuple[int, int]

    @classmethod
    def round(cls, crops: Crops, shown: np.ndarray, frame: tuple[int, int]) -> Patches:
        """Patches that hold the crops of the frames ``shown`` (S,), in frames of (width, height) px."""
        boxes = crops.boxes()
        low = np.floor(boxes[:, :2] / 2).astype(np.int64) * 2
        high = np.ceil(boxes[:, 2:] / 2).astype(np.int64) * 2
        most = (high - low)[shown].max(axis=0)
        width, height = (min(int(size), edge & ~1) for size, edge in zip(most, frame, strict=True))
        return cls(np.clip(low, 0, [frame[0] - width, frame[1] - height]) & ~1, (width, height))

    def box(self, n: int) -> Box:
        """Where the patch of source frame ``n`` lies: x0, y0, x1, y1 px."""
        x, y = self.origins[n].tolist()
        return x, y, x + self.size[0], y + self.size[1]

    def maps(self, crops: Crops, numbers: np.ndarray) -> np.ndarray:
        """(n, 2, 3): from the square to the unit square of the patch, of the frames ``numbers`` (n,)."""
        maps = crops.maps[numbers].copy()
        maps[:, :, 2] -= self.origins[numbers]
        return maps / np.asarray(self.size)[:, None]


def _maps(landmarks: np.ndarray, box_of: Callable[[np.ndarray], np.ndarray], turn: bool) -> np.ndarray:
    points = landmarks[..., :2].astype(np.float64)
    roll = _roll(points) if turn else np.zeros(len(points))
    cos, sin = np.cos(roll), np.sin(roll)
    rotation = np.stack([np.stack([cos, -sin], axis=1), np.stack([sin, cos], axis=1)], axis=1)
    pivot = points.mean(axis=1)
    boxes = box_of((points - pivot[:, None]) @ rotation + pivot[:, None])
    size, corner = boxes[:, 2:] - boxes[:, :2], boxes[:, :2] - pivot
    return np.concatenate([rotation * size[:, None], (rotation @ corner[:, :, None]) + pivot[:, :, None]], axis=2)


def _roll(points: np.ndarray) -> np.ndarray:
    """(N,) radians by which faces (N, 468, 2) are turned clockwise in the picture, by the outer corners of the eyes."""
    across = points[:, 263] - points[:, 33]
    return np.arctan2(across[:, 1], across[:, 0])
