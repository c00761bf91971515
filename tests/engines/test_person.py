"""What the engine learns of a person and asks of the mouth."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from heygem.engines.mesh.geometry import mesh_triangles, moving, ring
from heygem.engines.mesh.interior import Interior, mouth_lines
from heygem.engines.mesh.person import Person, Talk, average_opening, average_talk, close_lips, study
from heygem.faces.shape import CHIN, INNER_LOWER, INNER_UPPER, MOUTH, Pose, gap, mean_face
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


def person(shape: np.ndarray, basis: MouthBasis) -> Person:
    pose = Pose(np.array([100.0]), np.eye(3)[None], np.zeros((1, 3)))
    return Person(100 * shape[None], pose, close_lips(shape), average_talk(basis))


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


def test_eyes_and_nose_do_not_move_but_lips_and_chin_do() -> None:
    weight = moving(close_lips(opened(0.1)))
    assert (weight[[33, 263, 1, 2, 4, 168, 10]] == 0).all()
    assert (weight[[0, 17, 13, 14, 61, 291, 152]] == 1).all()


def test_the_ring_lies_outside_the_jaw() -> None:
    face = mean_face()[None] * 100
    outside = ring(face)[0]
    assert outside[:, 1].max() > face[0, 152, 1] + 20
    assert outside[:, 0].min() < face[0, :, 0].min() and outside[:, 0].max() > face[0, :, 0].max()
    assert mesh_triangles().max() == 468 + 22 + len(outside) - 1


def test_teeth_stay_with_the_skull_when_the_lip_comes_down() -> None:
    own, target = opened(0.3), opened(0.3)
    target[list(INNER_UPPER[1:-1]), 1] += 0.1
    points = mouth_lines(own, target)
    assert np.allclose(points[5, 1], target[13, 1], atol=0.02), "the pixel under the lip is the one that was there"


def test_lower_teeth_go_with_the_jaw() -> None:
    own, target = opened(0.3), opened(0.15)
    points = mouth_lines(own, target)
    assert np.isclose(points[16, 1], own[14, 1], atol=0.02)


def test_pixels_of_the_inside_are_never_taken_from_the_lips() -> None:
    own, target = opened(0.05), opened(0.4)
    points = mouth_lines(own, target)
    top = np.interp(points[:, 0], own[list(INNER_UPPER), 0], own[list(INNER_UPPER), 1])
    bottom = np.interp(points[:, 0], own[list(INNER_LOWER), 0], own[list(INNER_LOWER), 1])
    assert (points[:, 1] >= top - 1e-6).all() and (points[:, 1] <= bottom + 1e-6).all()


def test_an_inside_is_missing_only_where_the_picture_cannot_show_it() -> None:
    interior = Interior(np.array([180.0, 140.0, 120.0]))
    assert interior.missing(opened(0.3), opened(0.2)) == 0
    assert interior.missing(opened(0.0), opened(0.2)) == 1
    assert interior.missing(opened(0.0), opened(0.0)) == 0


def test_the_drawn_inside_has_teeth_above_and_darkness_and_stays_between_the_lips(
    basis: MouthBasis,
) -> None:
    someone, shape = person(opened(0.0), basis), opened(0.35)
    interior = Interior(np.array([180.0, 140.0, 120.0]))
    layer = np.full((300, 300, 3), 90, np.float32)
    points = shape[:, :2] * 100 + (150, 40)
    rim = points[list(INNER_UPPER + INNER_LOWER)]
    interior.paint(layer, np.concatenate([points, rim]), shape, someone, 0, 1.0)
    changed = np.abs(layer - 90).max(axis=2) > 1
    rows, columns = np.nonzero(changed)
    assert rows.min() >= points[13, 1] - 4 and rows.max() <= points[14, 1] + 4
    assert columns.min() >= points[78, 0] - 4 and columns.max() <= points[308, 0] + 4
    middle = layer[int(points[13, 1]) + 1 : int(points[14, 1]), int(points[13, 0]) + 5].mean(axis=1)
    assert middle.max() > 60 and middle.min() < 25
    assert middle[: len(middle) // 2].max() >= middle[len(middle) // 2 :].max(), "upper teeth are the brightest"
