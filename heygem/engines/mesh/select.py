"""Which of the person's own mouth pictures fits each output frame (after Video Rewrite: Bregler, Covell, Slaney 1997).

Dynamic programming (Viterbi 1967) over the pictures nearest in lip shape: a good fit costs little, a jump costs
something, the next picture of the same clip costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from heygem.faces.shape import MOUTH, gap

CANDIDATES = 40
SHAPE = 25.0
"""Weight of the squared distance in lip shape (root-mean over lip and chin points, canonical)."""
OPENING = 32.0
"""Weight of the squared missing opening: a closed mouth cannot be stretched open, an open one can be closed."""
TURN = 12.0
"""Weight of 1 - cos of the difference in head rotation."""
JUMP, NEAR = 0.02, 0.004
"""Costs of going on with any other picture, and with one that is one or two frames off."""
FADE = 3
"""Output frames over which a jump from one picture to another is blended."""
_CHUNK = 64  # output frames compared with all pictures at once: keeps memory flat


@dataclass(frozen=True)
class Pictures:
    """What selection knows of M mouth pictures: source frame (M,), lip and chin points (M, 98), opening (M,), nose
    direction (M, 3)."""

    frames: np.ndarray
    lips: np.ndarray
    opening: np.ndarray
    nose: np.ndarray


def lips_of(parts: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Lips (N, 98) float32 (x, y of the lip and chin points) and openings (N,) of shapes that come in parts
    (n, 468, 3): all of them at once would fill the memory."""
    pairs = [(shapes[:, MOUTH, :2].reshape(len(shapes), -1).astype(np.float32), gap(shapes)) for shapes in parts]
    lips, openings = zip(*pairs, strict=True)
    return np.concatenate(lips), np.concatenate(openings)


def select(pictures: Pictures, lips: np.ndarray, opening: np.ndarray, nose: np.ndarray) -> np.ndarray:
    """(T,) index of the picture for each output frame, from target lips (T, 98), opening (T,), nose (T, 3)."""
    near, cost = _candidates(pictures, lips, opening, nose)
    return np.take_along_axis(near, _cheapest_path(pictures.frames[near], cost)[:, None], axis=1)[:, 0]


def crossfades(frames: np.ndarray, choice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T,) picture from which to fade and (T,) share of the chosen one, below 1 in the first frames after a jump.

    frames (M,): source frames of the pictures; choice (T,). The run before the jump goes on while it fades.
    """
    before, share = choice.copy(), np.ones(len(choice))
    source = frames[choice]
    for jump in np.flatnonzero(np.abs(np.diff(source)) > 2) + 1:
        last = int(choice[jump - 1])
        for age in range(min(FADE, len(choice) - jump)):
            going_on = last + 1 + age
            runs = going_on < len(frames) and frames[going_on] - frames[last] == age + 1
            before[jump + age] = going_on if runs else last
            share[jump + age] = (age + 1) / (FADE + 1)
    return before, share


def _candidates(
    pictures: Pictures, lips: np.ndarray, opening: np.ndarray, nose: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The best few pictures of each frame (T, k) and what each costs (T, k)."""
    k = min(CANDIDATES, len(pictures.frames))
    points = lips.shape[1] / 2
    own = (pictures.lips**2).sum(axis=1)
    all_near, all_cost = [], []
    for start in range(0, len(lips), _CHUNK):
        rows = slice(start, start + _CHUNK)
        distance = (lips[rows] ** 2).sum(axis=1)[:, None] + own - 2 * lips[rows] @ pictures.lips.T
        missing = np.maximum(opening[rows, None] - pictures.opening, 0)
        turn = 1 - nose[rows] @ pictures.nose.T
        cost = SHAPE * np.maximum(distance, 0) / points + OPENING * missing**2 + TURN * turn
        near = np.argpartition(cost, k - 1, axis=1)[:, :k].copy()  # a view would keep all of it alive
        all_near.append(near)
        all_cost.append(np.take_along_axis(cost, near, axis=1))
    return np.concatenate(all_near), np.concatenate(all_cost).astype(np.float32)


def _cheapest_path(frames: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """(T,) column of the cheapest path through candidates with source frames (T, k) and costs (T, k)."""
    best = cost[0]
    came_from = np.empty(cost.shape, np.int16)
    for t in range(1, len(cost)):
        step = frames[t][None, :] - frames[t - 1][:, None]
        change = np.where(step == 1, 0.0, np.where(np.abs(step) <= 2, NEAR, JUMP))
        total = best[:, None] + change
        came_from[t] = total.argmin(axis=0)
        best = total.min(axis=0) + cost[t]
    path = np.empty(len(cost), np.int64)
    path[-1] = best.argmin()
    for t in range(len(cost) - 1, 0, -1):
        path[t - 1] = came_from[t][path[t]]
    return path
