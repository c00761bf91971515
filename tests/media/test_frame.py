"""Frames: exact colours, patches that leave the rest alone to the bit."""

from __future__ import annotations

import time

import numpy as np
import pytest

from heygem.media.frame import Frame


def smooth(height: int, width: int, seed: int = 0) -> np.ndarray:
    """RGB without sharp colour edges (chroma has half the resolution) and off the ends of the scale."""
    y, x = np.mgrid[:height, :width] / 40.0
    phases = np.random.default_rng(seed).uniform(0, 6, (3, 2))
    waves = [np.sin(x + a) + np.cos(y + b) for a, b in phases]
    return (128 + 40 * np.stack(waves, -1)).round().astype(np.uint8)


def test_known_colours() -> None:
    """Reference values of ITU-R BT.709, limited range."""
    for rgb, yuv in {
        (255, 255, 255): (235, 128, 128),
        (0, 0, 0): (16, 128, 128),
        (255, 0, 0): (63, 102, 240),
        (0, 255, 0): (173, 42, 26),
        (0, 0, 255): (32, 240, 118),
    }.items():
        frame = Frame.of(np.full((4, 6, 3), rgb, np.uint8))
        assert tuple(plane[0, 0] for plane in frame.planes()) == yuv
        assert np.abs(frame.rgb().astype(int) - rgb).max() <= 2


def test_there_and_back() -> None:
    picture = smooth(80, 120)
    assert np.abs(Frame.of(picture).rgb().astype(int) - picture).max() <= 5
    assert np.abs(Frame.of(picture).rgb().astype(int) - picture).mean() < 1


def test_odd_edge_is_dropped() -> None:
    picture = smooth(81, 121)
    frame = Frame.of(picture)
    assert (frame.width, frame.height) == (120, 80)
    assert (frame.data == Frame.of(picture[:80, :120]).data).all()


@pytest.mark.parametrize("size", [(120, 80), (450, 450), (66, 270), (64, 1078)])
def test_an_encoder_gets_every_row(size: tuple[int, int]) -> None:
    frame = Frame.of(np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    picture = frame.picture()
    assert (picture.width, picture.height) == size
    assert (Frame.of_picture(picture).data == frame.data).all()


@pytest.mark.parametrize("box", [(0, 0, 120, 80), (10, 20, 50, 60), (11, 21, 52, 61), (119, 79, 120, 80), (0, 3, 1, 4)])
def test_box_equals_part_of_whole(box: tuple[int, int, int, int]) -> None:
    frame = Frame.of(np.random.default_rng(1).integers(0, 256, (80, 120, 3), dtype=np.uint8))
    x0, y0, x1, y1 = box
    assert (frame.rgb(box) == frame.rgb()[y0:y1, x0:x1]).all()


@pytest.mark.parametrize("box", [(-1, 0, 5, 5), (0, 0, 121, 5), (5, 5, 5, 9), (0, 70, 5, 81)])
def test_box_outside_is_an_error(box: tuple[int, int, int, int]) -> None:
    frame = Frame.of(smooth(80, 120))
    with pytest.raises(ValueError, match="not inside"):
        frame.rgb(box)


@pytest.mark.parametrize("seed", range(20))
def test_unchanged_pixels_stay_bit_equal(seed: int) -> None:
    """Any planes at all (also levels no RGB can make), any box, any change of some pixels."""
    rng = np.random.default_rng(seed)
    frame = Frame(rng.integers(0, 256, (96, 100), dtype=np.uint8))
    before = frame.copy()
    x, y = rng.integers(0, 60, 2) % (60, 30)
    w, h = rng.integers(1, 40), rng.integers(1, 30)
    patch = frame.rgb((x, y, x + w, y + h))
    changed = np.zeros((frame.height, frame.width), bool)
    changed[y : y + h, x : x + w] = rng.random((h, w)) < rng.choice([0, 0.05, 0.5])
    inside = changed[y : y + h, x : x + w]
    patch[inside] = rng.integers(0, 256, (inside.sum(), 3))
    frame.paste(x, y, patch)
    luma, *chroma = zip(before.planes(), frame.planes(), strict=True)
    assert (luma[0][~changed] == luma[1][~changed]).all()
    blocks = changed.reshape(frame.height // 2, 2, frame.width // 2, 2).any((1, 3))
    for old, new in chroma:
        assert (old[~blocks] == new[~blocks]).all()


def test_paste_shows_the_patch() -> None:
    frame = Frame.of(smooth(80, 120))
    patch = smooth(40, 50, seed=7)
    frame.paste(11, 13, patch)
    inner = frame.rgb((13, 15, 59, 51)).astype(int)
    assert np.abs(inner - patch[2:38, 2:48]).max() <= 6
    assert np.abs(inner - patch[2:38, 2:48]).mean() < 1.5


def test_pasting_many_times_does_not_drift() -> None:
    frame, twin = Frame.of(smooth(80, 120)), Frame.of(smooth(80, 120))
    for _ in range(50):
        frame.paste(10, 10, frame.rgb((10, 10, 70, 70)))
    assert (frame.data == twin.data).all()


def test_copy_is_independent() -> None:
    frame = Frame.of(smooth(80, 120))
    frame.copy().paste(0, 0, np.zeros((80, 120, 3), np.uint8))
    assert (frame.data == Frame.of(smooth(80, 120)).data).all()


def test_picture_and_back_is_exact() -> None:
    frame = Frame(np.random.default_rng(2).integers(0, 256, (96, 100), dtype=np.uint8))
    assert (Frame.of_picture(frame.picture()).data == frame.data).all()


def test_box_of_a_large_frame_is_quick() -> None:
    """A patch costs its own area, not that of the frame."""
    frame = Frame.blank(1080, 1920)

    def least(box: tuple[int, int, int, int] | None) -> float:
        spans = []
        for _ in range(10):
            begin = time.perf_counter()
            frame.rgb(box)
            spans.append(time.perf_counter() - begin)
        return min(spans)

    assert least((300, 700, 700, 1100)) < least(None) / 3


def test_a_cut_is_bit_equal_and_a_copy() -> None:
    frame = Frame.of(np.random.default_rng(3).integers(0, 255, (40, 60, 3), np.uint8))
    part = frame.cut((10, 4, 30, 20))
    assert (part.width, part.height) == (20, 16)
    assert np.array_equal(part.rgb(), frame.rgb((10, 4, 30, 20)))
    part.data[:] = 0
    assert frame.rgb((10, 4, 30, 20)).any()


def test_small_is_the_mean_of_areas() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, :30] = (200, 60, 60)
    small = Frame.of(picture).small((2, 1)).astype(int)
    assert np.abs(small - [[(200, 60, 60), (0, 0, 0)]]).max() <= 4
