"""Cached clips -> mouth components in time with mel power: what the network learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from heygem.faces.shape import MOUTH, align, eye_normalise, gap, mean_face, width
from heygem.speech.features import ROWS, mel_power
from heygem.speech.motion import MouthBasis
from heygem.speech.voice import loudness, talking, voice_activity
from heygem.training.prepare import Source

COMPONENTS = 6
"""They hold 99.7 % of the variance of the lip and chin points."""
PERSON_SECONDS = 25
"""One person counts as at most so much in the components, so that nobody's habits become everybody's."""
LEAST_SEEN = 0.8
"""Share of frames with a face that a clip needs."""


@dataclass
class Clip:
    """One tracked clip.

    power (T, 64): mel power, 100 rows a second; voice (T,) 0..1; level: mean power of the voice.
    offsets (N, 468, 3) float32: symmetric displacement from the person's closed mouth, canonical, N frames at fps.
    gap (N,): opening of the lips beyond the person's closed lips.
    rows (N, K): components, mean 0 and deviation 1 over the frames with voice; rest (K,): the row of the closed mouth.
    lag: seconds by which the picture is late against the sound, as far as known.
    """

    name: str
    person: str
    fps: float
    power: np.ndarray
    voice: np.ndarray
    offsets: np.ndarray
    gap: np.ndarray
    rows: np.ndarray = field(default_factory=lambda: np.empty(0))
    rest: np.ndarray = field(default_factory=lambda: np.empty(0))
    lag: float = 0.0

    @property
    def times(self) -> np.ndarray:
        """(N,) seconds of the frames."""
        return np.arange(len(self.gap)) / self.fps

    @property
    def level(self) -> float:
        return float(self.power[talking(self.voice)].sum(axis=1).mean())

    @property
    def talking(self) -> np.ndarray:
        """(N,) bool: frames with voice; all of them where there is hardly any."""
        spoken = np.interp(self.times, np.arange(len(self.voice)) / ROWS, self.voice) > 0.5
        return spoken if spoken.sum() >= 10 else np.ones_like(spoken)


def load_clips(cache: Path, sources: Sequence[Source]) -> list[Clip]:
    """Clips from their cached tracks; clips in which the face is lost too often are left out."""
    clips = (load_clip(cache, source) for source in sources)
    return [clip for clip in clips if clip is not None]


def load_clip(cache: Path, source: Source) -> Clip | None:
    with np.load(cache / f"{source.name}.npz") as stored:
        landmarks, fps, samples = stored["landmarks"], float(stored["fps"]), stored["samples"]
    seen = np.flatnonzero(~np.isnan(landmarks[:, 0, 0]))
    if len(seen) < LEAST_SEEN * len(landmarks):
        return None
    nearest = seen[np.abs(np.arange(len(landmarks))[:, None] - seen).argmin(axis=1)]
    shapes, _ = align(landmarks[nearest])
    shapes, _ = align(landmarks[nearest], eye_normalise(shapes.mean(axis=0)))
    shapes = gaussian_filter1d(shapes, 0.6, axis=0)
    opening = gap(shapes)
    closed = shapes[opening <= np.quantile(opening, 0.1)].mean(axis=0)
    power = mel_power(samples)
    voice = voice_activity(loudness(power))
    offsets = symmetric(shapes - closed).astype(np.float32)
    return Clip(source.name, source.person, fps, power, voice, offsets, opening - np.quantile(opening, 0.02))


def symmetric(offsets: np.ndarray) -> np.ndarray:
    """The part of displacements (N, 468, 3) that left and right share. Speech is symmetric; head turns are not."""
    return (offsets + offsets[:, mirror()] * (-1, 1, 1)) / 2


def mirror() -> np.ndarray:
    """(468,) index of the landmark on the other side of the face."""
    face = mean_face()
    return np.linalg.norm(face[:, None] * (-1, 1, 1) - face, axis=2).argmin(axis=0)


def fit_basis(clips: Sequence[Clip]) -> MouthBasis:
    """Components of the motion of lips and chin, and what all other landmarks do with them (ridge regression).

    Every clip's ``rows`` and ``rest`` are set on the way.
    """
    points = np.array(MOUTH)
    directions = _principal(clips, points)
    project(clips, directions)
    people = _by_person(clips)
    spread = np.median(
        [np.mean([clip.rows[clip.talking].std(axis=0) for clip in own], axis=0) for own in people], axis=0
    )
    for clip in clips:
        normalise(clip, spread)
    rest = np.mean([np.mean([clip.rest for clip in own], axis=0) for own in people], axis=0)
    return MouthBasis(_spread_to_face(clips, directions, spread), rest.astype(np.float32), points)


def normalise(clip: Clip, spread: np.ndarray) -> None:
    """Mean 0, deviation 1 while talking; somebody who hardly moves is not blown up."""
    mean, deviation = clip.rows[clip.talking].mean(axis=0), clip.rows[clip.talking].std(axis=0)
    scale = np.maximum(deviation, spread / 2)
    clip.rows, clip.rest = (clip.rows - mean) / scale, -mean / scale


def project(clips: Sequence[Clip], directions: np.ndarray) -> None:
    """Sets ``rows`` to the offsets of lips and chin along orthonormal directions (K, P * 2), in canonical units."""
    for clip in clips:
        clip.rows = _mouth(clip) @ directions.T


def rows_in(clips: Sequence[Clip], basis: MouthBasis) -> None:
    """Sets ``rows`` and ``rest`` of clips that the basis was not made from, in the units of the basis."""
    flat = basis.components[:, basis.points, :2].reshape(len(basis.components), -1)
    for clip in clips:
        clip.rows = np.linalg.lstsq(flat.T, _mouth(clip).T, rcond=None)[0].T
        normalise(clip, np.ones(len(flat)))


def _principal(clips: Sequence[Clip], points: np.ndarray) -> np.ndarray:
    """(K, P * 2) principal directions of the motion while talking; the first opens, the second rounds the mouth."""
    moments = np.zeros((2 * len(points), 2 * len(points)))
    for own in _by_person(clips):
        moving = [_mouth(clip)[clip.talking] for clip in own]
        motion = np.concatenate([rows - rows.mean(axis=0) for rows in moving])
        seconds = sum(len(rows) / clip.fps for rows, clip in zip(moving, own, strict=True))
        moments += motion.T @ motion / len(motion) * min(seconds, PERSON_SECONDS)
    directions = np.linalg.eigh(moments)[1].T[::-1][:COMPONENTS]
    shapes = np.zeros((COMPONENTS, 468, 3))
    shapes[:, points, :2] = directions.reshape(COMPONENTS, -1, 2)
    signs = np.sign(gap(shapes))
    signs[1] = -np.sign(width(shapes[1]))
    return directions * signs[:, None]


def _spread_to_face(clips: Sequence[Clip], directions: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """(K, 468, 3) displacement of every landmark for one standard deviation: ridge regression on the components."""
    moments, mixed = 1e-3 * np.eye(COMPONENTS), np.zeros((COMPONENTS, 468 * 3))
    for own in _by_person(clips):
        rows = np.concatenate([(_mouth(clip) @ directions.T) / spread for clip in own])
        offsets = np.concatenate([clip.offsets.reshape(len(clip.offsets), -1) for clip in own])
        weight = min(len(rows) / own[0].fps, PERSON_SECONDS) / len(rows)
        moments += weight * rows.T @ rows
        mixed += weight * rows.T @ offsets
    components = np.linalg.solve(moments, mixed).reshape(COMPONENTS, 468, 3)
    components[:, list(MOUTH), :2] = (directions * spread[:, None]).reshape(COMPONENTS, -1, 2)
    return components.astype(np.float32)


def _mouth(clip: Clip) -> np.ndarray:
    """(N, P * 2) displacement of lips and chin in the plane of the face."""
    return clip.offsets[:, MOUTH, :2].reshape(len(clip.offsets), -1)


def _by_person(clips: Sequence[Clip]) -> list[list[Clip]]:
    people: dict[str, list[Clip]] = {}
    for clip in clips:
        people.setdefault(clip.person, []).append(clip)
    return list(people.values())
