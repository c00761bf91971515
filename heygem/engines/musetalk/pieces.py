"""Whisper listens to 30 s at once. Longer sounds are heard in pieces that overlap by 2 s, in which one fades into the
next: at a hard cut the network would be deaf to what lies behind it, and the mouth would twitch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

FADE = 15
"""Of how many parts of a piece one is the fade: 2 s of 30."""


@dataclass(frozen=True)
class Pieces:
    """How ``total`` rows are heard in pieces of ``size``. The last piece ends with the sound."""

    total: int
    size: int

    @cached_property
    def starts(self) -> np.ndarray:
        """(K,) the first row of each piece."""
        last = max(0, self.total - self.size)
        return np.array([*range(0, last, self.size - self._fade), last])

    def own(self, piece: int) -> np.ndarray:
        """The rows (n,) in which ``piece`` is the newest that is heard."""
        edges = [0, *self._fades.tolist(), self.total]
        return np.arange(edges[piece], edges[piece + 1])

    def joined(self, rows: np.ndarray, now: np.ndarray, before: np.ndarray) -> np.ndarray:
        """(n, …) float32, the ``rows`` (n,) of the whole: from the newest piece, whose rows are ``now`` (size, …), and
        where that still fades in also from the one ``before``."""
        newest = np.searchsorted(self._fades, rows, "right")
        begun = np.concatenate([[-np.inf], self._fades])[newest]
        share = np.clip((rows - begun + 0.5) / self._fade, 0, 1).astype(np.float32)
        share = share.reshape(-1, *[1] * (now.ndim - 1))
        past = np.minimum(rows - self.starts[np.maximum(newest - 1, 0)], self.size - 1)
        return share * now[rows - self.starts[newest]] + (1 - share) * before[past]

    @property
    def _fade(self) -> int:
        return self.size // FADE

    @cached_property
    def _fades(self) -> np.ndarray:
        """(K - 1,) the first row of each fade: they lie in the middle of what two pieces share."""
        return (self.starts[:-1] + self.size + self.starts[1:] - self._fade) // 2
