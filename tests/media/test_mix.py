"""Several voices in one sound: their sum, never louder than full scale."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem.media.frame import Frame
from heygem.media.mix import LIMIT, mixed
from heygem.media.probe import probe_sound
from heygem.media.sound import load_sound
from heygem.media.writer import VideoWriter
from tests.media.clips import numbered, onsets, wav

RATE = 48000


def tone(hertz: float, seconds: float, level: float) -> np.ndarray:
    """(1, n) float32."""
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE))[None].astype(np.float32)


def mix(*sounds: np.ndarray, cuts: tuple[int, ...] = (1000, 1001, 30000)) -> np.ndarray:
    """The sounds come in uneven blocks."""
    return np.concatenate(list(mixed([iter(np.split(sound, cuts, axis=1)) for sound in sounds], RATE, "mono")), axis=1)


def test_the_sum_of_quiet_sounds_is_exact_and_as_long_as_the_longest() -> None:
    low, high = tone(200, 1.23, 0.4), tone(3000, 2.345, 0.4)
    expected = high.copy()
    expected[:, : low.shape[1]] += low
    assert np.abs(mix(low, high) - expected).max() < 1e-6
    assert np.array_equal(mix(low), low), "a single sound is left as it is"


def test_loud_voices_together_do_not_clip() -> None:
    loud = tone(200, 2, 0.9)
    quiet = np.concatenate([tone(330, 1, 0.0), tone(330, 1, 0.9)], axis=1)  # both speak in the second half only
    both = mix(loud, quiet)
    assert both.shape == loud.shape and np.abs(both).max() <= LIMIT + 1e-4
    assert np.abs(both[:, : RATE * 9 // 10] - loud[:, : RATE * 9 // 10]).max() < 1e-6, "turned down only where it clips"
    sure = slice(RATE + RATE // 10, None)
    assert np.corrcoef(both[0, sure], (loud + quiet)[0, sure])[0, 1] > 0.99, "turned down, not cut off"


@pytest.mark.parametrize(("channels", "rate"), [(1, 16000), (2, 44100)])
def test_the_result_has_every_voice_at_its_time(tmp_path: Path, channels: int, rate: int) -> None:
    burst = 0.8 * np.sin(2 * np.pi * 1000 * np.arange(rate // 100) / rate)
    sound = np.zeros((rate * 2, channels))
    sound[rate : rate + len(burst)] = burst[:, None]
    early = np.zeros(8000)
    early[4000:4080] = 0.8 * np.sin(2 * np.pi * 1000 * np.arange(80) / 8000)
    voices = [wav(tmp_path / "a.wav", sound, rate), wav(tmp_path / "b.wav", early, 8000)]
    with VideoWriter(tmp_path / "o.mp4", Fraction(25), (128, 96), "draft", voices) as writer:
        for n in range(50):
            writer.write(Frame.of(numbered(n)))
    info = probe_sound(tmp_path / "o.mp4")
    assert (info.rate, info.channels) == (rate, channels)
    heard = load_sound(tmp_path / "o.mp4").samples
    assert onsets(heard, 16000) == pytest.approx([0.5, 1.0], abs=0.005)
    levels = [np.abs(heard[at : at + 400]).max() for at in (8000, 16000)]
    assert levels == pytest.approx([0.8, 0.8], abs=0.15), "mono beside stereo is as loud as before"
