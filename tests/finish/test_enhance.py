"""Sharper faces: edges gain, grain does not, what is no face stays as it is, and the weights decide who does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from heygem import gpus
from heygem.errors import EngineUnavailable, WeightsDamaged
from heygem.faces.track import Face, Tracker
from heygem.finish import enhance
from heygem.finish.enhance import WEIGHTS, Enhancer, check
from heygem.finish.sharpen import ALLOWED, BLEND, LOWER, MOST, OVERSHOOT, Patch, Sharpener, lifts
from heygem.media.frame import Frame
from heygem.media.reader import VideoReader
from heygem.settings import load
from heygem.weights.store import WEIGHTS as FILE
from heygem.weights.store import WeightStore
from tests.weights import made


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WeightStore:
    monkeypatch.setenv("HEYGEM_HOME", str(tmp_path / "home"))
    return WeightStore(load().weights)


@pytest.fixture(scope="module")
def seen(portrait: Path) -> tuple[Frame, Face]:
    with VideoReader(portrait) as reader, Tracker() as tracker:
        frame = next(iter(reader))
        face = tracker.follow(frame)
    assert face is not None
    return frame, face


@pytest.fixture
def enhancer() -> Iterator[Enhancer]:
    effect = Enhancer(1.0)
    yield effect
    effect.close()


def sharpened(frame: Frame, face: Face, amount: float) -> Frame:
    made = frame.copy()
    Sharpener(amount)(made, [face])
    return made


def luma(frame: Frame) -> np.ndarray:
    return frame.planes()[0].astype(np.float32)


def skin(frame: Frame, face: Face) -> np.ndarray:
    """The luma of a cheek, without edges."""
    x, y = np.rint(face.landmarks[[50, 280], :2]).astype(int).T
    return np.concatenate([luma(frame)[b - 8 : b + 8, a - 8 : a + 8].ravel() for a, b in zip(x, y, strict=True)])


def energy(frame: Frame, patch: Patch, where: np.ndarray) -> float:
    """Mean square of what is finer than a pixel."""
    x0, y0, x1, y1 = patch.box
    fine = luma(frame) - cv2.GaussianBlur(luma(frame), (0, 0), 1)
    return float(np.square(fine[y0:y1, x0:x1][where]).mean())


def softened(frame: Frame, patch: Patch, below: float) -> Frame:
    """The face from the depth ``below`` on as a small network leaves it."""
    soft = frame.copy()
    plane = soft.views(patch.box)[0]
    plane[:] = np.where(patch.depth > below, cv2.GaussianBlur(plane, (0, 0), 1.5), plane)
    return soft


def test_edges_of_a_face_gain_with_the_amount(seen):
    frame, face = seen
    patch = Patch.of(face.landmarks, frame)
    assert patch is not None
    gained = [
        energy(sharpened(frame, face, amount), patch, patch.soft > 0.9) / energy(frame, patch, patch.soft > 0.9)
        for amount in (0.0, 0.3, 0.6, 1.0)
    ]
    assert gained[0] == 1 and gained == sorted(gained) and 1.3 < gained[3] < 3.5


def test_everything_but_the_luma_of_the_face_stays_bit_equal(seen):
    frame, face = seen
    made = sharpened(frame, face, 1.0)
    patch = Patch.of(face.landmarks, frame)
    assert patch is not None
    x0, y0, x1, y1 = patch.box
    outside = np.ones((frame.height, frame.width), bool)
    outside[y0:y1, x0:x1] = patch.soft == 0
    assert outside.mean() > 0.5 and (luma(made) != luma(frame)).any()
    assert np.array_equal(luma(made)[outside], luma(frame)[outside])
    assert all(np.array_equal(a, b) for a, b in zip(made.planes()[1:], frame.planes()[1:], strict=True))


def test_grain_is_left_alone(seen):
    frame, face = seen
    noisy = frame.copy()
    grain = np.random.default_rng(0).normal(0, 6, luma(frame).shape)
    noisy.planes()[0][:] = np.clip(np.rint(luma(frame) + grain), 0, 255)
    made = sharpened(noisy, face, 1.0)
    before, after = (np.abs(cv2.Laplacian(skin(one, face).reshape(-1, 16), cv2.CV_32F)).mean() for one in (noisy, made))
    assert before > 10 and after / before < 1.05
    assert (luma(made) != luma(noisy)).any()


def test_no_halos(seen):
    frame, face = seen
    made = sharpened(frame, face, 1.0)
    around = np.ones((3, 3), np.uint8)
    assert (luma(made) >= cv2.erode(luma(frame), around) - OVERSHOOT).all()
    assert (luma(made) <= cv2.dilate(luma(frame), around) + OVERSHOOT).all()


def test_a_soft_mouth_gains_more_than_the_eyes(seen):
    frame, face = seen
    patch = Patch.of(face.landmarks, frame)
    assert patch is not None
    places = [(patch.soft > 0.9) & place for place in (patch.depth < BLEND, patch.depth > LOWER + 0.05)]
    gains = []
    for one in (frame, softened(frame, patch, LOWER)):
        made = sharpened(one, face, 1.0)
        upper, lower = (energy(made, patch, place) / energy(one, patch, place) for place in places)
        gains.append(lower / upper)
    assert gains[0] < 1.1 and gains[1] > 1.2


def test_lifts_follow_from_how_steep_the_bands_are():
    even = np.array([[4.0, 4.0, 4.0], [1.0, 1.0, 1.0]])
    assert lifts(even).tolist() == [1, 1]  # fewer edges below, but as sharp
    softer = np.array([[4.0, 4.0, 4.0], [1.0, 1.0, 4.0]])
    assert lifts(softer) == pytest.approx([2 / ALLOWED] * 2)  # what the coarser band lacks, the finer one lacks too
    assert lifts(softer * [[1], [1e-6]]).tolist() == lifts(softer).tolist()
    assert lifts(np.array([[9.0, 9.0, 9.0], [0.0, 1.0, 9.0]])).tolist() == [MOST, MOST]


def test_one_odd_frame_changes_little(seen):
    frame, face = seen
    patch = Patch.of(face.landmarks, frame)
    assert patch is not None
    sharpener, results = Sharpener(1.0), []
    soft = softened(frame, patch, LOWER)
    for one in [soft] * 3 + [frame] + [soft]:
        made = one.copy()
        sharpener(made, [face])
        results.append(luma(made))
    assert np.array_equal(results[0], results[2])
    assert 0 < np.abs(results[4] - results[2]).max() <= 3


def test_faces_at_the_edge_or_too_small_do_no_harm(seen):
    frame, face = seen
    for move in ((-300, 0), (250, 250), (-2000, 0)):
        moved = Face(face.landmarks + np.array([*move, 0], np.float32), 1.0, 0)
        sharpened(frame, moved, 1.0)
    small = Face(face.landmarks * 0.1, 1.0, 0)
    assert np.array_equal(sharpened(frame, small, 1.0).data, frame.data)


def test_an_effect_finds_the_face_by_itself(seen, enhancer):
    frame, face = seen
    made = enhancer(0, frame.copy())
    assert enhancer.name == "enhance" and enhancer.note == "sharpening (weights “gfpgan” are not installed)"
    assert np.abs(luma(made) - luma(sharpened(frame, face, 1.0))).max() <= 2
    enhancer.close()


def test_without_a_face_the_frame_stays_as_it_is(enhancer):
    picture = np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8)
    frame = Frame.of(cv2.GaussianBlur(picture, (0, 0), 3))
    assert np.array_equal(enhancer(0, frame.copy()).data, frame.data)


def test_weights_that_may_not_be_used_are_no_failure(store, tmp_path, monkeypatch):
    torch.save({"params_ema": made.gfpgan()}, tmp_path / "GFPGANv1.4.pth")
    store.add(tmp_path / "GFPGANv1.4.pth")
    monkeypatch.setenv("HEYGEM_COMMERCIAL", "true")
    check("cuda")
    effect = Enhancer(0.5)
    effect.close()
    assert effect.note.startswith("sharpening (The weights “gfpgan” are not used where HEYGEM_COMMERCIAL is true")


def test_what_is_wrong_with_weights_is_said_before_any_work(store, tmp_path, monkeypatch):
    monkeypatch.setattr(gpus, "for_torch", lambda: ())
    check("cuda")  # sharpening needs no GPU
    torch.save(made.gfpgan(), tmp_path / "mine.pth")
    found = store.add(tmp_path / "mine.pth")
    assert found.name == WEIGHTS == enhance.WEIGHTS
    check()
    with pytest.raises(EngineUnavailable, match="no GPU"):
        check("cuda")
    found.file.with_name(FILE).write_bytes(b"")
    with pytest.raises(WeightsDamaged):
        check()
