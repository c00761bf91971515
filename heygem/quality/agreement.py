"""How well two tracks of one thing agree, and how far one is early."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR = 2
"""Frames of lag within which the best agreement counts."""


@dataclass(frozen=True)
class Agreement:
    """best: Pearson correlation at the best lag within ``NEAR`` frames. level: at lag 0. offset: the best lag with its
    fraction, in frames; positive where the first track is early."""

    best: float
    level: float
    offset: float


def agreement(made: np.ndarray, true: np.ndarray) -> Agreement:
    """Agreement of two tracks (n,), one value a frame."""
    found = correlations(made, true)
    top = int(np.argmax(found))
    return Agreement(found[top], found[NEAR], top - NEAR + _peak(found[top - 1 : top + 2] if top else []))


def correlations(made: np.ndarray, true: np.ndarray) -> list[float]:
    """Pearson correlation of made[n] with true[n + lag] for lag = -2 .. 2 frames; 0 where a track stands still."""
    found = []
    for lag in range(-NEAR, NEAR + 1):
        early, late = made[max(0, -lag) : len(made) - max(0, lag)], true[max(0, lag) : len(true) - max(0, -lag)]
        steady = len(early) < 2 or np.ptp(early) == 0 or np.ptp(late) == 0
        found.append(0.0 if steady else float(np.corrcoef(early, late)[0, 1]))
    return found


def _peak(around: list[float]) -> float:
    """Where the parabola through three values peaks, -0.5 .. 0.5 from the middle one, which is the largest."""
    if len(around) < 3:
        return 0.0
    before, here, after = around
    bend = before - 2 * here + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
