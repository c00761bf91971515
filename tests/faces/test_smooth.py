"""Smoothing takes noise and gives no lag."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from heygem.faces.shape import align, gap, mean_face
from heygem.faces.smooth import pieces, smooth


def talking(frames: int, fps: float) -> np.ndarray:
    """A head that sways and a mouth that opens and closes twice a second, (n, 468, 3) px."""
    t = np.arange(frames) / fps
    points = np.repeat(100 * mean_face()[None].astype(np.float64), frames, axis=0)
    points[:, 14, 1] += 10 * (1 + np.sin(2 * np.pi * 2 * t))
    points[:, :, 0] += 300 + 30 * np.sin(2 * np.pi * 0.5 * t)[:, None]
    return points.astype(np.float32)


@pytest.mark.parametrize("fps", [25, 60])
def test_no_lag_and_hardly_less_motion(fps: int) -> None:
    truth = talking(4 * fps, fps)
    for values in (lambda x: gap(align(x)[0]), lambda x: x[:, 4, 0]):
        a, b = values(truth), values(smooth(truth, Fraction(fps)))
        middle = slice(fps, 3 * fps)
        shifts = {k: np.corrcoef(a[middle], np.roll(b, k)[middle])[0, 1] for k in (-1, 0, 1)}
        assert max(shifts, key=lambda k: shifts[k]) == 0
        assert b[middle].std() / a[middle].std() == pytest.approx(1, abs=0.06)


def test_noise_shrinks_more_at_higher_rates() -> None:
    rng = np.random.default_rng(0)
    left = []
    for fps in (25, 60):
        truth = talking(2 * fps, fps)
        noisy = truth + rng.normal(0, 1, truth.shape).astype(np.float32)
        left.append((smooth(noisy, Fraction(fps)) - smooth(truth, Fraction(fps))).std())
    assert left[0] < 0.75 and left[1] < 0.6 * left[0] + 0.15


def test_long_films_in_pieces_and_single_frames() -> None:
    truth = talking(2100, 25)
    joined = np.full_like(truth, np.nan)
    for outer, inner, kept in pieces(len(truth)):
        assert outer.stop - outer.start < 1100
        joined[kept] = smooth(truth[outer], Fraction(25))[inner]
    assert np.abs(joined - smooth(truth, Fraction(25))).max() < 1e-3, "no seam at a piece's end"
    assert smooth(truth[:1], Fraction(25)) == pytest.approx(truth[:1], abs=1e-3)
