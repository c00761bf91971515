"""Boxes of faces and the geometry of looking for them."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from heygem.errors import EngineUnavailable
from heygem.faces.detect import FaceBox, InsightFace, _starts, _unturn, distinct, overlap
from heygem.faces.runtime import quiet
from tests.faces.scrfd import red_finder


def face(x: float, score: float, side: float = 10) -> FaceBox:
    return FaceBox((x, 0, x + side, side), score, np.array([(x, 0.0), (x + 5, 0.0), (x + 2, 4.0)]))


def test_doubles_go_and_the_surer_one_stays() -> None:
    kept = distinct([face(0, 0.7), face(1, 0.9), face(30, 0.6, 20)])
    assert [one.box[0] for one in kept] == [30, 1]


def test_overlap() -> None:
    assert overlap((0, 0, 2, 2), (0, 0, 2, 2)) == 1
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 2, 2), (5, 5, 6, 6)) == 0


def test_roll() -> None:
    assert face(0, 1).roll == 0
    upside_down = face(0, 1).moved(np.array([[-1.0, 0, 50], [0, -1, 50]]))
    assert abs(upside_down.roll) == pytest.approx(np.pi)
    assert upside_down.box == (40, 40, 50, 50)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_unturn_is_the_inverse_of_rot90(turns: int) -> None:
    picture = np.zeros((5, 9))
    picture[1, 7] = 1
    y, x = np.argwhere(np.rot90(picture, turns))[0]
    back = _unturn(turns, 9, 5) @ (x + 0.5, y + 0.5, 1)  # centres of pixels
    assert back == pytest.approx((7.5, 1.5))


@pytest.mark.parametrize(("length", "side"), [(1920, 960), (1080, 960), (500, 960), (1921, 480)])
def test_tiles_cover_and_overlap_by_half(length: int, side: int) -> None:
    starts = _starts(length, side)
    assert starts[0] == 0 and (starts[-1] + side >= length)
    assert all(b - a <= side / 2 for a, b in pairwise(starts))
    assert starts[-1] == max(length - side, 0)


def test_insightface_without_weights_says_why(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"det_.*non-commercial"):
        InsightFace(tmp_path)


@pytest.mark.parametrize("size", [(640, 640), (1280, 960), (320, 640)])
def test_insightface_finds_with_a_file_of_the_users(size: tuple[int, int], tmp_path: Path) -> None:
    red_finder(tmp_path / "det_10g.onnx")
    detector, scale = InsightFace(tmp_path), max(size) / 640
    cell = round(32 * scale)
    picture = np.full((size[1], size[0], 3), 90, np.uint8)
    picture[5 * cell : 6 * cell, 4 * cell : 5 * cell] = (255, 0, 0)
    picture[5 * cell : 6 * cell, 7 * cell : 8 * cell] = (0, 0, 255)  # is red where colours are swapped
    (found,) = detector.find(picture)
    assert found.box == pytest.approx((cell, 2 * cell, 7 * cell, 8 * cell), abs=2 * scale)
    assert found.score > 0.9 and found.roll == pytest.approx(0)
    right, left, nose = found.points[:3]
    assert right[0] < nose[0] < left[0] and right[1] < nose[1]
    assert detector.find(np.full((64, 64, 3), 90, np.uint8)) == []
    detector.close()


def test_quiet_holds_back_start_up_notes_alone(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nsomething else broke\n")
    assert capfd.readouterr().err == "something else broke\n"
