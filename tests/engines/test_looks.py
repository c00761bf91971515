"""How pictures look does not depend on where and how large the mouth is, but on what is seen in it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from heygem.engines.mesh.looks import looks
from heygem.engines.mesh.person import Person, Talk
from heygem.faces.mouths import Mouths
from heygem.faces.shape import INNER_UPPER, Pose, mean_face
from heygem.media.frame import Frame

SIDE = 200


def faces(teeth: list[int], light: list[int], scales: list[float]) -> tuple[Mouths, Person]:
    """Grey faces with an open mouth whose inside is as bright as ``teeth``, and a left half of another ``light``."""
    shape = mean_face().astype(float)
    below = shape[:, 1] >= shape[14, 1] - 1e-3
    below[list(INNER_UPPER)] = False
    shape[below, 1] += 0.15
    pixels, landmarks = [], []
    for tooth, side, scale in zip(teeth, light, scales, strict=True):
        points = shape * scale + (100, 20, 0)
        picture = np.full((SIDE, SIDE, 3), 120, np.uint8)
        picture[:, : SIDE // 2] = side
        cv2.fillPoly(picture, [np.round(points[[78, 13, 308, 14], :2]).astype(np.int32)], (tooth,) * 3)
        pixels.append(Frame.of(picture).data.ravel())
        landmarks.append(points)
    n = len(teeth)
    boxes = np.tile(np.array([0, 0, SIDE, SIDE], np.int32), (n, 1))
    pose = Pose(np.array(scales), np.tile(np.eye(3), (n, 1, 1)), np.zeros((n, 3)))
    talk = Talk(0.1, 1.0, np.ones(1), np.zeros((468, 3)))
    return Mouths(np.arange(n), boxes, np.concatenate(pixels)), Person(np.array(landmarks), pose, shape, talk)


def test_teeth_are_seen_inside_and_light_on_the_skin() -> None:
    skin, inside = looks(*faces([20, 220, 20], [120, 120, 60], [80, 80, 80]))
    teeth, light = (np.linalg.norm(inside[1] - inside[0]), np.linalg.norm(skin[2] - skin[0]))
    assert teeth > 0.2 and light > 0.05
    assert np.linalg.norm(skin[1] - skin[0]) < 0.5 * teeth


def test_the_same_mouth_in_another_size_looks_alike() -> None:
    skin, inside = looks(*faces([20, 220, 20], [60, 60, 60], [80, 80, 60]))
    assert np.linalg.norm(inside[2] - inside[0]) < 0.2 * np.linalg.norm(inside[1] - inside[0])
    assert np.linalg.norm(skin[2] - skin[0]) < 0.04


@pytest.mark.parametrize("count", [1, 2, 40])
def test_any_number_of_pictures(count: int) -> None:
    skin, inside = looks(*faces([20] * count, [60] * count, [80.0] * count))
    assert len(skin) == len(inside) == count
    assert np.allclose(skin, skin[0], atol=1e-5)
