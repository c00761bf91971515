"""Which of the person's own mouth pictures fits each output frame (after Video Rewrite: Bregler, Covell, Slaney 1997).

Dynamic programming (Viterbi 1967) over the pictures nearest in lip shape: a good fit costs little, the next picture of
the same clip costs nothing, a jump costs as much as one would see of it (Video Textures: Schödl, Szeliski, Salesin,
Essa 2000).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from heygem.faces.shape import MOUTH, gap

CANDIDATES = 60
SHAPE = 25.0
"""Weight of the squared distance in lip shape (root-mean over lip and chin points, canonical)."""
OPENING = 32.0
"""Weight of the squared missing opening: a closed mouth cannot be stretched open, an open one can be closed."""
CLOSED, TOUCH = 10.0, 0.05
"""Weight of the squared opening of a picture where the lips should touch, fading until they are ``TOUCH`` apart: only
closed lips show how they lie on each other."""
HIDDEN = 1.0
"""Weight of how hidden the mouth is in a picture."""
TURN = 12.0
"""Weight of 1 - cos of the difference in head rotation."""
JUMP, NEAR = 0.08, 0.004
"""Costs of going on with any other picture, and with one that is one or two frames off."""
SKIN, INSIDE = 20.0, 5.0
"""Weights of the squared difference in colour between the picture that would have come next and the one that does."""
WIDE = 0.1
"""Opening, canonical, from which the inside of the mouth is seen in full."""
FADE, SEEN = 0.12, 0.15
"""Seconds over which a jump is blended that shows as much as ``SEEN`` (weighted like SKIN and INSIDE) or more."""
_CHUNK = 64  # output frames compared with all pictures at once: keeps memory flat


@dataclass(frozen=True)
class Pictures:
    """What selection knows of M mouth pictures: source frame (M,), lip and chin points (M, 98), opening (M,), nose
    direction (M, 3), looks of the skin and of the inside (M, k) each, hidden (M,) 0..1: how badly the mouth is seen."""

    frames: np.ndarray
    lips: np.ndarray
    opening: np.ndarray
    nose: np.ndarray
    skin: np.ndarray
    inside: np.ndarray
    hidden: np.ndarray

    def after(self, choice: np.ndarray) -> np.ndarray:
        """The picture that follows in the same run, or the same one at the end of its run."""
        following = np.minimum(choice + 1, len(self.frames) - 1)
        return np.where(self.frames[following] == self.frames[choice] + 1, following, choice)

    def change(self, before: np.ndarray, now: np.ndarray, opening: np.ndarray | float) -> np.ndarray:
        """What one sees of going from pictures ``before`` to ``now`` (any shapes that broadcast)."""
        seen = np.minimum(np.asarray(opening) / WIDE, 1)
        return SKIN * _apart(self.skin[before], self.skin[now]) + INSIDE * seen * _apart(
            self.inside[before], self.inside[now]
        )


@dataclass(frozen=True)
class Wanted:
    """What T output frames ask for: lips (T, 98), opening (T,), nose (T, 3); fresh (T,) bool: frames after a cut, which
    nobody compares with the one before."""

    lips: np.ndarray
    opening: np.ndarray
    nose: np.ndarray
    fresh: np.ndarray


def lips_of(parts: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Lips (N, 98) float32 (x, y of the lip and chin points) and openings (N,) of shapes that come in parts
    (n, 468, 3): all of them at once would fill the memory."""
    pairs = [(shapes[:, MOUTH, :2].reshape(len(shapes), -1).astype(np.float32), gap(shapes)) for shapes in parts]
    lips, openings = zip(*pairs, strict=True)
    return np.concatenate(lips), np.concatenate(openings)


def select(pictures: Pictures, wanted: Wanted, beat: Callable[[], None] = lambda: None) -> np.ndarray:
    """(T,) index of the picture for each output frame. ``beat`` is called now and then: hours of sound take a while."""
    near, cost = _candidates(pictures, wanted, beat)
    return np.take_along_axis(near, _cheapest_path(pictures, wanted, near, cost, beat)[:, None], axis=1)[:, 0]


