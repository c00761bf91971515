"""What the engine knows of a person: the closed mouth, the way of talking, every frame's shape and pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heygem.faces.avatar import Avatar
from heygem.faces.shape import (
    CHIN,
    INNER_LOWER,
    INNER_UPPER,
    LIPS,
    OUTER_LOWER,
    OUTER_UPPER,
    Pose,
    align,
    gap,
)
from heygem.speech.motion import MouthBasis

TALKS = 0.35
"""Standard deviation of the opening, in those of an average talker, from which a clip tells how the person talks."""


_MOST = 500
"""Frames, evenly spread, from which a person is learned."""
_CHUNK = 256
"""Frames whose pose is found at once: memory stays flat in the length of the video."""


@dataclass(frozen=True)
class Person:
    """landmarks (N, 468, 3) px and pose of every frame; closed (468, 3): the mouth at rest, lips touching; amplitude
    0.7 to 1.3: how far this mouth opens when it talks, 1 for an average talker."""

    landmarks: np.ndarray
    pose: Pose
    closed: np.ndarray
    amplitude: float

    def shapes(self, frames: np.ndarray | list[int]) -> np.ndarray:
        """(n, 468, 3) canonical shapes of some frames."""
        return self.pose[np.asarray(frames)].to_canonical(self.landmarks[frames])


def study(avatar: Avatar, basis: MouthBasis) -> Person:
    """Learns a person from the frames with a usable face."""
    usable = np.flatnonzero(avatar.weight > min(0.5, float(avatar.weight.max()) / 2))
    sample = usable[:: max(len(usable) // _MOST, 1)]
    rough, _ = align(avatar.landmarks[sample])
    own_face = rough.mean(axis=0)  # as reference it gives a steadier pose than the mean of all people
    chunks = range(0, len(avatar.landmarks), _CHUNK)
    poses = [align(avatar.landmarks[start : start + _CHUNK], own_face)[1] for start in chunks]
    pose = Pose(*(np.concatenate([getattr(part, name) for part in poses]) for name in ("scale", "rotation", "origin")))
    seen = pose[sample].to_canonical(avatar.landmarks[sample])
    opening = gap(seen)
    closed = close_lips(seen[opening <= np.quantile(opening, 0.1)].mean(axis=0))
    return Person(avatar.landmarks, pose, closed, _amplitude(seen - closed, basis))


def close_lips(shape: np.ndarray) -> np.ndarray:
    """(468, 3) the same face with touching lips: both lips give way, the lower one and its chin more.

    A person who smiles through the whole clip has no closed mouth to copy; the target is absolute all the same.
    """
    closed = shape.copy()
    for inner_up, inner_low, outer_up, outer_low in zip(
        INNER_UPPER, INNER_LOWER, OUTER_UPPER, OUTER_LOWER, strict=True
    ):
        opening = max(shape[inner_low, 1] - shape[inner_up, 1], 0.0)
        closed[inner_up, 1] += 0.35 * opening
        closed[inner_low, 1] = closed[inner_up, 1]
        closed[outer_up, 1] += 0.25 * opening * (outer_up not in (61, 291))
        closed[outer_low, 1] -= 0.5 * opening * (outer_low not in (61, 291))
    _carry_between(shape, closed)
    closed[list(CHIN), 1] -= 0.35 * max(float(gap(shape)), 0.0)
    return closed


def _carry_between(shape: np.ndarray, closed: np.ndarray) -> None:
    """Moves every other point near the mouth with the nearest lip points, fading with distance."""
    lips = list(LIPS)
    moved = closed[lips] - shape[lips]
    distance = np.linalg.norm(shape[:, None, :2] - shape[None, lips, :2], axis=2)
    weight = np.exp(-((distance / 0.12) ** 2)) + 1e-12
    carried = (
        (weight @ moved) / weight.sum(axis=1, keepdims=True) * np.exp(-((distance.min(axis=1) / 0.3) ** 2))[:, None]
    )
    others = np.setdiff1d(np.arange(len(shape)), lips)
    closed[others] += carried[others]


def _amplitude(offsets: np.ndarray, basis: MouthBasis) -> float:
    """How wide this person talks compared with an average talker; 1 for a still or a silent clip."""
    rows = basis.rows_of(offsets)
    spread = float(rows[:, 0].std())
    return float(np.clip(spread, 0.7, 1.3)) if spread > TALKS and len(offsets) >= 25 else 1.0
