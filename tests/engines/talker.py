"""Somebody who talks, painted: skin with a moustache, lips, a dark inside; and a cup before the mouth."""

from __future__ import annotations

import cv2
import numpy as np

from heygem.engines.mesh.person import Person, Talk
from heygem.faces.mouths import Mouths, lower_face
from heygem.faces.shape import INNER_LOWER, INNER_UPPER, OUTER_LOWER, OUTER_UPPER, OVAL, Pose, mean_face
from heygem.media.frame import Frame

SIDE, SCALE, FPS = 320, 100.0, 25.0
ORIGIN = np.array([160.0, 80.0, 0.0])
FRAMES = 80
CUP = (120, 185, 215, 290)
"""Box px that covers mouth and chin."""


def shape_of(opening: float) -> np.ndarray:
    """(468, 3) a mouth so far open."""
    shape = mean_face().astype(float)
    shape[(shape[:, 1] > shape[13, 1] + 0.01) & (np.abs(shape[:, 0]) < 0.6)] += (0, opening, 0)
    shape[list(INNER_LOWER)[1:-1], 1] = shape[list(INNER_UPPER)[1:-1], 1] + opening
    return shape


def painted(points: np.ndarray, light: int = 0) -> np.ndarray:
    """(SIDE, SIDE, 3) RGB: skin with a moustache, red lips, a dark inside, some grain."""
    picture = np.full((SIDE, SIDE, 3), (60, 80, 120), np.uint8)
    fill(picture, points, OVAL, (205, 160, 140))
    x, y = points[0, :2]
    cv2.ellipse(picture, (round(x), round(y) - 8), (30, 5), 0, 0, 360, (80, 55, 45), -1)
    fill(picture, points, OUTER_UPPER + OUTER_LOWER[::-1], (170, 80, 80))
    fill(picture, points, INNER_UPPER + INNER_LOWER[::-1], (60, 25, 25))
    grain = np.random.default_rng(int(points.sum())).normal(light, 3, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def fill(picture: np.ndarray, points: np.ndarray, outline: tuple[int, ...], colour: tuple[int, int, int]) -> None:
    cv2.fillPoly(picture, [np.round(points[list(outline), :2]).astype(np.int32)], colour)


def clip(covered: range = range(0), count: int = FRAMES, light: int = 0) -> tuple[Person, Mouths, list[Frame]]:
    """Somebody who talks; a cup before the mouth in the frames ``covered``; ``light`` is added to the last ten."""
    shapes = [shape_of(0.1 + 0.1 * np.sin(0.7 * n)) for n in range(count)]
    landmarks = np.array([shape * SCALE + ORIGIN + (3 * np.sin(0.2 * n), 0, 0) for n, shape in enumerate(shapes)])
    pictures = [painted(points, light * (n >= count - 10)) for n, points in enumerate(landmarks)]
    for n in covered:
        x0, y0, x1, y1 = CUP
        pictures[n][y0:y1, x0:x1] = (235, 235, 240)
    origin = np.array([ORIGIN + np.array([3 * np.sin(0.2 * n), 0, 0]) for n in range(count)])
    pose = Pose(np.full(count, SCALE), np.tile(np.eye(3), (count, 1, 1)), origin)
    person = Person(landmarks, pose, shape_of(0.0), Talk(0.1, 1.0, np.ones(1), np.zeros((468, 3))))
    boxes = [lower_face(points, SIDE, SIDE) for points in landmarks]
    frames = [Frame.of(picture) for picture in pictures]
    pixels = [frame.cut(box).data.ravel() for frame, box in zip(frames, boxes, strict=True)]
    return person, Mouths(np.arange(count), np.array(boxes, np.int32), np.concatenate(pixels)), frames