def crossfades(pictures: Pictures, wanted: Wanted, choice: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """(T,) picture from which to fade and (T,) share of the chosen one, below 1 in the first frames after a jump.

    The run before the jump goes on while it fades. The more one would see of the jump, the longer the fade.
    """
    before, share = choice.copy(), np.ones(len(choice))
    expected = pictures.after(choice[:-1])
    jumps = np.abs(np.diff(pictures.frames[choice])) > 2
    seen = pictures.change(expected, choice[1:], wanted.opening[1:]) * jumps * ~wanted.fresh[1:]
    lengths = np.round(FADE * fps * np.minimum(seen / SEEN, 1)).astype(int)
    for jump in np.flatnonzero(lengths) + 1:
        length = lengths[jump - 1]
        going_on = choice[jump - 1 : jump]
        for age in range(min(length, len(choice) - jump)):
            if age and wanted.fresh[jump + age]:
                break
            going_on = pictures.after(going_on)
            before[jump + age] = going_on[0]
            share[jump + age] = (age + 1) / (length + 1)
    return before, share


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return ((a - b) ** 2).sum(axis=-1)


def _candidates(pictures: Pictures, wanted: Wanted, beat: Callable[[], None]) -> tuple[np.ndarray, np.ndarray]:
    """The best few pictures of each frame (T, k) and what each costs (T, k)."""
    k = min(CANDIDATES, len(pictures.frames))
    points = wanted.lips.shape[1] / 2
    own = (pictures.lips**2).sum(axis=1)
    all_near, all_cost = [], []
    for start in range(0, len(wanted.lips), _CHUNK):
        beat()
        rows = slice(start, start + _CHUNK)
        lips = wanted.lips[rows]
        distance = (lips**2).sum(axis=1)[:, None] + own - 2 * lips @ pictures.lips.T
        missing = np.maximum(wanted.opening[rows, None] - pictures.opening, 0)
        turn = 1 - wanted.nose[rows] @ pictures.nose.T
        touching = np.maximum(1 - wanted.opening[rows, None] / TOUCH, 0)
        cost = SHAPE * np.maximum(distance, 0) / points + OPENING * missing**2 + TURN * turn + HIDDEN * pictures.hidden
        cost += CLOSED * touching * np.maximum(pictures.opening, 0) ** 2
        near = np.argpartition(cost, k - 1, axis=1)[:, :k].copy()  # a view would keep all of it alive
        all_near.append(near)
        all_cost.append(np.take_along_axis(cost, near, axis=1))
    return np.concatenate(all_near), np.concatenate(all_cost).astype(np.float32)


def _cheapest_path(
    pictures: Pictures, wanted: Wanted, near: np.ndarray, cost: np.ndarray, beat: Callable[[], None]
) -> np.ndarray:
    """(T,) column of the cheapest path through candidates (T, k) of costs (T, k)."""
    best = cost[0]
    came_from = np.empty(cost.shape, np.int16)
    looks = np.concatenate([pictures.skin * np.sqrt(SKIN), pictures.inside * np.sqrt(INSIDE)], axis=1)
    inside = np.arange(looks.shape[1]) >= pictures.skin.shape[1]
    seen = np.where(inside, np.sqrt(np.minimum(wanted.opening[:, None] / WIDE, 1)), 1).astype(np.float32)
    for t in range(1, len(cost)):
        if t % _CHUNK == 0:
            beat()
        change = np.zeros(1)
        if not wanted.fresh[t]:
            frames, now = pictures.frames[near[t]], looks[near[t]] * seen[t]
            step = frames[None, :] - pictures.frames[near[t - 1]][:, None]
            going_on = looks[pictures.after(near[t - 1])] * seen[t]
            apart = (going_on**2).sum(axis=1)[:, None] + (now**2).sum(axis=1) - 2 * going_on @ now.T
            change = np.where(step == 1, 0.0, np.where(np.abs(step) <= 2, NEAR, JUMP) + np.maximum(apart, 0))
        total = best[:, None] + change
        came_from[t] = total.argmin(axis=0)
        best = total.min(axis=0) + cost[t]
    path = np.empty(len(cost), np.int64)
    path[-1] = best.argmin()
    for t in range(len(cost) - 1, 0, -1):
        path[t - 1] = came_from[t][path[t]]
    return path
