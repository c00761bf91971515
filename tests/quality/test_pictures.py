"""Measures of pictures that were spoiled in a known way."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from heygem.faces.shape import LIPS, mean_face
from heygem.quality import pictures
from heygem.quality.canonical import BOX, Cutter, outline, outside
from tests.quality.faces import head, shapes

COUNT = 12
RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def cutter() -> Cutter:
    return Cutter.of(mean_face().astype(np.float64), head(COUNT))


@pytest.fixture(scope="module")
def skin(cutter: Cutter) -> np.ndarray:
    """(COUNT, h, w) uint8: a soft texture under fresh grain."""
    width, height = cutter.size
    texture = cv2.GaussianBlur(RANDOM.normal(120, 60, (height, width)), (0, 0), 3)
    return np.clip([texture + RANDOM.normal(0, 4, texture.shape) for _ in range(COUNT)], 0, 255).astype(np.uint8)


def test_the_mouth_is_cut_out_upright_whatever_the_head_does(cutter: Cutter) -> None:
    landmarks = head(COUNT).to_picture(shapes(np.zeros(COUNT)))
    for number in range(COUNT):
        picture = np.zeros((640, 640), np.uint8)
        x, y = landmarks[number, list(LIPS), :2].mean(axis=0)
        cv2.circle(picture, (round(x), round(y)), 3, 255, -1)
        row, column = np.argwhere(cutter.cut(picture, number) > 128).mean(axis=0)
        centre = np.array([column, row]) / cutter.fineness + BOX[:2]
        assert np.abs(centre).max() < 0.02


def test_the_radius_is_one_on_the_outline(cutter: Cutter) -> None:
    radius, places = cutter.radius(), cutter.places()
    for x, y in outline(cutter.shape) - cutter.mouth[:2]:
        nearest = np.hypot(places[..., 0] - x, places[..., 1] - y)
        if nearest.min() < 0.01:
            assert radius.flat[nearest.argmin()] == pytest.approx(1, abs=0.03)
    assert radius.min() < 0.02


def test_outside_leaves_the_lower_face_out_in_whole_blocks() -> None:
    landmarks = head(1).to_picture(shapes(np.array([0.3])))[0]
    where = outside(landmarks, (640, 640))
    points = np.round(landmarks[:, :2]).astype(int)
    assert not where[points[list(LIPS), 1], points[list(LIPS), 0]].any()
    assert not where[points[152, 1] + 10, points[152, 0]]
    assert where[points[10, 1], points[10, 0]] and where[0, 0] and where[-1, -1]
    assert np.array_equal(where, where[::2, ::2].repeat(2, axis=0).repeat(2, axis=1))


def test_a_blurred_mouth_is_less_sharp_and_an_equal_one_as_sharp(skin: np.ndarray, cutter: Cutter) -> None:
    same = (np.zeros(COUNT), np.zeros(COUNT))
    blurred = np.array([cv2.GaussianBlur(cut, (0, 0), 1) for cut in skin])
    assert pictures.sharpness(skin, skin, same, cutter) == pytest.approx(1, abs=0.02)
    assert pictures.sharpness(blurred, skin, same, cutter) < 0.3


def test_sharpness_compares_mouths_of_like_opening_only(skin: np.ndarray, cutter: Cutter) -> None:
    openings = np.where(np.arange(COUNT) % 2, 0.0, 0.2)
    textured = skin.copy()
    textured[openings > 0] = RANDOM.integers(0, 255, textured[0].shape)  # an open mouth with many edges
    assert pictures.sharpness(textured[::-1], textured, (openings[::-1], openings), cutter) == pytest.approx(
        1, abs=0.05
    )
    assert np.isnan(pictures.sharpness(skin, skin, (openings + 0.1, openings), cutter))


def test_flicker_is_the_change_of_brightness_between_frames(skin: np.ndarray, cutter: Cutter) -> None:
    follows = np.ones(COUNT, bool)
    flashing = skin + (np.arange(COUNT) % 2 * 10).astype(np.uint8)[:, None, None]
    assert pictures.flicker(flashing, cutter, follows) == pytest.approx(10, abs=0.5)
    assert pictures.flicker(skin, cutter, follows) < 1
    assert np.isnan(pictures.flicker(skin, cutter, ~follows))


def test_flicker_looks_away_from_lips_and_background(skin: np.ndarray, cutter: Cutter) -> None:
    radius = cutter.radius()
    calm = np.full_like(skin, 100)
    calm[1::2, (radius < 0.3) | (radius > 0.9)] = 200
    assert pictures.flicker(calm, cutter, np.ones(COUNT, bool)) < 1


@pytest.mark.parametrize("at", [0.5, 0.75, 0.95])
def test_a_seam_is_found_wherever_it_runs(skin: np.ndarray, cutter: Cutter, at: float) -> None:
    pasted = skin + (8 * (cutter.radius() < at)).astype(np.uint8)
    assert pictures.seam(skin, skin, cutter) == pytest.approx(1)
    assert pictures.seam(skin + np.uint8(8), skin, cutter) == pytest.approx(1, abs=0.02)
    assert pictures.seam(pasted, skin, cutter) > 1.1


def test_psnr_and_ssim_look_where_they_are_told(skin: np.ndarray) -> None:
    where = np.zeros(skin[0].shape, bool)
    where[:40] = True
    spoiled = skin[0].copy()
    spoiled[60:] = 0
    assert pictures.psnr(spoiled, skin[0], where) == pictures.EQUAL
    assert pictures.ssim(spoiled, skin[0], where) == pytest.approx(1)
    noisy = np.clip(skin[0] + RANDOM.normal(0, 5, where.shape), 0, 255).astype(np.uint8)
    assert pictures.psnr(noisy, skin[0], where) == pytest.approx(20 * np.log10(255 / 5), abs=0.5)
    assert 0.3 < pictures.ssim(noisy, skin[0], where) < 0.95
