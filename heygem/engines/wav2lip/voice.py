"""What Wav2Lip makes of the sound, and the faces that it is asked to finish."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from heygem.engines.base import Style
from heygem.engines.nets.wav2lip import Wav2Lip
from heygem.engines.neural.place import Place, Steady
from heygem.engines.wav2lip.mel import BANDS, COLUMNS, LIMIT, Windows

BLOCK = 64
"""Frames whose sound goes through the network at once."""
REACH, SPREAD = 3, 1.5
"""Frames to both sides that smoothing looks at; its deviation in frames at smoothness 1."""


class Voice:
    """An embedding of the sound for each frame, as strong and as smooth as ``style`` says: strength stretches its
    distance from that of silence."""

    def __init__(self, net: Wav2Lip, place: Place, windows: Windows, style: Style) -> None:
        self._windows, self._place, self._strength = windows, place, style.strength
        self._net = Steady(net.sound, place, BLOCK)
        self._silence = self._embed(np.full((1, BANDS, COLUMNS), -LIMIT, np.float32))
        self._taps = _taps(style.smoothness)
        self._block = lru_cache(4)(self._make_block)

    def of(self, numbers: np.ndarray) -> Tensor:
        """(n, C) embeddings of the frames ``numbers`` (n,)."""
        last = len(self._windows) - 1
        mixed = sum(share * self._at(np.clip(numbers + step, 0, last)) for step, share in self._taps)
        return self._silence + self._strength * (mixed - self._silence)

    def _at(self, numbers: np.ndarray) -> Tensor:
        return torch.stack([self._block(n // BLOCK)[n % BLOCK] for n in numbers.tolist()])

    def _make_block(self, number: int) -> Tensor:
        return self._embed(self._windows[number * BLOCK : (number + 1) * BLOCK])

    def _embed(self, heard: np.ndarray) -> Tensor:
        return self._net(self._place.take(heard[:, None]))


def _taps(smoothness: float) -> list[tuple[int, float]]:
    """Steps in time and their shares: a Gauss curve."""
    steps = np.arange(-REACH, REACH + 1)
    shares = np.exp(-0.5 * (steps / max(SPREAD * smoothness, 0.05)) ** 2)
    shares /= shares.sum()
    return [(int(step), float(share)) for step, share in zip(steps, shares, strict=True) if share > 1e-3]


def half_hidden(faces: Tensor) -> Tensor:
    """(n, 6, s, s): faces (n, 3, s, s) with their lower half black, and whole."""
    hidden = faces.clone()
    hidden[:, :, faces.shape[2] // 2 :] = 0
    return torch.cat([hidden, faces], 1)
