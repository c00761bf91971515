"""The sound as Wav2Lip hears it, against its definition, and the columns that belong to each frame.

librosa was run beside it (``benchmarks/parity.py``): columns agree to 4e-5.
"""

from __future__ import annotations

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from heygem.engines.wav2lip import mel as module
from heygem.engines.wav2lip.mel import BANDS, COLUMNS, HIGHEST, LOWEST, RATE, WINDOW, filter_bank, mel, windows


def noise(count: int, loud: float = 0.1) -> np.ndarray:
    return (np.random.default_rng(count).standard_normal(count) * loud).astype(np.float32)


def tone(hertz: float, seconds: float = 1.0, loud: float = 0.5) -> np.ndarray:
    return (loud * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def numbered(count: int) -> np.ndarray:
    """(80, count): every column holds its number."""
    return np.broadcast_to(np.arange(count, dtype=np.float32), (BANDS, count))


def slowly(samples: np.ndarray, column: int) -> np.ndarray:
    """(80,): one column, from the definition and in plain steps."""
    emphasised = np.array(samples, float)
    emphasised[1:] -= 0.97 * np.array(samples[:-1], float)
    padded = np.pad(emphasised, 400, mode="reflect")[200 * column : 200 * column + 800]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(800) / 800)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(401), np.arange(800)) / 800)
    level = (
        20 * np.log10(np.maximum(1e-5, filter_bank(16000, 800, 80, 55.0, 7600.0) @ abs(turns @ (padded * hann)))) - 20
    )
    return np.clip(8 * (level + 100) / 100 - 4, -4, 4)


@pytest.mark.parametrize("count", [3000, 3001, 3199])
def test_columns_are_as_defined_up_to_both_ends(count: int):
    sound = noise(count)
    heard = mel(sound)
    assert heard.shape == (BANDS, 16) and heard.dtype == np.float32
    for column in (0, 1, 7, 14, 15):
        np.testing.assert_allclose(heard[:, column], slowly(sound, column), atol=1e-5)


def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch):
    sound = noise(40_100)
    at_once = mel(sound)
    for chunk in (1, 7, 200):
        monkeypatch.setattr(module, "_CHUNK", chunk)
        np.testing.assert_allclose(mel(sound), at_once, atol=1e-6)


def test_memory_does_not_grow_with_the_sound():
    """Beside the columns themselves, which are 2 % of the samples a second."""

    def beside(seconds: int) -> int:
        sound = np.zeros(seconds * RATE, np.float32)
        tracemalloc.start()
        columns = mel(sound).nbytes
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak - columns

    assert beside(240) < 1.05 * beside(120)


def test_silence_and_noise_stay_inside_the_limits():
    assert (mel(np.zeros(8000, np.float32)) == -4).all()
    loud = mel(noise(8000, 1000.0))
    assert np.isfinite(loud).all() and loud.max() == 4


def test_a_tone_is_heard_in_its_band():
    bank = filter_bank(RATE, WINDOW, BANDS, LOWEST, HIGHEST)
    for hertz in (200, 1000, 4000):
        loudest = mel(tone(hertz))[:, 40].argmax()
        assert bank[loudest, hertz * WINDOW // RATE] == bank[:, hertz * WINDOW // RATE].max()


def test_ten_times_louder_is_twenty_decibels():
    """Which are 1.6 of the 8 steps that 100 dB have."""
    assert mel(tone(1000, loud=0.5))[:, 40].max() - mel(tone(1000, loud=0.05))[:, 40].max() == pytest.approx(1.6)


def test_the_bands_follow_slaney():
    bank = filter_bank(RATE, WINDOW, BANDS, LOWEST, HIGHEST)
    bins = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    assert bank.shape == (BANDS, WINDOW // 2 + 1) and (bank >= 0).all()
    assert not bank[:, bins < LOWEST].any() and not bank[:, bins > HIGHEST].any()
    fine = filter_bank(RATE, 160_000, BANDS, LOWEST, HIGHEST)
    np.testing.assert_allclose(fine.sum(axis=1) * 0.1, 1, rtol=1e-3)  # all of one area, in Hz
    peaks = fine.argmax(axis=1) * 0.1
    assert np.diff(peaks[peaks < 1000]).std() < 0.1  # even steps, then even ratios
    assert np.diff(np.log(peaks[peaks > 1000])).std() < 1e-4


@pytest.mark.parametrize("count", [1, 2, 150, 401])
def test_the_shortest_sounds_are_heard(count: int):
    assert np.isfinite(mel(noise(count))).all()


@pytest.mark.parametrize(
    ("fps", "frame", "first"),
    [
        (Fraction(25), 0, 0),
        (Fraction(25), 1, 3),
        (Fraction(25), 5, 16),
        (Fraction(25), 90_000, 288_000),
        (Fraction(30), 2, 5),
        (Fraction(30000, 1001), 89_910, 239_999),
        (Fraction(60), 7, 9),
    ],
)
def test_a_frame_hears_from_its_own_time_on(fps: Fraction, frame: int, first: int):
    heard = windows(numbered(300_000), fps, frame + 1)
    assert len(heard) == frame + 1
    assert heard[frame : frame + 1][0, 0].tolist() == list(range(first, first + COLUMNS))


def test_frames_behind_the_end_hear_the_last_columns():
    heard = windows(numbered(50), Fraction(25), 30)[:]
    assert heard.shape == (30, BANDS, COLUMNS)
    assert heard[10, 0, 0] == 32 and (heard[11:, 0, 0] == 34).all()  # 35 would be the first past the end


def test_after_a_very_short_sound_there_is_silence():
    heard = windows(numbered(9), Fraction(25), 3)[:]
    assert heard.shape == (3, BANDS, COLUMNS)
    assert (heard[:, :, :9] == numbered(9)).all() and (heard[:, :, 9:] == -4).all()


def test_a_stretch_is_the_same_as_all():
    heard = windows(mel(noise(RATE)), Fraction(25), 25)
    assert (heard[7:12] == heard[:][7:12]).all()
    heard[0:1][...] = 9  # whoever changes what he got changes nobody else's
    assert heard[0:1].max() < 9
