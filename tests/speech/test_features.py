"""Log-mel features: as torch computes them, row t lies at t / 100 s, level drops out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from heygem.speech import features
from heygem.speech.features import BANDS, FFT, HOP, RATE, WINDOW, compress, mel_power


def test_torch_hears_the_same(speech: np.ndarray) -> None:
    wave, window = torch.from_numpy(speech.copy()), torch.hann_window(WINDOW)
    spectrum = torch.stft(wave, FFT, HOP, WINDOW, window, center=True, pad_mode="constant", return_complex=True)
    theirs = (spectrum.abs().square().T @ torch.from_numpy(features._constants()[1])).numpy()
    ours = mel_power(speech)
    level = float(theirs.sum(axis=1).mean())
    assert theirs.shape == ours.shape == (len(speech) // HOP + 1, BANDS) and ours.dtype == np.float32
    assert np.abs(compress(theirs, level) - compress(ours, level)).max() < 1e-4


def test_a_click_lies_at_its_row() -> None:
    samples = np.zeros(RATE, np.float32)
    samples[37 * HOP] = 1.0
    power = mel_power(samples).sum(axis=1)
    assert int(power.argmax()) == 37
    assert np.isclose(power[36], power[38], rtol=1e-3)


def test_a_tone_lies_in_its_band() -> None:
    low, high = (
        int(mel_power(np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE))[50].argmax()) for hertz in (300, 3000)
    )
    assert 3 <= low <= 8 and 35 <= high <= 45


@pytest.mark.parametrize("gain", [0.1, 10.0])
def test_level_drops_out(gain: float, speech: np.ndarray) -> None:
    plain, loud = mel_power(speech), mel_power(speech * gain)
    level, louder = (float(power.sum(axis=1).mean()) for power in (plain, loud))
    assert np.allclose(compress(loud, louder), compress(plain, level), atol=1e-3)


@pytest.mark.parametrize("length", [1, 159, 160, 161, 399])
def test_short_sound(length: int) -> None:
    assert mel_power(np.ones(length, np.float32)).shape == (length // HOP + 1, BANDS)
