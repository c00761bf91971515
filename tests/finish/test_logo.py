"""Pictures with transparency over frames: in their place, in their colours, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heygem.errors import FileMissing, FileUnreadable
from heygem.finish import logo
from heygem.finish.base import PLACES, Finish
from heygem.finish.logo import Logo
from heygem.finish.overlay import Overlay
from heygem.media.frame import Frame

SIZE = (200, 100)
RED = (220, 30, 40)


def blend(frame: Frame, rgba: np.ndarray, x: int, y: int, opacity: float = 1.0) -> None:
    Overlay(rgba, x, y, (frame.width, frame.height), opacity).over(frame)


def noise(seed: int = 1) -> Frame:
    return Frame.of(np.random.default_rng(seed).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8))


def grey() -> Frame:
    return Frame.of(np.full((SIZE[1], SIZE[0], 3), 128, np.uint8))


def patch(wide: int, high: int, alpha: int = 255, colour: tuple[int, int, int] = RED) -> np.ndarray:
    return np.broadcast_to(np.array([*colour, alpha], np.uint8), (high, wide, 4)).copy()


@pytest.mark.parametrize(("x", "y"), [(20, 30), (21, 31), (-6, -4), (190, 91), (-300, 5), (5, 400), (0, 0)])
def test_only_what_lies_under_it_changes(x: int, y: int) -> None:
    before = noise()
    frame = before.copy()
    blend(frame, patch(31, 17), x, y)
    inside = np.zeros((SIZE[1], SIZE[0]), bool)
    inside[max(y, 0) : max(y + 17, 0), max(x, 0) : max(x + 31, 0)] = True
    luma, old = frame.planes()[0], before.planes()[0]
    assert np.array_equal(luma[~inside], old[~inside])
    blocks = inside.reshape(SIZE[1] // 2, 2, SIZE[0] // 2, 2).any(axis=(1, 3))
    for mine, theirs in zip(frame.planes()[1:], before.planes()[1:], strict=True):
        assert np.array_equal(mine[~blocks], theirs[~blocks])
    if inside.any():
        assert np.unique(luma[inside]).size == 1, "what covers, covers"
    whole = inside.reshape(SIZE[1] // 2, 2, SIZE[0] // 2, 2).all(axis=(1, 3)).repeat(2, 0).repeat(2, 1)
    assert not whole.any() or np.abs(frame.rgb()[whole].astype(int) - RED).max() <= 3


@pytest.mark.parametrize(("alpha", "opacity"), [(128, 1.0), (255, 0.5), (64, 0.25), (255, 0.0), (0, 1.0)])
def test_alpha_and_opacity_mix(alpha: int, opacity: float) -> None:
    frame, before = grey(), grey()
    blend(frame, patch(40, 40, alpha), 10, 10, opacity)
    share = alpha / 255 * opacity
    ideal = share * np.array(RED) + (1 - share) * before.rgb()[0, 0]
    assert np.abs(frame.rgb()[30, 30] - ideal).max() <= 3
    if not share:
        assert np.array_equal(frame.data, before.data)


def test_the_colour_of_a_block_is_that_of_its_visible_pixels() -> None:
    """One red pixel in a block of invisible green ones: no green comes through."""
    frame, picture = grey(), patch(2, 2, 0, (0, 255, 0))
    picture[0, 0] = (*RED, 255)
    blend(frame, picture, 10, 10)
    alone, red = grey(), patch(1, 1)
    blend(alone, red, 10, 10)
    assert np.array_equal(frame.data, alone.data)
    seen = frame.rgb()[10, 10].astype(int)
    assert seen[0] > seen[1] + 20


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """40x20, the left half red, the right one not there."""
    rgba = patch(40, 20)
    rgba[:, 20:, 3] = 0
    path = tmp_path / "logo.png"
    Image.fromarray(rgba).save(path)
    return path


@pytest.mark.parametrize("place", PLACES)
def test_it_stands_in_its_corner(picture: Path, place: str) -> None:
    frame, before = grey(), grey()
    effect = Logo(Finish(logo=str(picture), logo_place=place, logo_size=0.2), SIZE)
    rows, columns = np.nonzero(effect(0, frame).planes()[0] != before.planes()[0])
    left = {"left": 3, "right": 200 - 3 - 40}[place.split("-")[1]]
    top = {"top": 3, "bottom": 100 - 3 - 20}[place.split("-")[0]]
    assert (columns.min(), rows.min(), rows.max()) == (left, top, top + 19)
    assert abs(columns.max() - (left + 19)) <= 1, "the half that is not there stays away"
    assert effect.name == "logo" and effect.note == "logo.png"


@pytest.mark.parametrize(("wide", "high"), [(10, 400), (400, 10), (1, 1), (3000, 3000)])
def test_it_never_leaves_the_frame(tmp_path: Path, wide: int, high: int) -> None:
    path = tmp_path / "logo.png"
    Image.fromarray(patch(wide, high)).save(path)
    effect = Logo(Finish(logo=str(path), logo_size=1.0), SIZE)
    seen = effect(0, grey()).planes()[0] != grey().planes()[0]
    assert (
        seen.any() and not seen[:3].any() and not seen[-3:].any() and not seen[:, :3].any() and not seen[:, -3:].any()
    )


def test_a_photo_stands_upright(tmp_path: Path) -> None:
    """Lies on its side in the file, and says so."""
    rgb = np.zeros((20, 40, 3), np.uint8)
    rgb[:, :20] = RED
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: what is on the left comes up
    path = tmp_path / "logo.jpg"
    Image.fromarray(rgb).save(path, exif=exif, quality=95)
    seen = Logo(Finish(logo=str(path), logo_place="top-left", logo_size=0.1), SIZE)(0, grey()).rgb().astype(int)
    assert np.abs(seen[8, 13] - RED).max() < 12 and seen[38, 13].max() < 12


def test_a_moving_picture_stands_still(tmp_path: Path) -> None:
    path = tmp_path / "logo.gif"
    pictures = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=40)
    effect = Logo(Finish(logo=str(path), logo_size=0.1), SIZE)
    for number in (0, 5):
        seen = effect(number, grey()).rgb()[13, 187].astype(int)
        assert seen[0] > 200 and seen[2] < 60


def test_shrinking_leaves_no_dark_edge(tmp_path: Path) -> None:
    """White on invisible black: its edges are white too."""
    rgba = np.zeros((300, 300, 4), np.uint8)
    rgba[50:250, 50:250] = 255
    path = tmp_path / "logo.png"
    Image.fromarray(rgba).save(path)
    frame = Frame.of(np.full((SIZE[1], SIZE[0], 3), 255, np.uint8))
    seen = Logo(Finish(logo=str(path), logo_size=0.17), SIZE)(0, frame)
    assert seen.rgb().min() >= 252


def test_what_is_no_picture_is_refused(tmp_path: Path, voice: Path) -> None:
    cut = tmp_path / "cut.png"
    Image.fromarray(patch(200, 200)).save(cut)
    cut.write_bytes(cut.read_bytes()[:80])
    for path, error in ((tmp_path / "none.png", FileMissing), (voice, FileUnreadable), (cut, FileUnreadable)):
        with pytest.raises(error):
            logo.check(path)
