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
    MOUTH,
    OUTER_LOWER,
    OUTER_UPPER,
    Pose,
    align,
    gap,
)
from heygem.speech.motion import MouthBasis

TALKS = 0.35
"""Standard deviation of the opening, in those of an average talker, from which a clip tells how the person talks."""


@dataclass(frozen=True)
class Person:
    """closed (468, 3): the mouth at rest, lips touching; shapes (N, 468, 3) and pose of every frame; amplitude 0.7 to
    1.3: how far this mouth opens when it talks, 1 for an average talker."""

    closed: np.ndarray
    shapes: np.ndarray
    pose: Pose
    amplitude: float


def study(avatar: Avatar, basis: MouthBasis) -> Person:
    """Learns a person from the frames with a usable face."""
    usable = avatar.weight > 0.5 if (avatar.weight > 0.5).any() else avatar.weight > 0
    shapes, _ = align(avatar.landmarks)
    shapes, pose = align(avatar.landmarks, shapes[usable].mean(axis=0))  # the person's own face: a steadier pose
    seen = shapes[usable]
    opening = gap(seen)
    calm = seen[opening <= np.quantile(opening, 0.1)].mean(axis=0)
    closed = close_lips(calm)
    return Person(closed, shapes, pose, _amplitude(seen - closed, basis))


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
    points = list(MOUTH)
    model = basis.components[:, points, :2].reshape(len(basis.components), -1).T
    rows, *_ = np.linalg.lstsq(model, offsets[:, points, :2].reshape(len(offsets), -1).T, rcond=None)
    spread = float(rows[0].std())
    return float(np.clip(spread, 0.7, 1.3)) if spread > TALKS and len(offsets) >= 25 else 1.0
