"""Log-mel features: torchaudio and plain torch agree, row t lies at t / 100 s, level drops out."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import torch

from heygem.speech import features
from heygem.speech.features import BANDS, HOP, RATE, compress, mel_power


@pytest.fixture
def torchaudio_transform(monkeypatch: pytest.MonkeyPatch):
    """torchaudio's transform. Where torch has no CUDA, its CUDA-built extension is hidden while it is imported."""
    if torch.version.cuda is None:
        glob = pathlib.Path.glob

        def without_extension(self, *args, **kwargs):
            return iter(()) if self.parts[-2:] == ("torchaudio", "lib") else glob(self, *args, **kwargs)

        monkeypatch.setattr(pathlib.Path, "glob", without_extension)
    pytest.importorskip("torchaudio")
    features._torchaudio_transform.cache_clear()
    yield features._torchaudio_transform()
    features._torchaudio_transform.cache_clear()


def test_torchaudio_and_plain_torch_agree(torchaudio_transform, speech: np.ndarray) -> None:
    wave = torch.from_numpy(speech.copy())
    theirs = torchaudio_transform(wave).T
    ours = features._plain_mel_power(wave).T
    level = float(theirs.sum(dim=1).mean())
    assert theirs.shape == ours.shape == (len(speech) // HOP + 1, BANDS)
    assert (compress(theirs, level) - compress(ours, level)).abs().max() < 1e-4


def test_a_click_lies_at_its_row() -> None:
    samples = np.zeros(RATE, np.float32)
    samples[37 * HOP] = 1.0
    power = mel_power(samples).sum(dim=1)
    assert int(power.argmax()) == 37
    assert torch.allclose(power[36], power[38], rtol=1e-3)


def test_a_tone_lies_in_its_band() -> None:
    low, high = (
        int(mel_power(np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE))[50].argmax()) for hertz in (300, 3000)
    )
    assert 3 <= low <= 8 and 35 <= high <= 45


@pytest.mark.parametrize("gain", [0.1, 10.0])
def test_level_drops_out(gain: float, speech: np.ndarray) -> None:
    plain, loud = mel_power(speech), mel_power(speech * gain)
    level, louder = (float(power.sum(dim=1).mean()) for power in (plain, loud))
    assert torch.allclose(compress(loud, louder), compress(plain, level), atol=1e-3)


@pytest.mark.parametrize("length", [1, 159, 160, 161, 399])
def test_short_sound(length: int) -> None:
    assert mel_power(np.ones(length, np.float32)).shape == (length // HOP + 1, BANDS)
