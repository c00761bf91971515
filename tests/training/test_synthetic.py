"""Synthetic speech: what the mouth does for which sound, and when."""

from __future__ import annotations

from ctypes.util import find_library

import numpy as np
import pytest

from heygem.quality.lips import SHUT
from heygem.speech.features import ROWS
from heygem.training.data import COMPONENTS
from heygem.training.synthetic import Sounding, synthetic_clips, tracks


def test_lips_close_for_p_open_for_a_and_round_for_u() -> None:
    said = [Sounding(("a", "a"), 10, 30), Sounding(("p", "p"), 30, 40), Sounding(("u", "u"), 40, 60)]
    mouth, shut = tracks(said, 70)
    assert mouth.shape == (70, COMPONENTS)
    assert shut[30:40].all() and shut.sum() == 10
    assert mouth[20, 0] > 2 * mouth[50, 0] > 4 * mouth[35, 0]
    assert mouth[50, 1] > 0.7 and mouth[20, 1] < 0.1


def test_a_diphthong_changes_on_its_way() -> None:
    mouth, _ = tracks([Sounding(("a", "u"), 10, 50)], 60)
    assert mouth[18, 0] > 2 * mouth[45, 0] and mouth[45, 1] > mouth[18, 1] + 0.5


def test_silence_is_a_mouth_at_rest() -> None:
    mouth, shut = tracks([], 30)
    assert np.ptp(mouth, axis=0).max() < 1e-9 and not shut.any()


@pytest.mark.skipif(find_library("espeak-ng") is None, reason="espeak-ng is not installed")
def test_synthetic_clips_hear_what_they_show() -> None:
    """Vowels are louder than closed lips, in every language; all clips talk, and close their lips now and then."""
    clips = synthetic_clips(6)
    for clip in clips:
        rows = np.arange(len(clip.power))
        loud = np.log(clip.power[:, 4:52].sum(axis=1) + 1e-9)
        spoken = (rows > 0.5 * ROWS) & (rows < len(rows) - 0.5 * ROWS)
        assert clip.rows.shape == (len(rows), COMPONENTS) and clip.fps == ROWS
        assert loud[spoken & (clip.rows[:, 0] > 1)].mean() > loud[spoken & (clip.gap < SHUT)].mean() + 1
        assert 0.02 < (clip.gap < SHUT).mean() < 0.3
