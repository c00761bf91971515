"""Crops follow the face, turned upright; patches have one size and lie inside the frame."""

from __future__ import annotations

import numpy as np
import pytest

from heygem.engines.neural.crop import Crops, Patches
from heygem.faces.shape import mean_face


def box_of(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)


def face(size: float, x: float, y: float, degrees: float = 0) -> np.ndarray:
    angle = np.radians(degrees)
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    points = mean_face().copy()
    points[:, :2] = size * points[:, :2] @ turn.T + (x, y)
    return points


def test_the_square_covers_the_box_of_an_upright_face():
    points = face(100, 300.25, 200.5)
    crops = Crops.of(points[None], box_of, 96)
    assert np.allclose(crops.boxes()[0], box_of(points[None, :, :2])[0], atol=0.5)
    inside = crops.into(0, points[:, :2])
    assert np.allclose(inside.min(axis=0), 0, atol=1e-2) and np.allclose(inside.max(axis=0), 1, atol=1e-2)


@pytest.mark.parametrize("degrees", [-70, -20, 35, 170])
def test_a_face_held_askew_looks_the_same_to_the_network(degrees: float):
    straight, askew = face(80, 300, 300), face(80, 250, 310, degrees)
    seen = [Crops.of(one[None], box_of, 96).into(0, one[:, :2]) for one in (straight, askew)]
    assert np.allclose(*seen, atol=1e-3)


def test_without_turning_squares_keep_the_direction_of_the_picture():
    crops = Crops.of(face(80, 300, 300, 30)[None], box_of, 96, turn=False)
    assert crops.maps[0, 0, 1] == crops.maps[0, 1, 0] == 0


def test_a_face_that_moves_a_tenth_of_a_pixel_moves_its_crop_by_that():
    crops = Crops.of(np.stack([face(80, 300, 300), face(80, 300.1, 300)]), box_of, 96)
    assert np.allclose(crops.maps[1, :, 2] - crops.maps[0, :, 2], (0.1, 0), atol=1e-4)


def test_many_faces_are_the_same_as_each_alone():
    faces = np.stack([face(60 + k % 7, 200 + k, 150, k % 11) for k in range(600)])
    alone = np.concatenate([Crops.of(one[None], box_of, 96).maps for one in faces])
    assert np.allclose(Crops.of(faces, box_of, 96).maps, alone)


def test_patches_have_one_even_size_inside_the_frame_and_hold_the_crops():
    faces = np.stack([face(70, 90, 120), face(90, 300, 200, 15), face(80, 610, 420)])
    crops = Crops.of(faces, box_of, 96)
    patches = Patches.round(crops, np.arange(3), (640, 480))
    assert all(edge % 2 == 0 for edge in patches.size)
    for n, wanted in enumerate(crops.boxes()):
        x0, y0, x1, y1 = patches.box(n)
        assert x0 % 2 == y0 % 2 == 0 and 0 <= x0 < x1 <= 640 and 0 <= y0 < y1 <= 480
        clipped = np.clip(wanted, 0, (640, 480, 640, 480))
        assert x0 <= clipped[0] and y0 <= clipped[1] and x1 >= clipped[2] - 1 and y1 >= clipped[3] - 1


def test_a_face_larger_than_the_picture_gets_a_patch_as_large_as_the_picture():
    crops = Crops.of(face(400, 200, 160)[None], box_of, 96)
    assert Patches.round(crops, np.arange(1), (321, 241)).size == (320, 240)


def test_larger_faces_take_more_memory():
    small, large = (Crops.of(face(size, 300, 300)[None], box_of, 96) for size in (50, 100))
    assert large.bytes(np.arange(1)) == pytest.approx(4 * small.bytes(np.arange(1)), rel=0.01)
    assert large.shrink(np.arange(1)) == pytest.approx(2 * small.shrink(np.arange(1)), rel=0.01)
