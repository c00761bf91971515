"""Cepstra agree with python_speech_features 0.6, which SyncNet was trained with."""

from __future__ import annotations

import numpy as np

from heygem.quality import mfcc as module
from heygem.quality.mfcc import RATE, mfcc

KNOWN = [
    [19.967, 3.617, 9.659, 40.238, -27.815, -8.264, 14.027, -50.761, -15.506, -2.256, -46.675, -2.411, 1.119],
    [21.06, 5.936, -23.203, -8.187, -45.907, 3.687, 53.627, -4.275, 9.313, -0.943, -49.324, 5.88, 20.607],
    [21.945, -7.471, -37.741, 8.563, 15.626, 7.387, -11.684, -30.697, 30.732, 21.816, -42.838, 0.434, 21.287],
]
"""Rows 0, 20 and 48 of the sweep, by python_speech_features."""


def sweep() -> np.ndarray:
    t = np.arange(RATE // 2) / RATE
    return 0.3 * np.sin(2 * np.pi * (200 * t + 1500 * t * t)) + 0.05 * np.sin(2 * np.pi * 3300 * t)


def test_known_answers() -> None:
    rows = mfcc(sweep())
    assert rows.shape == (49, 13)
    np.testing.assert_allclose(rows[[0, 20, 48]], KNOWN, atol=2e-3)


def test_pieces_make_no_difference(monkeypatch) -> None:
    whole = mfcc(sweep())
    monkeypatch.setattr(module, "_CHUNK", 7)
    np.testing.assert_array_equal(mfcc(sweep()), whole)


def test_a_window_that_is_not_full_ends_in_silence() -> None:
    samples = sweep()
    assert len(mfcc(samples[:400])) == 1 and len(mfcc(samples[:401])) == 2
    np.testing.assert_array_equal(mfcc(samples[:401])[0], mfcc(samples[:400])[0])
    assert np.isfinite(mfcc(np.zeros(1000))).all(), "digital silence has a logarithm, too"
