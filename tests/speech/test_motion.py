"""Listening: rows in time with the video, at rest in silence, equal for any level and in pieces; shipped weights."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from heygem.errors import EngineUnavailable
from heygem.speech import motion
from heygem.speech.features import RATE, mel_power
from heygem.speech.motion import Motion, listen, mouth_basis

PAL = Fraction(25)


def frames_of(samples: np.ndarray, fps: Fraction) -> int:
    return int(len(samples) / RATE * fps)


def opening(found: Motion) -> np.ndarray:
    """(n,) canonical opening of the lips beyond rest."""
    components = mouth_basis().components
    return (found.rows - mouth_basis().rest) @ (components[:, 14, 1] - components[:, 13, 1])


@pytest.fixture(scope="module")
def spoken(speech: np.ndarray) -> Motion:
    return listen(speech, PAL, frames_of(speech, PAL))


def test_shapes_and_range(spoken: Motion, speech: np.ndarray) -> None:
    basis = mouth_basis()
    assert spoken.rows.shape == (frames_of(speech, PAL), len(basis.rest)) and spoken.rows.dtype == np.float32
    assert spoken.voice.shape == (len(spoken.rows),) and spoken.voice.min() >= 0 and spoken.voice.max() <= 1
    assert np.isfinite(spoken.rows).all()


def test_talks_like_an_average_talker(spoken: Motion) -> None:
    talking = spoken.rows[spoken.voice == 1]
    assert 0.6 < talking[:, 0].std() < 1.6 and abs(talking[:, 0].mean()) < 0.6
    assert 0.08 < np.quantile(opening(spoken), 0.95) < 0.45


def test_opening_follows_the_sound(spoken: Motion, speech: np.ndarray) -> None:
    """Knows nothing of the network: loud vowels open the mouth, and neither before nor after they sound."""
    power = gaussian_filter1d(mel_power(speech)[:, 6:50].sum(axis=1), 4)
    loud = np.log(power + power.max() * 1e-3)[:: RATE // 160 // 25][: len(spoken.rows)]
    agreement = [np.corrcoef(np.roll(spoken.rows[:, 0], shift), loud)[0, 1] for shift in range(-6, 7)]
    assert max(agreement) > 0.3
    assert abs(int(np.argmax(agreement)) - 6) <= 2


def test_lips_meet_while_talking(spoken: Motion) -> None:
    talking = opening(spoken)[spoken.voice == 1]
    assert 0.03 < (talking < 0.03).mean() < 0.6


def test_lips_meet_where_they_are_likely_shut() -> None:
    basis = mouth_basis()
    wide = np.tile(basis.rest / motion.GAIN, (30, 1))
    wide[:, 0] += 2
    shut = np.zeros(30)
    shut[10], shut[20:25] = 0.3, 0.9  # a p that is half heard, and an m
    rows = motion._close(wide, shut)
    opened = (rows - basis.rest) @ basis.gaps
    assert np.allclose(opened[[10, *range(20, 25)]], 0, atol=1e-6)
    assert (opened[[5, 15, 27]] > 0.1).all() and 0 < opened[9] < opened[5]
    assert np.abs(rows[10, 1] - rows[5, 1]) < 0.6 * np.abs(rows[10, 0] - rows[5, 0])
    low = motion._close(wide, np.full(30, 0.3))  # always a little likely is no p
    assert ((low - basis.rest) @ basis.gaps > 0.1).all()


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), PAL, Fraction(30000, 1001), Fraction(60)], ids=str)
@pytest.mark.parametrize("cut", [0, 1, 7777])
def test_rows_are_in_time_at_every_rate(fps: Fraction, cut: int, spoken: Motion, speech: np.ndarray) -> None:
    """Row n at any rate is the motion at n / fps: between the rows of the same sound at 25 a second."""
    samples = speech[: len(speech) - cut]
    found = listen(samples, fps, frames_of(samples, fps))
    times = np.arange(len(found.rows)) / float(fps) * 25
    expected = np.interp(times, np.arange(len(spoken.rows)), spoken.rows[:, 0])
    early = times < len(spoken.rows) - 50
    agreement = [
        np.corrcoef(
            found.rows[early, 0], np.interp(times + late, np.arange(len(spoken.rows)), spoken.rows[:, 0])[early]
        )[0, 1]
        for late in (-1, -0.5, 0, 0.5, 1)
    ]
    assert int(np.argmax(agreement)) == 2 and agreement[2] > 0.98
    assert np.abs(found.rows[early, 0] - expected[early]).mean() < 0.15


def test_later_sound_moves_the_mouth_later(spoken: Motion, speech: np.ndarray) -> None:
    late = listen(np.concatenate([np.zeros(2 * RATE, np.float32), speech]), PAL, len(spoken.rows) + 50)
    assert np.abs(late.rows[50:] - spoken.rows)[20:-20].mean() < 0.05


def test_known_times_between_rows() -> None:
    """The interpolation itself: exact for a straight line, close for a slow wave, held at the ends."""
    line = np.arange(20.0)[:, None] * (1, -2)
    times = np.array([0, 0.25, 7.5, 17.75])
    assert np.allclose(motion._at(times, line)[2:], times[2:, None] * (1, -2))
    assert np.allclose(motion._at(np.array([-3.0, 40.0]), line), line[[0, -1]])
    wave = np.sin(np.arange(100)[:, None] * 0.5)
    between = np.arange(200, 800) / 10
    assert np.abs(motion._at(between, wave)[:, 0] - np.sin(between * 0.5)).max() < 0.02


@pytest.mark.parametrize("sound", ["silence", "noise", "hum"])
def test_without_voice_the_mouth_rests_and_stays(sound: str) -> None:
    time = np.arange(4 * RATE) / RATE
    samples = {
        "silence": np.zeros_like(time),
        "noise": np.random.default_rng(0).normal(size=len(time)) * 0.05,
        "hum": 0.1 * np.sin(2 * np.pi * 50 * time),
    }[sound].astype(np.float32)
    found = listen(samples, PAL, 100)
    assert np.array_equal(found.rows[10:], np.tile(mouth_basis().rest, (90, 1)))


def test_rest_after_the_end_of_the_sound(speech: np.ndarray) -> None:
    found = listen(speech[RATE : 2 * RATE], PAL, 75)
    assert found.voice[:25].max() == 1
    assert opening(found)[32:].max() < 0.5 * opening(found)[:25].max()  # it closes, it does not freeze
    assert np.array_equal(found.rows[45:], np.tile(mouth_basis().rest, (30, 1)))


@pytest.mark.parametrize("length", [0, 1, 100, 1600])
def test_very_short_sound(length: int) -> None:
    found = listen(np.full(length, 0.1, np.float32), PAL, 3)
    assert found.rows.shape == (3, len(mouth_basis().rest)) and np.isfinite(found.rows).all()


@pytest.mark.parametrize("decibel", [-20, 20])
def test_level_does_not_matter(decibel: int, spoken: Motion, speech: np.ndarray) -> None:
    found = listen(speech * 10 ** (decibel / 20), PAL, len(spoken.rows))
    assert np.abs(found.rows - spoken.rows).max() < 0.1


def test_noise_does_not_silence_the_voice(spoken: Motion, speech: np.ndarray) -> None:
    noise = np.random.default_rng(0).normal(size=len(speech)) * speech.std() * 10 ** (-10 / 20)
    found = listen((speech + noise).astype(np.float32), PAL, len(spoken.rows))
    assert np.corrcoef(found.rows[:, 0], spoken.rows[:, 0])[0, 1] > 0.6


def test_same_sound_same_rows(spoken: Motion, speech: np.ndarray) -> None:
    assert np.array_equal(listen(speech, PAL, len(spoken.rows)).rows, spoken.rows)


def test_pieces_are_as_good_as_the_whole(spoken: Motion, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion, "PIECE", 240)
    monkeypatch.setattr(motion, "CONTEXT", 160)
    found = listen(speech, PAL, len(spoken.rows))
    assert np.abs(found.rows - spoken.rows).max() < 1e-3


def test_basis_moves_the_mouth_and_nothing_else() -> None:
    basis = mouth_basis()
    size = np.linalg.norm(basis.components, axis=2)
    eyes_and_forehead = (10, 151, 67, 297, 33, 133, 362, 263, 168, 6, 21, 251)
    assert size[0, 14] > 10 * size[0, list(eyes_and_forehead)].max()
    gap = basis.components[:, 14, 1] - basis.components[:, 13, 1]
    width = basis.components[:, 291, 0] - basis.components[:, 61, 0]
    assert gap[0] > 0.01 and width[1] < -0.01
    assert basis.rest[0] < -0.5


def test_rows_of_finds_the_rows_of_a_shape() -> None:
    basis = mouth_basis()
    rows = np.random.default_rng(0).normal(size=(20, len(basis.rest))).astype(np.float32)
    shapes = np.tensordot(rows - basis.rest, basis.components, axes=1)
    assert np.allclose(basis.rows_of(shapes), rows, atol=1e-3)


def test_weights_are_small_and_say_what_they_are() -> None:
    assert motion.ASSET.stat().st_size < 8_000_000
    metadata = motion._load()[2]
    assert metadata["version"] and metadata["recipe"] and metadata["licence"] == "Apache-2.0"


@pytest.mark.parametrize("content", [None, b"", b"not weights at all"])
def test_missing_or_damaged_weights(content: bytes | None, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "speech_motion.safetensors"
    if content is not None:
        bad.write_bytes(content)
    monkeypatch.setattr(motion, "ASSET", bad)
    motion._load.cache_clear()
    with pytest.raises(EngineUnavailable, match="speech_motion"):
        mouth_basis()
    motion._load.cache_clear()


def test_importing_needs_no_torch() -> None:
    code = "import sys, heygem.speech.motion as m; m.mouth_basis(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
