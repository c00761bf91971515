"""SyncNet with weights of our own (random): structure, arithmetic, and that a film is cut in step with its sound.

The published network was run beside it on the same weights and clips: embeddings agree to 1e-6, LSE-C and LSE-D to
1e-6.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from heygem.errors import NoFace, SoundTooShort, WeightsUnusable
from heygem.faces.avatar import Avatar
from heygem.faces.shape import mean_face
from heygem.media.frame import Frame
from heygem.quality.syncnet import (
    GREY,
    REACH,
    SIDE,
    SyncNet,
    crop,
    distances,
    face_crops,
    figures,
    layers,
    measure,
)
from tests.media.clips import film, wav

torch = pytest.importorskip("torch", reason="SyncNet needs PyTorch")
RATE = 16_000


@pytest.fixture(scope="module")
def state() -> dict[str, Any]:
    torch.manual_seed(1)
    return layers().state_dict()


@pytest.fixture(scope="module")
def net(state: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> SyncNet:
    path = tmp_path_factory.mktemp("weights") / "syncnet_v2.model"
    torch.save(state, path)
    return SyncNet(path)


def avatar(seen: np.ndarray, fps: Fraction = Fraction(25), cuts: tuple[int, ...] = ()) -> Avatar:
    """A mean face, 40 px between the eyes, that walks to the right; ``seen`` (N,) bool."""
    walk = np.arange(len(seen))[:, None, None] * np.array([1.0, 0.0, 0.0])
    landmarks = (40 * mean_face() + (100, 100, 0) + walk).astype(np.float32)
    cut = np.zeros(len(seen), bool)
    cut[list(cuts)] = True
    score = seen.astype(np.float32)
    made = SimpleNamespace(landmarks=landmarks, weight=score, score=score, fps=fps, cuts=cut)
    return cast(Avatar, made)


def test_the_layers_are_named_and_shaped_as_in_the_published_file(state: dict[str, Any]) -> None:
    shapes = {name: tuple(value.shape) for name, value in state.items() if name.endswith(".weight")}
    assert shapes["netcnnaud.0.weight"] == (64, 1, 3, 3) and shapes["netcnnaud.18.weight"] == (512, 256, 5, 4)
    assert shapes["netcnnlip.0.weight"] == (96, 3, 5, 7, 7) and shapes["netcnnlip.18.weight"] == (512, 256, 1, 6, 6)
    assert shapes["netcnnlip.4.weight"] == (256, 96, 1, 5, 5)
    assert shapes["netfclip.3.weight"] == shapes["netfcaud.3.weight"] == (1024, 512)
    assert sum(value.numel() for name, value in state.items() if "num_batches" not in name) == 13_640_256


def test_the_old_file_format_loads(state: dict[str, Any], tmp_path: Path) -> None:
    old = {name: value for name, value in state.items() if "num_batches" not in name}
    torch.save(old, tmp_path / "old.model", _use_new_zipfile_serialization=False)
    SyncNet(tmp_path / "old.model")


def bad_files(state: dict[str, Any]) -> Iterator[tuple[object, str]]:
    yield None, "no such file"
    yield b"not a model", "not a PyTorch state dict"
    yield Fraction(1, 2), "not a PyTorch state dict"  # an object: loading it would run code
    yield {"a": torch.zeros(1)}, "not those of this network"
    yield {**state, "netfclip.3.bias": torch.zeros(1023)}, "not those of this network"
    yield [torch.zeros(1)], "not those of this network"


def test_other_files_are_refused_with_reason_and_remedy(state: dict[str, Any], tmp_path: Path) -> None:
    for number, (content, reason) in enumerate(bad_files(state)):
        path = tmp_path / f"{number}.model"
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content is not None:
            torch.save(content, path)
        with pytest.raises(WeightsUnusable, match=reason) as caught:
            SyncNet(path)
        assert path.name in caught.value.message and "HEYGEM_SYNCNET" in caught.value.hint


def test_a_stretch_at_once_is_the_same_as_look_by_look(net: SyncNet) -> None:
    faces = np.random.default_rng(0).integers(0, 256, (7, SIDE, SIDE, 3), dtype=np.uint8)
    whole = net.see(faces)
    assert whole.shape == (3, 1024)
    alone = torch.cat([net.see(faces[k : k + 5]) for k in range(3)])
    torch.testing.assert_close(whole, alone, atol=1e-6, rtol=1e-5)
    assert not torch.allclose(whole[0], whole[1], atol=1e-3), "it does look at the faces"


def test_looks_at_the_sound_do_not_depend_on_their_neighbours(net: SyncNet) -> None:
    windows = np.random.default_rng(0).normal(0, 10, (4, 20, 13))
    whole = net.hear(windows)
    assert whole.shape == (4, 1024)
    torch.testing.assert_close(whole[2:3], net.hear(windows[2:3]), atol=1e-6, rtol=1e-5)
    assert not torch.allclose(whole[0], whole[1], atol=1e-3)


@pytest.mark.parametrize("late", [-15, -4, 0, 1, 15])
def test_a_known_lag_of_embeddings_is_found(late: int) -> None:
    points = torch.from_numpy(np.random.default_rng(0).normal(size=(300, 1024)).astype(np.float32))
    heard = points[100:160]
    seen = points[100 + REACH - late : 160 - REACH - late]  # the picture shows what was heard ``late`` frames ago
    found = figures(distances(seen, heard) / len(seen), len(seen))
    assert (found.offset, found.frames) == (late, 30)
    assert found.distance == pytest.approx(1e-6 * 32, rel=1e-3)
    assert found.confidence == pytest.approx(np.sqrt(2 * 1024), rel=0.02), "two strangers are that far apart"


def test_lse_is_least_and_median_minus_least() -> None:
    mean = np.linspace(9, 12, 31)
    mean[12] = 7
    found = figures(mean, 40)
    assert (found.distance, found.offset) == (7, 3)
    assert found.confidence == pytest.approx(np.median(mean) - 7)


def test_the_crop_is_the_face_with_room_at_the_sides_and_below_in_bgr() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[60:140, 60:140] = (200, 60, 60)  # red
    found = crop(Frame.of(picture), np.array([100.0, 100.0, 40.0]))
    assert found.shape == (SIDE, SIDE, 3)
    red = (found[..., 2] > 120) & (found[..., 0] < 100)
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    assert (rows[0], rows[-1]) == (0, 159), "from the top of the face to 1 / 1.4 of the height"
    assert (columns[0], columns[-1]) == (32, 191)


def test_outside_the_frame_the_crop_is_grey() -> None:
    found = crop(Frame.of(np.full((100, 100, 3), 250, np.uint8)), np.array([0.0, 0.0, 40.0]))
    assert (found[:79, :, :] == GREY).all() and (found[:, :111] == GREY).all()
    assert (found[82:, 114:] > 240).all()


def test_the_longest_stretch_without_a_cut_is_taken_and_short_losses_are_bridged() -> None:
    seen = np.ones(300, bool)
    seen[100:110] = False  # bridged
    seen[200:240] = False  # not
    start, squares = face_crops(avatar(seen, cuts=(20,)))
    assert (start, len(squares)) == (20, 180)
    assert np.diff(squares[10:-10, 0]) == pytest.approx(1, abs=0.01), "a walk goes on where nobody looked"
    start, squares = face_crops(avatar(seen, Fraction(50)))
    assert (start, len(squares)) == (0, 150), "twenty-five a second: a loss of 40 frames is 20, and bridged"


def test_a_face_of_moments_and_a_sound_that_is_too_short_are_refused(tmp_path: Path) -> None:
    short = wav(tmp_path / "short.wav", np.random.default_rng(0).normal(0, 0.1, RATE // 2), RATE)
    nobody = cast(SyncNet, None)
    with pytest.raises(NoFace):
        measure(nobody, Path("film.mp4"), short, avatar(np.arange(100) < 20))
    with pytest.raises(SoundTooShort):
        measure(nobody, Path("film.mp4"), short, avatar(np.ones(100, bool)))


class Meter:
    """In the place of the network: how bright the third of five faces is; how loud the middle of the sound is."""

    def see(self, faces: np.ndarray) -> Any:
        assert faces.shape[1:] == (SIDE, SIDE, 3) and len(faces) <= 36, "memory stays flat"
        return torch.from_numpy(faces[2:-2].mean(axis=(1, 2, 3)).astype(np.float32))[:, None] / 10

    def hear(self, windows: np.ndarray) -> Any:
        return torch.from_numpy(windows[:, 7:12, 0].mean(axis=1).astype(np.float32))[:, None]


@pytest.mark.parametrize(("fps", "late"), [(25, 0), (25, 3), (50, -2), (30, 0)])
def test_picture_and_sound_of_a_film_are_compared_in_step(fps: int, late: int, tmp_path: Path) -> None:
    """Brightness follows the loudness of the sound, ``late`` frames of 40 ms later: that offset is found."""
    rng = np.random.default_rng(3)
    level = np.interp(np.arange(0, 6, 1 / 100), np.arange(0, 6.1, 0.1), rng.uniform(8, 17, 61))  # log energy, 100 Hz

    def at(seconds: np.ndarray) -> np.ndarray:
        return np.interp(seconds, np.arange(len(level)) / 100, level)

    t = np.arange(6 * RATE) / RATE
    noise = rng.normal(size=len(t))
    sound = wav(tmp_path / "sound.wav", np.sqrt(np.exp(at(t)) / 388) / 32768 * noise, RATE)
    times = (np.arange(6 * fps) + 0.5) / fps - late / 25
    grey = np.clip(10 * at(times), 0, 255)
    pictures = [np.full((96, 128, 3), value, np.uint8) for value in grey]
    video = film(tmp_path / "film.mp4", pictures, "-pix_fmt", "yuv420p", "-crf", 5, rate=fps)
    person = avatar(np.ones(6 * fps, bool), Fraction(fps))
    person.landmarks[:] = 10 * mean_face() + (64, 48, 0)
    found = measure(cast(SyncNet, Meter()), video, sound, person)
    assert found.offset == late
    assert found.frames == 145
    assert found.distance < 0.5 * (found.distance + found.confidence)
