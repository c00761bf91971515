"""Canonical space: what pose removal must and must not change."""

from __future__ import annotations

import numpy as np
import pytest

from heygem.faces.shape import (
    INNER_LOWER,
    INNER_UPPER,
    LIPS,
    MOUTH,
    STABLE,
    Pose,
    align,
    eye_centres,
    gap,
    mean_face,
    triangles,
    width,
)


def turn(yaw: float = 0, roll: float = 0) -> np.ndarray:
    y, r = np.radians([yaw, roll])
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_z @ about_y


def test_mean_face_is_symmetric_and_in_canonical_units() -> None:
    left, right = eye_centres(mean_face())
    assert np.allclose((left + right) / 2, 0, atol=1e-6)
    assert np.isclose(np.linalg.norm(right - left), 1, atol=1e-6)
    middle = [10, 168, 1, 13, 14, 152]
    assert np.allclose(mean_face()[middle, 0], 0, atol=1e-3)
    assert mean_face()[152, 1] > mean_face()[13, 1] > mean_face()[1, 1] > 0  # chin under lips under nose under eyes
    assert mean_face()[1, 2] < mean_face()[10, 2]  # the tip of the nose is nearer to the camera


def test_triangles_are_the_published_mesh() -> None:
    found = triangles()
    assert found.shape == (854, 3)
    assert found.min() == 0 and found.max() == 467
    hole = {13, 14}
    assert not any(hole <= set(t) for t in found.tolist()), "the opening of the mouth is a hole"


def test_point_sets() -> None:
    assert len(LIPS) == 40 and len(MOUTH) == 49
    assert len(INNER_UPPER) == len(INNER_LOWER) == 11
    assert not set(STABLE) & set(MOUTH)


@pytest.mark.parametrize(("yaw", "roll", "size"), [(0, 0, 100), (30, 0, 80), (-25, 15, 300), (0, 170, 55)])
def test_pose_and_size_are_removed(yaw: float, roll: float, size: float) -> None:
    shape = mean_face().astype(float)
    shape[14, 1] += 0.2
    seen = size * shape @ turn(yaw, roll).T + (320, 240, 0)
    shapes, pose = align(seen[None].astype(np.float32))
    assert np.allclose(shapes[0], shape, atol=1e-4)
    assert np.isclose(pose.scale[0], size, rtol=1e-4)
    assert roll or np.isclose(pose.yaw[0], yaw, atol=0.1)
    assert np.allclose(pose.to_picture(shapes)[0], seen, atol=1e-2)


def test_opening_does_not_disturb_the_pose() -> None:
    shapes = np.repeat(mean_face()[None].astype(float), 2, axis=0)
    shapes[1, list(MOUTH), 1] += 0.3
    _, pose = align(100 * shapes)
    assert np.allclose(pose.rotation[0], pose.rotation[1])
    assert np.allclose(pose.origin[0], pose.origin[1])


def test_gap_and_width_read_the_mouth() -> None:
    shape = mean_face().astype(float)
    before = gap(shape), width(shape)
    shape[14, 1] += 0.1
    shape[291, 0] += 0.05
    assert np.isclose(gap(shape) - before[0], 0.1)
    assert np.isclose(width(shape) - before[1], 0.05)


def test_a_pose_can_be_sliced() -> None:
    pose = Pose(np.arange(3.0) + 1, np.repeat(np.eye(3)[None], 3, axis=0), np.zeros((3, 3)))
    assert pose[1:].scale.tolist() == [2, 3]
