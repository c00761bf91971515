"""What the engine learns of a person and asks of the mouth."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from heygem.engines.mesh.person import Talk, average_opening, close_lips, study
from heygem.faces.shape import CHIN, INNER_LOWER, INNER_UPPER, MOUTH, gap, mean_face
from heygem.speech.motion import MouthBasis

LOWER = [*INNER_LOWER[1:-1], 17, *CHIN]


def opened(amount: float) -> np.ndarray:
    """The mean face with the jaw dropped so far that the lips stand ``amount`` apart."""
    shape = mean_face().astype(float)
    shape[LOWER, 1] += amount - gap(shape)
    return shape


@pytest.fixture
def basis() -> MouthBasis:
    """One component: +1 opens by 0.1."""
    components = np.zeros((1, 468, 3), np.float32)
    components[0, LOWER, 1] = 0.1
    return MouthBasis(components, np.array([-0.5], np.float32), np.array(MOUTH))


@pytest.mark.parametrize("opening", [0.0, 0.05, 0.3])
def test_closing_is_absolute(opening: float) -> None:
    closed = close_lips(opened(opening))
    assert abs(gap(closed)) < 1e-9
    assert np.allclose(closed[list(INNER_UPPER), 1], closed[list(INNER_LOWER), 1])
    assert (closed[[37, 0, 267], 1] < closed[[82, 13, 312], 1]).all(), "the lips keep their thickness"
    assert np.allclose(closed[[6, 8]], opened(opening)[[6, 8]], atol=1e-4), "the bridge of the nose stays"


def test_a_closed_mouth_is_left_alone() -> None:
    closed = close_lips(opened(0.2))
    assert np.allclose(close_lips(closed), closed)


def avatar_of(openings: np.ndarray, fps: int = 25) -> SimpleNamespace:
    landmarks = np.stack([opened(o) for o in openings]) * 120 + (300, 300, 0)
    weight = np.ones(len(openings), np.float32)
    return SimpleNamespace(landmarks=landmarks.astype(np.float32), weight=weight, fps=Fraction(fps))


def syllables(frames: int, fps: int = 25) -> np.ndarray:
    """(frames,) 0..1: lips that open and close four times a second."""
    return 0.5 - 0.5 * np.cos(np.arange(frames) / fps * 4 * 2 * np.pi)


def talk_of(openings: np.ndarray, basis: MouthBasis, fps: int = 25) -> Talk:
    return study(avatar_of(openings, fps), basis).talk  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("fps", [25, 60])
def test_a_wide_talker_is_told_from_a_small_one(basis: MouthBasis, fps: int) -> None:
    wide, small = (talk_of(0.02 + size * syllables(10 * fps, fps), basis, fps) for size in (0.3, 0.1))
    assert wide.opening > 1.5 * small.opening
    assert wide.spread[0] > 1.8 * small.spread[0]


def test_whoever_is_not_seen_talking_talks_like_the_average(basis: MouthBasis) -> None:
    yawn = 0.6 * np.exp(-(((np.arange(250) - 125) / 40) ** 2))
    for openings in (np.zeros(250), np.full(250, 0.2), yawn, np.array([0.2])):
        talk = talk_of(openings, basis)
        assert talk.opening == average_opening(basis) and talk.contrast == 1
        assert (talk.spread == 1).all() and (talk.shift == 0).all()


def test_more_evidence_is_believed_more(basis: MouthBasis) -> None:
    openings = [talk_of(0.3 * syllables(frames), basis).opening for frames in (15, 50, 500)]
    assert average_opening(basis) < openings[0] < openings[1] < openings[2] < 0.155


def test_a_yawn_among_talking_changes_little(basis: MouthBasis) -> None:
    plain = 0.15 * syllables(500)
    with_yawn = np.maximum(plain, 0.7 * np.exp(-(((np.arange(500) - 250) / 20) ** 2)))
    assert talk_of(with_yawn, basis).opening == pytest.approx(talk_of(plain, basis).opening, rel=0.25)


def test_a_smile_while_talking_is_kept(basis: MouthBasis) -> None:
    avatar = avatar_of(0.2 * syllables(250))
    avatar.landmarks[60:, (61, 291), 0] += np.array([-6, 6], np.float32)  # after a pause with calm corners
    avatar.landmarks[:60] = avatar_of(np.zeros(1)).landmarks
    shift = study(avatar, basis).talk.shift  # pyright: ignore[reportArgumentType]
    assert shift[291, 0] - shift[61, 0] > 0.05


def test_rest_is_the_pause_and_not_the_pressed_lips_of_a_syllable(basis: MouthBasis) -> None:
    openings = np.concatenate([0.2 * syllables(200), np.full(40, 0.01)])
    avatar = avatar_of(openings)
    pressed = openings < 0.005
    avatar.landmarks[pressed, 0, 1] += 5  # the upper lip rolled in
    closed = study(avatar, basis).closed  # pyright: ignore[reportArgumentType]
    assert closed[13, 1] - closed[0, 1] == pytest.approx(opened(0)[13, 1] - opened(0)[0, 1], abs=0.01)


def test_study_of_a_single_picture(basis: MouthBasis) -> None:
    found = study(avatar_of(np.array([0.2])), basis)  # pyright: ignore[reportArgumentType]
    assert abs(gap(found.closed)) < 1e-6
    assert np.isclose(gap(found.shapes([0])[0]), 0.2, atol=0.01)
