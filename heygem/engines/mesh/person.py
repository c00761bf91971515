"""What the engine knows of a person: the closed mouth, the way of talking, every frame's shape and pose."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
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

SYLLABLE = 0.25
"""Seconds: talking opens and closes the lips faster than this, laughing and yawning slower."""
TALKS = 0.012
"""Deviation of the opening within syllables, canonical, over half a second, from which somebody talks. Landmarks of a
mouth that is still deviate by 0.003, talkers by 0.02 to 0.08."""
YAWNS = 0.4
"""Opening that no talking reaches."""
EVIDENCE = 2.0
"""Seconds of talking after which a clip is believed half, the average talker half."""
_MOST = 500
"""Frames, evenly spread, from which a person is learned."""
_CHUNK = 256
"""Frames whose pose is found at once: memory stays flat in the length of the video."""


@dataclass(frozen=True)
class Talk:
    """How somebody talks. The average talker has opening ``average_opening(basis)``, contrast 1, spread 1, shift 0.

    opening: mean gap while talking, canonical. contrast: what of it is movement; the gap is
    ``opening * (average gap / average opening) ** contrast``, so closed stays closed; above 1 the tangent goes on, so
    that no mouth is torn open. spread (K,): deviation of every
    component against the average talker's. shift (468, 3): mean displacement beyond what the average talker's rows say:
    a smile, a lopsided mouth.
    """

    opening: float
    contrast: float
    spread: np.ndarray
    shift: np.ndarray


@dataclass(frozen=True)
class Person:
    """landmarks (N, 468, 3) px and pose of every frame; closed (468, 3): the mouth at rest, lips touching."""

    landmarks: np.ndarray
    pose: Pose
    closed: np.ndarray
    talk: Talk

    def shapes(self, frames: np.ndarray | list[int]) -> np.ndarray:
        """(n, 468, 3) canonical shapes of some frames."""
        return self.pose[np.asarray(frames)].to_canonical(self.landmarks[frames])


def study(avatar: Avatar, basis: MouthBasis) -> Person:
    """Learns a person from the frames with a usable face."""
    usable = np.flatnonzero(avatar.weight > min(0.5, float(avatar.weight.max()) / 2))
    rough, _ = align(avatar.landmarks[_few(usable)])
    own_face = rough.mean(axis=0)  # as reference it gives a steadier pose than the mean of all people
    chunks = range(0, len(avatar.landmarks), _CHUNK)
    poses = [align(avatar.landmarks[start : start + _CHUNK], own_face)[1] for start in chunks]
    pose = Pose(*(np.concatenate([getattr(part, name) for part in poses]) for name in ("scale", "rotation", "origin")))
    opening = np.concatenate(
        [gap(pose[s : s + _CHUNK].to_canonical(avatar.landmarks[s : s + _CHUNK, :15])) for s in chunks]
    )
    fps = float(avatar.fps)
    busy = _busy(opening, fps)
    calm = opening + busy  # the lips of a p are pressed; those of a pause rest
    resting = usable[calm[usable] <= np.quantile(calm[usable], 0.1)]
    closed = close_lips(np.median(_shapes(avatar, pose, resting), axis=0))
    talking = usable[(busy[usable] > TALKS) & (opening[usable] < YAWNS)]
    talk = average_talk(basis)
    if len(talking) > 1:
        talk = _talk(_shapes(avatar, pose, talking) - closed, len(talking) / fps, basis)
    return Person(avatar.landmarks, pose, closed, talk)


def average_talk(basis: MouthBasis) -> Talk:
    """The way of talking of a person nobody has seen talk."""
    return Talk(average_opening(basis), 1.0, np.ones(len(basis.rest)), np.zeros((468, 3)))


def average_opening(basis: MouthBasis) -> float:
    """Mean gap of the average talker, canonical: rows have mean 0 while talking."""
    return float(-basis.rest @ gap(basis.components))


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


def blurred(values: np.ndarray, sigma: float) -> np.ndarray:
    """Values (n, ...) smoothed over time by a Gaussian of ``sigma`` rows; the ends are held."""
    rows = values.reshape(len(values), -1)
    size = (1, 2 * int(4 * sigma + 0.5) + 1)
    return cv2.GaussianBlur(rows, size, 1, sigmaY=sigma, borderType=cv2.BORDER_REPLICATE).reshape(values.shape)


def _few(frames: np.ndarray) -> np.ndarray:
    return frames[:: max(len(frames) // _MOST, 1)]


def _shapes(avatar: Avatar, pose: Pose, frames: np.ndarray) -> np.ndarray:
    """(n, 468, 3) canonical shapes of at most about ``_MOST`` of ``frames``."""
    few = _few(frames)
    return pose[few].to_canonical(avatar.landmarks[few])


def _busy(opening: np.ndarray, fps: float) -> np.ndarray:
    """(N,) deviation of the opening (N,) within syllables, over half a second around."""
    fast = opening - blurred(opening, SYLLABLE * fps)
    return np.sqrt(blurred(fast**2, 0.5 * fps))


def _talk(offsets: np.ndarray, seconds: float, basis: MouthBasis) -> Talk:
    """The talk of displacements (n, 468, 3) from the closed mouth, as far as so many seconds of it can be believed.

    Ranges are taken between quantiles: single laughs do not count.
    """
    belief = seconds / (seconds + EVIDENCE)
    opened = gap(basis.components)
    usual, openings = average_opening(basis), gap(offsets)
    mean = usual * _shrunk(openings.mean() / usual, belief)
    deviation = _shrunk(openings.std() / np.sqrt((opened**2).sum()), belief)
    low, high = np.quantile(basis.rows_of(offsets), (0.05, 0.95), axis=0)
    spread = _shrunk((high - low) / 3.29, belief)  # 90 % of a normal distribution
    beyond = offsets.mean(axis=0) + np.tensordot(basis.rest * spread, basis.components, axes=1)
    return Talk(float(mean), float(np.clip(deviation * usual / mean, 0.8, 1.6)), spread, belief * beyond)


def _shrunk(ratio: np.ndarray | float, belief: float) -> np.ndarray:
    """What somebody does in relation to the average talker, drawn to 1 where little was seen of it."""
    return np.clip(ratio, 0.4, 2.5) ** belief
