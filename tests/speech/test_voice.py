"""Voice activity: speech is found at any level and in noise; steady sounds and silence are no voice."""

from __future__ import annotations

import numpy as np
import pytest

from heygem.speech.features import RATE, ROWS, mel_power
from heygem.speech.voice import HANG, SOFT, loudness, voice_activity

SECONDS = 6
TIME = np.arange(SECONDS * RATE) / RATE


def active(samples: np.ndarray) -> np.ndarray:
    return voice_activity(loudness(mel_power(samples.astype(np.float32))))


def noise(level: float) -> np.ndarray:
    return level * np.random.default_rng(0).normal(size=len(TIME))


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(np.zeros(len(TIME)), id="digital silence"),
        pytest.param(np.round(noise(1)) / 32768, id="rounding noise"),
        pytest.param(noise(0.1), id="white noise"),
        pytest.param(np.cumsum(noise(0.001)), id="brown noise"),
        pytest.param(0.1 * sum(np.sin(2 * np.pi * 50 * k * TIME) / k for k in range(1, 30)), id="mains hum"),
        pytest.param(np.where(TIME < 1.2, 0, noise(0.01)), id="a gate that opens on noise"),
    ],
)
def test_no_voice(sound: np.ndarray) -> None:
    assert active(sound).mean() < 0.1


def test_speech_is_voice(speech: np.ndarray) -> None:
    assert active(speech).mean() > 0.6


@pytest.mark.parametrize("decibel", [-20, 20])
def test_level_does_not_matter(decibel: int, speech: np.ndarray) -> None:
    assert np.abs(active(speech * 10 ** (decibel / 20)) - active(speech)).max() < 0.2


def test_noisy_speech_still_talks(speech: np.ndarray) -> None:
    speech = speech[: len(TIME)]
    noisy = speech + noise(float(speech.std()) * 10 ** (-10 / 20))  # 10 dB more voice than white noise
    clean = active(speech) > 0.5
    assert (active(noisy)[clean] > 0.5).mean() > 0.7


def test_pauses_are_found_and_edges_are_soft(speech: np.ndarray) -> None:
    pause = np.random.default_rng(0).normal(size=2 * RATE) * 1e-4
    talk = speech[RATE : 3 * RATE]
    found = active(np.concatenate([pause, talk, pause]))
    assert found[: 2 * ROWS - round(3 * SOFT * ROWS)].max() == 0
    assert found[4 * ROWS + round((HANG + 3 * SOFT) * ROWS) :].max() == 0
    assert found[2 * ROWS + 20 : 4 * ROWS - 50].max() == 1
    assert np.abs(np.diff(found)).max() < 0.2


def test_mouth_opens_before_it_sounds() -> None:
    burst = np.where((TIME > 2) & (TIME < 3), noise(0.1) * (1 + np.sin(2 * np.pi * 5 * TIME)), 0)
    begins = int(np.argmax(active(burst + noise(1e-4)) > 0))
    assert 2 * ROWS - round(2.5 * SOFT * ROWS) <= begins < 2 * ROWS
