"""Measures of how lips move, from tracked landmarks alone. Canonical units: see ``heygem.faces.shape``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, label, maximum_filter1d

from heygem.faces.shape import (
    CHIN,
    INNER_LOWER,
    INNER_UPPER,
    LIPS,
    OUTER_LOWER,
    OUTER_UPPER,
    Pose,
    align,
    eye_normalise,
    gap,
    width,
)

UPPER = tuple({*INNER_UPPER, *OUTER_UPPER} - {*INNER_LOWER, *OUTER_LOWER})
JAW = (*({*INNER_LOWER, *OUTER_LOWER} - {*INNER_UPPER, *OUTER_UPPER}), *CHIN)
"""The upper lip; the lower lip and the chin; both without the corners of the mouth."""
SHUT = 0.03
"""Canonical gap beyond the person's own closed lips under which the mouth counts as closed."""
SILENT = 0.05
"""Voice activity under which nobody speaks."""
FEW = 5
"""Fewer frames tell nothing: the measure is nan."""
CALM = 0.004
"""Canonical change of the gap per frame under which lips count as still."""
SHIVER = 1.5
"""Width in frames of the Gaussian that motion is told from shiver with."""


@dataclass(frozen=True)
class Lips:
    """Lips of N frames: landmarks (N, 468, 3) px, shapes (N, 468, 3) canonical, their pose.

    gap (N,): how far the inner lips are apart. opening (N,): how low lower lip and chin are. rounding (N,): how narrow
    the mouth and how low the upper lip is. The last two are the directions in which lips move most: on 15 people they
    correlate 0.997 and 0.99 with the first two principal components of speaking mouths.
    """

    landmarks: np.ndarray
    shapes: np.ndarray
    pose: Pose

    @property
    def gap(self) -> np.ndarray:
        return gap(self.shapes)

    @property
    def opening(self) -> np.ndarray:
        return self.shapes[:, JAW, 1].mean(axis=1)

    @property
    def rounding(self) -> np.ndarray:
        return 2 * self.shapes[:, UPPER, 1].mean(axis=1) - width(self.shapes)

    def __getitem__(self, rows: np.ndarray | slice) -> Lips:
        return Lips(self.landmarks[rows], self.shapes[rows], self.pose[rows])


def lips_of(landmarks: np.ndarray, person: np.ndarray | None = None) -> Lips:
    """Lips of landmarks (N, 468, 3) px. person: (468, 3) canonical mean shape, by default the one of these frames."""
    shape = mean_shape(landmarks) if person is None else person
    return Lips(landmarks, *align(landmarks, shape))


def mean_shape(landmarks: np.ndarray) -> np.ndarray:
    """(468, 3) canonical mean of landmarks (N, 468, 3) px: the reference that gives the steadiest pose."""
    return eye_normalise(align(landmarks)[0].mean(axis=0))


def distance(made: Lips, true: Lips) -> tuple[float, float]:
    """LMD (Chen et al. 2018), mean distance of the lip landmarks in inter-ocular distances: with the pose removed, and
    as they stand in the picture."""
    points = list(LIPS)
    bent = np.linalg.norm(made.shapes[:, points, :2] - true.shapes[:, points, :2], axis=2)
    placed = np.linalg.norm(made.landmarks[:, points, :2] - true.landmarks[:, points, :2], axis=2)
    return float(bent.mean()), float((placed / true.pose.scale[:, None]).mean())


def shut_level(gaps: np.ndarray) -> float:
    """Gap of the person's own closed lips, which for the tracker is not quite 0, of all their gaps (N,)."""
    return float(np.quantile(gaps, 0.02))


@dataclass(frozen=True)
class Closures:
    """Closed lips, frame by frame and event by event (an event is a run of closed frames; it is found where the other
    track closes within one frame of it). nan where there is nothing to find."""

    precision: float
    recall: float
    event_precision: float
    event_recall: float


def closures(made: np.ndarray, true: np.ndarray) -> Closures:
    """made, true: (n,) bool, lips are closed."""
    near_made, near_true = (maximum_filter1d(shut, 3, mode="constant") for shut in (made, true))
    return Closures(
        precision=_share(true[made]),
        recall=_share(made[true]),
        event_precision=_share(_events(made, near_true)),
        event_recall=_share(_events(true, near_made)),
    )


def stillness(gaps: np.ndarray, voice: np.ndarray) -> float:
    """Standard deviation of the gap (n,) in frames without a voice (n,) 0..1; nan where there are few."""
    silent = gaps[voice < SILENT]
    return float(silent.std()) if len(silent) >= FEW else np.nan


def resting(gaps: np.ndarray, voice: np.ndarray) -> float:
    """Median gap (n,) in frames without a voice (n,) 0..1; nan where there are few."""
    silent = gaps[voice < SILENT]
    return float(np.median(silent)) if len(silent) >= FEW else np.nan


def jitter(lips: Lips) -> float:
    """Root mean square of the lips' motion faster than ``SHIVER``, canonical, in frames in which the mouth is still;
    nan where it hardly ever is. The tracker's own noise is in it: compare with the source's."""
    points = lips.shapes[:, list(LIPS), :2]
    if len(points) < FEW:
        return np.nan
    fast = points - gaussian_filter1d(points, SHIVER, axis=0, mode="nearest")
    still = np.abs(np.gradient(gaussian_filter1d(lips.gap, SHIVER, mode="nearest"))) < CALM
    return float(np.sqrt((fast[still] ** 2).sum(axis=2).mean())) if still.sum() >= FEW else np.nan


def _events(runs: np.ndarray, near: np.ndarray) -> np.ndarray:
    """(events,) bool for each run of True in ``runs`` (n,): does ``near`` (n,) hold anywhere in it."""
    numbers, count = label(runs)  # pyright: ignore[reportGeneralTypeIssues]
    return np.array([near[numbers == event + 1].any() for event in range(count)], bool)


def _share(found: np.ndarray) -> float:
    return float(found.mean()) if len(found) else np.nan
