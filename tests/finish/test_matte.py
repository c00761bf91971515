"""People are cut out where they are, with soft edges, calmly and without ghosts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from heygem.faces import matte
from heygem.faces.matte import Matter
from heygem.media.frame import Frame

GREY = (150, 160, 170)


@pytest.fixture
def matter() -> Iterator[Matter]:
    made = Matter()
    yield made
    made.close()
    made.close()


@pytest.fixture(scope="module")
def face(portrait: Path) -> np.ndarray:
    """(h, w, 3) RGB: head and shoulders."""
    return np.asarray(Image.open(portrait))[:360, 60:400]


def scene(face: np.ndarray, x: int, size: tuple[int, int] = (960, 400)) -> Frame:
    """The person on a grey wall, ``x`` px from the left."""
    picture = np.full((size[1], size[0], 3), GREY, np.uint8)
    picture[size[1] - face.shape[0] :, x : x + face.shape[1]] = face
    return Frame.of(picture)


def test_a_face_is_inside_and_the_wall_is_not(matter: Matter, face: np.ndarray) -> None:
    frame = scene(face, 300)
    alpha = matter(frame)
    assert alpha.shape == (400, 960) and alpha.dtype == np.float32
    assert alpha.min() >= 0 and alpha.max() <= 1 and matter.found
    assert alpha[120:200, 450:480].min() > 0.95, "the face"
    assert alpha[:, :250].max() == 0 and alpha[:, 700:].max() == 0, "the wall, exactly"


def test_nobody_is_found_where_nobody_is(matter: Matter) -> None:
    slope = np.linspace(60, 200, 320).astype(np.uint8)
    alpha = matter(Frame.of(np.broadcast_to(slope[None, :, None], (180, 320, 3)).copy()))
    assert not matter.found and alpha.mean() < matte.LEAST


def test_who_moves_leaves_no_ghost(matter: Matter, face: np.ndarray) -> None:
    for x in (40, 44, 48):
        matter(scene(face, x))
    alpha = matter(scene(face, 560))
    assert alpha[120:200, 710:740].min() > 0.9, "there already"
    assert alpha[60:300, 60:380].mean() < 0.02, "and gone from where they were"


def test_a_still_mask_is_calmer_than_the_network(
    matter: Matter, face: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network is made to waver between sure and half sure; the mask wavers much less."""
    real, sure = matter._mask, cycle([1.0, 0.6])
    monkeypatch.setattr(matter, "_mask", lambda rgb: real(rgb) * next(sure))
    monkeypatch.setattr(matte, "LOOK", 1000)
    monkeypatch.setattr(matte, "_along_edges", lambda mask, *_: mask)
    frame = scene(face, 300)
    levels = [float(matter(frame)[80, 235]) for _ in range(20)]
    assert np.ptp(levels[-6:]) < 0.1


def test_who_comes_in_is_seen_at_once(matter: Matter, face: np.ndarray) -> None:
    """A second person appears where nobody was looked for."""
    frame = scene(face, 40)
    for _ in range(3):
        matter(frame)
    both = frame.copy()
    both.paste(560, 40, face)
    alpha = matter(both)
    assert alpha[120:200, 190:220].min() > 0.9 and alpha[120:200, 710:740].min() > 0.9


def test_after_a_cut_nothing_is_left_of_the_picture_before(matter: Matter, face: np.ndarray) -> None:
    matter(scene(face, 300))
    assert matter(Frame.of(np.full((400, 960, 3), 20, np.uint8))).max() < 0.05


def test_the_mask_follows_an_edge_of_the_picture_that_it_only_nearly_knows() -> None:
    """A mask that is four pixels off and soft comes to lie on the edge."""
    luma = np.full((120, 160), 40, np.uint8)
    luma[:, 80:] = 200
    truth = (np.arange(160) >= 80).astype(np.float32)
    rough = cv2.GaussianBlur(np.roll(truth, -4)[None].repeat(120, 0), (0, 0), 3)
    rough[:, -10:] = 1
    wrong = np.abs(rough[60] - truth).sum()
    assert np.abs(matte._along_edges(rough, luma, luma, 8)[60] - truth).sum() < 0.6 * wrong


@pytest.mark.parametrize(("width", "height"), [(970, 2460), (2430, 1366), (34, 34)])
def test_every_size_is_covered_to_its_last_column_and_row(width: int, height: int) -> None:
    frame = Frame.of(np.full((height, width, 3), GREY, np.uint8))
    small = matte._shrunk_luma(frame)
    alpha = matte._along_edges(np.ones(small.shape, np.float32), small, frame.planes()[0], 4)
    assert alpha.shape == (height, width) and alpha.min() == 1


def test_rows_that_shrinking_drops_do_no_harm(matter: Matter, face: np.ndarray) -> None:
    """Somebody reaches the bottom of a picture whose height is no multiple of four."""
    frame = scene(cv2.resize(face, None, fx=2.5, fy=2.5), 500, (1920, 1086))
    for _ in range(2):
        alpha = matter(frame)
    assert alpha.shape == (1086, 1920) and alpha[1050:, 800:1000].min() > 0.9


def test_a_photo_is_cut_out_alike_from_its_first_picture_on(matter: Matter, face: np.ndarray) -> None:
    """The first look is as close as all others: nothing jumps when a photo begins to speak."""
    frame = scene(face, 300)
    first = matter(frame)
    for _ in range(3):
        later = matter(frame)
        assert float(np.abs(later - first).max()) < 0.3 and float(np.abs(later - first).mean()) < 0.001
