"""Agreement of tracks whose lag is known."""

from __future__ import annotations

import numpy as np
import pytest

from heygem.quality.agreement import agreement


def wave(shift: float = 0.0) -> np.ndarray:
    times = np.arange(200) - shift
    return np.sin(times / 3) + 0.5 * np.sin(times / 1.7)


@pytest.mark.parametrize("early", [-1.0, 0.0, 0.4, 1.3])
def test_the_offset_is_found_to_a_part_of_a_frame(early: float) -> None:
    found = agreement(wave(), wave(early))
    assert found.offset == pytest.approx(early, abs=0.1)
    assert found.best > 0.95 and found.best >= found.level


def test_noise_agrees_with_nothing_and_a_still_mouth_neither() -> None:
    noise = np.random.default_rng(0).standard_normal(2000)
    assert abs(agreement(noise, np.roll(noise, 500)).best) < 0.1
    assert agreement(np.zeros(200), wave()).best == 0


def test_a_lag_beyond_two_frames_stays_at_the_edge() -> None:
    assert agreement(wave(), wave(3)).offset == 2
    assert agreement(wave(), wave(-3)).offset == -2
