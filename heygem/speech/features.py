"""Log-mel features of speech: 64 bands, 100 rows a second; row t is centred at t / 100 s.

The same numbers with torchaudio and, where that cannot be imported, with plain torch.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

RATE = 16_000
"""Samples a second that everything in this package works with."""
HOP = 160
ROWS = RATE // HOP
"""Feature rows a second."""
BANDS = 64
FFT = 512
WINDOW = 400
LOWEST, HIGHEST = 60.0, 7600.0
FLOOR = 1e-4
"""Power, relative to the level of the voice, under which differences are no longer seen (-40 dB)."""


def mel_power(samples: np.ndarray) -> torch.Tensor:
    """Power in 64 mel bands, (T, 64) float32 with T = n // 160 + 1, of mono 16 kHz samples (n,).

    torchaudio computes it where it can be imported; on machines where it cannot (its extension is built for CUDA),
    the same formula in plain torch does.
    """
    import torch

    wave = torch.as_tensor(np.ascontiguousarray(samples, dtype=np.float32))
    transform = _torchaudio_transform()
    return (_plain_mel_power(wave) if transform is None else transform(wave)).T


def compress(power: torch.Tensor, level: float) -> torch.Tensor:
    """Mel power (..., 64) -> features: log of the power relative to ``level``, with a soft floor, about -1.7 to 1.5.

    ``level`` is the mean power of the voice, summed over the bands.
    """
    relative = power * (BANDS / max(level, 1e-12))
    return ((relative + FLOOR).log10() + 1.5) / 1.5


@cache
def _torchaudio_transform():
    """torchaudio's transform, or None where torchaudio is missing or cannot load its extension."""
    try:
        from torchaudio.transforms import MelSpectrogram
    except (ImportError, OSError, RuntimeError):
        return None
    return MelSpectrogram(
        RATE, FFT, WINDOW, HOP, LOWEST, HIGHEST, n_mels=BANDS, power=2.0, center=True, pad_mode="constant"
    )


def _plain_mel_power(wave: torch.Tensor) -> torch.Tensor:
    """The same as torchaudio's MelSpectrogram: (n,) -> (64, T)."""
    import torch

    window, bank = _plain_constants()
    spectrum = torch.stft(wave, FFT, HOP, WINDOW, window, center=True, pad_mode="constant", return_complex=True)
    return bank @ spectrum.abs().square()


@cache
def _plain_constants() -> tuple[torch.Tensor, torch.Tensor]:
    """Hann window (400,) and triangular filter bank (64, 257) on the HTK mel scale (Young et al., The HTK Book)."""
    import torch

    low, high = (2595 * np.log10(1 + edge / 700) for edge in (LOWEST, HIGHEST))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)  # Hz
    bins = np.linspace(0, RATE / 2, FFT // 2 + 1)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    bank = np.maximum(0, np.minimum(rising, falling))
    return torch.hann_window(WINDOW), torch.as_tensor(bank, dtype=torch.float32)
