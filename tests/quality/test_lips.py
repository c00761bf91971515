"""Measures of lips whose motion is known."""

from __future__ import annotations

import numpy as np
import pytest

from heygem.faces.shape import LIPS, gap, mean_face
from heygem.quality import lips
from tests.quality.faces import head, shapes, shifted

TALK = 0.08 * (1 + np.sin(np.arange(120) / 2.5))


def seen(canonical: np.ndarray, seed: int = 0) -> lips.Lips:
    return lips.lips_of(head(len(canonical), seed).to_picture(canonical))


def test_the_opening_is_the_same_under_any_head() -> None:
    first, other = (seen(shapes(TALK), seed) for seed in (0, 1))
    assert first.gap == pytest.approx(other.gap, abs=2e-3)
    assert np.ptp(first.gap) == pytest.approx(np.ptp(TALK), rel=0.02)
    assert np.corrcoef(first.opening, TALK)[0, 1] > 0.99 > 0.9 > np.corrcoef(first.rounding, TALK)[0, 1]


def test_a_narrow_mouth_is_round() -> None:
    narrow = shapes(np.zeros(120))
    narrow[:, list(LIPS), 0] *= 1 - TALK[:, None]
    found = seen(narrow)
    assert np.corrcoef(found.rounding, TALK)[0, 1] > 0.99
    assert np.ptp(found.gap) < 1e-3


def test_distance_is_in_units_of_the_eyes() -> None:
    true = seen(shapes(TALK))
    made = lips.lips_of(head(120).to_picture(shifted(shapes(TALK), 0.05)), lips.mean_shape(true.landmarks))
    assert lips.distance(made, true) == pytest.approx((0.05, 0.05), rel=0.05)
    assert lips.distance(true, true) == (0, 0)


def test_distance_in_the_picture_sees_a_head_in_another_place() -> None:
    landmarks = head(120).to_picture(shapes(TALK))
    true, made = lips.lips_of(landmarks), lips.lips_of(landmarks + np.array([10, 0, 0]))
    bent, placed = lips.distance(made, true)
    assert bent < 0.001
    assert placed == pytest.approx(0.1, rel=0.1)


def test_closures_by_frames_and_by_events() -> None:
    true, made = np.zeros(40, bool), np.zeros(40, bool)
    true[5:8] = true[20:22] = True
    made[8:10] = made[30] = made[20] = True  # one frame late, out of the blue, half
    found = lips.closures(made, true)
    assert found == lips.Closures(precision=1 / 4, recall=1 / 5, event_precision=2 / 3, event_recall=1.0)


def test_no_closures_is_no_answer() -> None:
    found = lips.closures(np.zeros(9, bool), np.zeros(9, bool))
    assert all(np.isnan(value) for value in vars(found).values())


def test_stillness_hears_only_silence() -> None:
    voice = (np.arange(120) < 60).astype(float)
    gaps = np.where(voice > 0, TALK, 0.02)
    assert lips.stillness(gaps, voice) == pytest.approx(0, abs=1e-9)
    assert lips.resting(gaps, voice) == pytest.approx(0.02)
    assert lips.stillness(TALK, np.zeros(120)) == pytest.approx(TALK.std())
    assert np.isnan(lips.stillness(TALK, np.ones(120)))


def test_jitter_is_the_shiver_of_still_lips() -> None:
    noise = 0.004 * np.random.default_rng(1).standard_normal((300, 468, 3))
    quiet, shaking = shapes(np.zeros(300)), shapes(np.zeros(300)) + noise
    calm, shiver = (lips.jitter(lips.Lips(s, s, head(300))) for s in (quiet, shaking))
    assert calm < 1e-6
    assert shiver == pytest.approx(0.004 * np.sqrt(2) * 0.85, rel=0.1)  # the Gaussian keeps a part of the noise
    slow = shapes(0.05 * np.sin(np.arange(300) / 60))
    assert lips.jitter(lips.Lips(slow, slow, head(300))) < 0.05 * shiver


def test_shut_is_the_persons_own() -> None:
    assert lips.shut_level(gap(shapes(TALK))) == pytest.approx(gap(mean_face()), abs=0.01)
