"""What the engine learns of a person and asks of the mouth."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from heygem.engines.mesh.geometry import mesh_triangles, moving, ring
from heygem.engines.mesh.interior import Interior, mouth_lines
from heygem.engines.mesh.person import Person, close_lips, study
from heygem.engines.mesh.retarget import smooth_rows, target_offsets, target_shapes
from heygem.faces.shape import CHIN, INNER_LOWER, INNER_UPPER, MOUTH, Pose, gap, mean_face
from heygem.speech.motion import Motion, MouthBasis

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


def person(shape: np.ndarray, amplitude: float = 1.0) -> Person:
    pose = Pose(np.array([100.0]), np.eye(3)[None], np.zeros((1, 3)))
    return Person(100 * shape[None], pose, close_lips(shape), amplitude)


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


def test_rest_keeps_the_lips_together_and_a_row_opens_them(basis: MouthBasis) -> None:
    rows = np.array([[-0.5], [1.5]], np.float32)
    someone = person(opened(0.1))
    offsets = target_offsets(Motion(rows, np.ones(2, np.float32)), basis, someone, 1.0)
    assert np.allclose(gap(target_shapes(offsets, basis, someone)), [0, 0.2], atol=1e-6)


def test_strength_scales_the_opening_and_zero_keeps_it_closed(basis: MouthBasis) -> None:
    motion = Motion(np.array([[0.5]], np.float32), np.ones(1, np.float32))
    someone = person(opened(0.1))
    openings = [gap(target_shapes(target_offsets(motion, basis, someone, s), basis, someone))[0] for s in (0, 1, 2)]
    assert np.allclose(openings, [0, 0.1, 0.2], atol=1e-6)


def test_lips_never_pass_each_other(basis: MouthBasis) -> None:
    shapes = target_shapes(np.array([[-3.0]]), basis, person(opened(0.1)))
    assert (shapes[0, INNER_LOWER, 1] - shapes[0, INNER_UPPER, 1] >= -1e-9).all()


def test_smoothing_is_calm_and_never_late() -> None:
    rows = np.zeros((101, 1))
    rows[50] = 1
    smooth = smooth_rows(rows, 1.0, 25)
    assert smooth.argmax() == 50 and smooth.max() < 0.5
    assert np.allclose(smooth, smooth[::-1])
    assert np.isclose(smooth.sum(), 1)
    assert smooth_rows(rows, 0.0, 25) is rows


def avatar_of(openings: np.ndarray) -> SimpleNamespace:
    landmarks = np.stack([opened(o) for o in openings]) * 120 + (300, 300, 0)
    return SimpleNamespace(landmarks=landmarks.astype(np.float32), weight=np.ones(len(openings), np.float32))


def test_a_wide_talker_is_told_from_a_small_one_and_from_a_silent_one(basis: MouthBasis) -> None:
    wave = np.abs(np.sin(np.arange(100) * 0.5))
    wide, small, silent = (study(avatar_of(a * wave), basis).amplitude for a in (0.5, 0.2, 0.0))  # pyright: ignore
    assert wide > small
    assert silent == 1.0
    assert small >= 0.7 and wide <= 1.3


def test_study_of_a_single_picture(basis: MouthBasis) -> None:
    found = study(avatar_of(np.array([0.2])), basis)  # pyright: ignore[reportArgumentType]
    assert found.amplitude == 1.0
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


def test_the_drawn_inside_has_teeth_above_and_darkness_and_stays_between_the_lips() -> None:
    someone, shape = person(opened(0.0)), opened(0.35)
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
