"""A smile lifts and widens the mouth and leaves what is said alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heygem.engines.base import Style
from heygem.engines.mesh.engine import MeshEngine
from heygem.engines.mesh.geometry import areas, frame_triangles, ring
from heygem.engines.mesh.person import close_lips
from heygem.engines.mesh.smile import Smile
from heygem.errors import OptionInvalid
from heygem.faces.avatar import Avatar
from heygem.faces.shape import CHIN, INNER_LOWER, INNER_UPPER, LOWER_LIDS, UPPER_LIDS, align, gap, mean_face, width
from heygem.faces.track import Tracker
from heygem.media.frame import Frame
from heygem.media.reader import VideoReader
from heygem.media.sound import RATE, Sound

FRAMES = 12


@pytest.fixture
def closed() -> np.ndarray:
    """(468, 3) the mean face with shut lips."""
    return close_lips(mean_face().astype(np.float64))


@pytest.fixture
def avatar(portrait: Path, avatar_cache: Path) -> Avatar:
    return Avatar.prepare(portrait, cache=avatar_cache)


@pytest.fixture
def photo(portrait: Path) -> Frame:
    with VideoReader(portrait) as reader:
        return next(iter(reader))


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    with Tracker() as tracker:
        yield tracker


def made(avatar: Avatar, photo: Frame, samples: np.ndarray, style: Style, batch: int = FRAMES) -> list[Frame]:
    """``FRAMES`` frames of the photo that speaks."""
    engine, frames = MeshEngine(), [photo.copy() for _ in range(FRAMES)]
    heard = engine.listen(Sound(samples[: RATE * FRAMES // 25], Path("voice.wav")), Fraction(25), FRAMES)
    renderer = engine.begin(avatar, heard, np.zeros(FRAMES, np.int64), style)
    return [frame for k in range(0, FRAMES, batch) for frame in renderer.render(k, frames[k : k + batch])]


def seen(tracker: Tracker, frame: Frame) -> tuple[float, float, float]:
    """Height of the corners over the middle of the lips, width and opening of the mouth, canonical, as tracked anew."""
    tracker.reset()
    face = tracker.follow(frame)
    assert face is not None
    shape = align(face.landmarks[None])[0][0]
    return float(shape[[13, 14], 1].mean() - shape[[61, 291], 1].mean()), float(width(shape)), float(gap(shape))


def smiling(avatar: Avatar, photo: Frame, tracker: Tracker) -> np.ndarray:
    """(3, 3) what is ``seen`` in silence at smile 0, 0.5 and 1: height, width, opening."""
    styles = (Style(blinks=0, sway=0, smile=smile) for smile in (0, 0.5, 1))
    frames = [made(avatar, photo, np.zeros(RATE, np.float32), style)[5] for style in styles]
    return np.transpose([seen(tracker, frame) for frame in frames])


def test_corners_rise_and_the_lips_stay_shut(avatar: Avatar, photo: Frame, tracker: Tracker) -> None:
    height, _, opening = smiling(avatar, photo, tracker)
    assert np.diff(height).min() > 0.01 and height[2] - height[0] > 0.03, "little: she smiles already"
    assert np.abs(opening - opening[0]).max() < 0.02


def test_a_serious_face_smiles_clearly(media_dir: Path, avatar_cache: Path, tracker: Tracker) -> None:
    path = media_dir / "portraits" / "dreamtalk_male_face.png"
    with VideoReader(path) as reader:
        photo = next(iter(reader))
    height, wide, opening = smiling(Avatar.prepare(path, cache=avatar_cache), photo, tracker)
    assert np.diff(height).min() > 0.03 and wide[2] - wide[0] > 0.08
    assert height[2] > 0.04 > height[0] and np.abs(opening - opening[0]).max() < 0.02


def test_touching_lips_move_as_one(closed: np.ndarray) -> None:
    moved = Smile(closed, 1.0).of(closed)
    assert np.array_equal(moved[list(INNER_UPPER)], moved[list(INNER_LOWER)])
    assert moved[61, 0] < -0.05 < 0.05 < moved[291, 0] and (moved[[61, 291], 1] < -0.08).all()


def test_cheeks_and_lower_lids_rise_a_touch_and_nothing_else_does(closed: np.ndarray) -> None:
    moved = Smile(closed, 1.0).of(closed)
    lids = [line[4] for line in LOWER_LIDS]
    opening = closed[lids, 1] - closed[[line[4] for line in UPPER_LIDS], 1]
    assert (moved[[205, 425], 1] < -0.03).all() and (-moved[lids, 1] / opening > 0.05).all()
    assert (-moved[lids, 1] / opening < 0.25).all()
    still = [*CHIN, 1, 4, 6, 10, 151, *(point for line in UPPER_LIDS for point in line)]
    assert np.abs(moved[still]).max() < 1e-9, "chin, nose, forehead, upper lids"


def test_rounded_lips_hold_the_smile_back(closed: np.ndarray) -> None:
    smile, rounded = Smile(closed, 1.0), closed.copy()
    rounded[61, 0] += 0.06
    rounded[291, 0] -= 0.06
    before, after = smile.of(closed), smile.of(rounded)
    assert np.abs(after[61] / before[61]).max() < 0.4
    assert np.array_equal(before[LOWER_LIDS[0][4]], after[LOWER_LIDS[0][4]]), "the eyes keep it"


def test_no_skin_folds(closed: np.ndarray) -> None:
    mesh = np.concatenate([closed[:, :2], ring(closed[None])[0]])
    moved = mesh.copy()
    moved[:468] += Smile(closed, 1.0).of(closed)[:, :2]
    triangles = frame_triangles(eyes=True)
    before, after = areas(mesh[triangles]), areas(moved[triangles])
    large = before > 5e-4
    assert large.sum() > 700 and (after[large] / before[large]).min() > 0.3


def test_nothing_is_asked_and_nothing_changes(avatar: Avatar, photo: Frame, speech: np.ndarray) -> None:
    least, most, none = (Smile(mean_face(), amount).of(mean_face()) for amount in (1e-6, 1.0, 0.0))
    assert not none.any() and np.abs(least).max() < 1e-6 * 1.01 * np.abs(most).max()
    film = replace(avatar, still=False)
    one, other = (made(film, photo, speech, style) for style in (Style(), Style(smile=1, nod=2)))
    assert all(np.array_equal(a.data, b.data) for a, b in zip(one, other, strict=True)), "films live by themselves"


def test_speech_goes_on_and_batches_do_not_matter(avatar: Avatar, photo: Frame, speech: np.ndarray, tracker: Tracker):
    plain, friendly, singles = (
        made(avatar, photo, speech, style, batch)
        for style, batch in ((Style(blinks=0, sway=0), 12), (Style(smile=0.7, nod=1), 12), (Style(smile=0.7, nod=1), 1))
    )
    assert all(np.array_equal(a.data, b.data) for a, b in zip(friendly, singles, strict=True))
    one, other = ([seen(tracker, frames[t])[2] for t in range(0, FRAMES, 2)] for frames in (plain, friendly))
    assert np.corrcoef(one, other)[0, 1] > 0.9 and np.ptp(one) > 0.05


def test_who_smiles_already_gets_less_of_it(closed: np.ndarray) -> None:
    friendly = closed + Smile(closed, 1.0).of(closed)
    once, again = (-Smile(shape, 1.0).of(shape)[61, 1] for shape in (closed, friendly))
    assert 0.3 * once < again < 0.5 * once


@pytest.mark.parametrize("bad", [{"smile": 1.1}, {"smile": -0.1}, {"nod": 2.1}, {"nod": -0.1}])
def test_more_than_there_is_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(OptionInvalid, match=next(iter(bad))):
        Style(**bad)
