"""What is seen between the lips: teeth that keep their place and size, and drawing where pictures show nothing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from heygem.engines.mesh.behind import Behind, Inside, heights, parting
from heygem.engines.mesh.geometry import COLUMNS
from heygem.engines.mesh.interior import Interior, Light, _blur, _grain
from heygem.engines.mesh.person import Person, average_talk, close_lips
from heygem.engines.mesh.pixels import Processor
from heygem.faces.shape import CHIN, INNER_LOWER, INNER_UPPER, MOUTH, Pose, gap, mean_face
from heygem.media.frame import Frame
from heygem.speech.motion import MouthBasis

LOWER = [*INNER_LOWER[1:-1], 17, *CHIN]
UPPER_EDGE, UPPER_END, LOWER_END, LOWER_EDGE = (line * COLUMNS + COLUMNS // 2 for line in range(4))


def opened(amount: float) -> np.ndarray:
    """The mean face with the jaw dropped so far that the lips stand ``amount`` apart."""
    shape = mean_face().astype(float)
    shape[LOWER, 1] += amount - gap(shape)
    return shape


def points(own: np.ndarray, target: np.ndarray, part: float = 0.6) -> np.ndarray:
    behind = Behind(own, target, part)
    return behind.points(behind.ends())


def test_the_same_shape_shows_the_picture_as_it_is() -> None:
    shape = opened(0.3)
    found = points(shape, shape)
    assert np.allclose(found[:COLUMNS, 1], shape[list(INNER_UPPER), 1], atol=1e-6)
    assert np.allclose(found[-COLUMNS:, 1], shape[list(INNER_LOWER), 1], atol=1e-6)


def test_teeth_stay_with_the_skull_when_the_lip_comes_down_a_little() -> None:
    own, target = opened(0.3), opened(0.3)
    target[list(INNER_UPPER[1:-1]), 1] += 0.03
    found = points(own, target)
    assert np.isclose(found[UPPER_EDGE, 1], target[13, 1]), "the pixel under the lip is the one that was there"


def test_teeth_keep_their_size_when_the_mouth_opens_wider_than_the_picture() -> None:
    own, target = opened(0.1), opened(0.3)
    behind = Behind(own, target, 0.6)
    ends, found = behind.ends(), behind.points(behind.ends())
    middle = COLUMNS // 2
    assert np.isclose(ends[0, middle] - target[13, 1], found[UPPER_END, 1] - found[UPPER_EDGE, 1]), "upper teeth"
    assert np.isclose(target[14, 1] - ends[1, middle], found[LOWER_EDGE, 1] - found[LOWER_END, 1]), "lower teeth"
    assert np.isclose(ends[1, middle] - ends[0, middle], 0.2), "the hole between is all that is new"


def test_a_mouth_that_opens_a_little_wider_than_the_picture_gets_no_slit_between_the_teeth() -> None:
    for drop in (0.0, 0.05, -0.06):  # whichever lip moves
        target = opened(0.22)
        target[list(INNER_UPPER) + LOWER, 1] += drop
        ends = Behind(opened(0.2), target, 0.6).ends()
        assert np.allclose(ends[0], ends[1])


def test_teeth_disappear_when_lips_meet() -> None:
    behind = Behind(opened(0.25), opened(0.0), 0.6)
    assert np.allclose(np.diff(behind.ends(), axis=0), 0)
    assert behind.sealed == 1 and behind.closed == 0
    assert Behind(opened(0.0), opened(0.0), 0.6).sealed == 0


@pytest.mark.parametrize(("own", "target"), [(0.05, 0.4), (0.4, 0.05), (0.2, 0.2)])
def test_pixels_of_the_inside_are_never_taken_from_the_lips(own: float, target: float) -> None:
    shape = opened(own)
    found = points(shape, opened(target))
    top = np.interp(found[:, 0], shape[list(INNER_UPPER), 0], shape[list(INNER_UPPER), 1])
    bottom = np.interp(found[:, 0], shape[list(INNER_LOWER), 0], shape[list(INNER_LOWER), 1])
    assert (found[:, 1] >= top - 0.005).all() and (found[:, 1] <= bottom + 0.005).all()


def test_the_rows_of_teeth_part_where_it_is_dark() -> None:
    shape, closed = opened(0.25), opened(0.0)
    for dark in (0.25, 0.5, 0.8):
        brightness = 200 - 180 * np.exp(-(((heights() - dark) / 0.12) ** 2))
        assert abs(parting(brightness, shape[13], shape[14], closed) - dark) < 0.12
    bright = np.full(len(heights()), 200.0)
    expected = (closed[13, 1] + 0.05 - shape[13, 1]) / 0.25
    assert abs(parting(bright, shape[13], shape[14], closed) - expected) < 0.1, "else where teeth usually end"


LIGHT = Light(np.array([180.0, 140.0, 120.0]), np.array([160.0, 90.0, 90.0]), blur=0.3)


def painted(light: Light, opening: float, own: float) -> tuple[np.ndarray, np.ndarray]:
    """A flat grey layer with a mouth painted in, and the points of the shape in it."""
    basis = MouthBasis(np.zeros((1, 468, 3), np.float32), np.zeros(1, np.float32), np.array(MOUTH))
    shape, closed = opened(opening), opened(0.0)
    pose = Pose(np.array([100.0]), np.eye(3)[None], np.zeros((1, 3)))
    someone = Person(100 * closed[None], pose, close_lips(closed), average_talk(basis))
    layer = Frame.of(np.full((300, 300, 3), 90, np.uint8))
    px = shape[:, :2] * 100 + (150, 40)
    behind = Behind(opened(own), shape, 0.6)
    inside = Inside(behind.ends(), behind.closed, behind.sealed)
    Interior(light, Processor()).paint(layer, px[list(INNER_UPPER + INNER_LOWER)], shape, someone, 0, inside)
    return layer.rgb().astype(int), px


def test_the_drawn_inside_has_teeth_above_and_darkness_and_stays_between_the_lips() -> None:
    layer, px = painted(LIGHT, 0.35, 0.0)
    rows, columns = np.nonzero(np.abs(layer - 90).max(axis=2) > 2)
    assert rows.min() >= px[13, 1] - 4 and rows.max() <= px[14, 1] + 4
    assert columns.min() >= px[78, 0] - 4 and columns.max() <= px[308, 0] + 4
    middle = layer[int(px[13, 1]) + 1 : int(px[14, 1]), int(px[13, 0]) + 5].mean(axis=1)
    assert middle.max() > 70 and middle.min() < 25
    assert middle[: len(middle) // 2].max() >= middle[len(middle) // 2 :].max(), "upper teeth are the brightest"


def test_nothing_is_drawn_over_what_the_picture_shows() -> None:
    layer, px = painted(LIGHT, 0.3, 0.3)
    inner = layer[int(px[13, 1]) + 5 : int(px[14, 1]) - 5, int(px[13, 0]) - 10 : int(px[13, 0]) + 10]
    assert inner.size and (inner == 90).all()


def test_a_picture_that_shows_a_little_of_the_inside_is_drawn_over_a_little() -> None:
    changes = []
    for own in (0.0, 0.065):
        layer, px = painted(LIGHT, 0.3, own)
        changes.append(np.abs(layer[int(px[13, 1]) + 1, int(px[13, 0])] - 90).mean())
    assert changes[0] > 10, "nothing of the inside is in the picture"
    assert 0.1 < changes[1] / changes[0] < 0.7


def test_only_the_hole_is_drawn_where_the_picture_shows_less_than_is_open() -> None:
    layer, px = painted(LIGHT, 0.4, 0.15)
    column = layer[:, int(px[13, 0])].mean(axis=1)
    assert column[int(px[13, 1]) + 5] == 90, "the picture's upper teeth"
    assert column[int(px[14, 1]) - 4] == 90, "the picture's lower teeth"
    assert column[int(px[:, 1][[13, 14]].mean())] < 80


def test_the_inside_of_a_grey_picture_is_grey() -> None:
    layer, _ = painted(Light(np.full(3, 150.0), np.full(3, 110.0)), 0.35, 0.0)
    assert np.ptp(layer, axis=2).max() <= 1


def test_teeth_in_the_shade_of_the_lips_are_lit_by_flesh() -> None:
    light = Light(np.array([200.0, 160.0, 140.0]), np.array([180.0, 95.0, 90.0]))
    warmth = []
    for opening in (0.06, 0.3):
        layer, px = painted(light, opening, 0.0)
        column = layer[int(px[13, 1]) + 1 : int(px[14, 1]), int(px[13, 0]) + 5]
        teeth = column[column.sum(axis=1).argmax()]
        warmth.append(teeth[0] / teeth[2])
    assert warmth[0] > 1.1 * warmth[1]


@pytest.mark.parametrize("true", [1.0, 2.0, 3.0])
def test_blur_and_noise_of_a_picture_are_measured(true: float) -> None:
    disc = cv2.circle(np.zeros((200, 200), np.float32), (100, 100), 60, 200, -1)
    soft = cv2.GaussianBlur(disc, (0, 0), true)
    assert abs(_blur(soft) - true) < 0.45
    noise = np.random.default_rng(1).normal(0, 2, soft.shape).astype(np.float32)
    assert abs(_grain(soft + noise) - 2) < 0.3
