"""What OpenCV does on the processor, PyTorch does on a graphics card: here on PyTorch's processor, and where there is
a card, there too."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from heygem.engines.base import Style
from heygem.engines.mesh.engine import MeshEngine, MeshRenderer
from heygem.engines.mesh.graphics import Graphics
from heygem.engines.mesh.pixels import CUBIC, LINEAR, Processor
from heygem.engines.mesh.warp import rasterise, spread
from heygem.engines.neural.place import Place
from heygem.faces.avatar import Avatar
from heygem.media.frame import Frame
from heygem.media.sound import Sound
from tests.engines.talker import FPS, FRAMES, SIDE, clip

PROCESSOR = Processor()
PLACES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]


@pytest.fixture(params=PLACES)
def graphics(request: pytest.FixtureRequest) -> Graphics:
    return Graphics(Place(torch.device(request.param), torch.float32, request.param))


def plane(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    """Levels of a picture: smooth, with some grain."""
    made = np.random.default_rng(seed).normal(128, 60, (height // 4, width // 4)).astype(np.float32)
    return np.clip(cv2.resize(made, (width, height)), 0, 255).astype(np.uint8)


def picture(seed: int) -> Frame:
    return Frame.of(np.dstack([plane(seed + k) for k in range(3)]))


def there(graphics: Graphics, values: np.ndarray) -> torch.Tensor:
    return graphics.here(values.astype(np.float32))


@pytest.mark.parametrize(("way", "most"), [(LINEAR, 2.0), (CUBIC, 4.0)])
def test_pixels_are_taken_from_the_same_places(graphics: Graphics, way: int, most: float) -> None:
    """Beyond the edge too. OpenCV knows thirty-seconds of a pixel only."""
    levels, seed = plane(1), np.random.default_rng(2)
    x = (np.arange(64) + 6 * np.sin(np.arange(48) / 5)[:, None] + seed.uniform(-0.5, 0.5)).astype(np.float32)
    y = (np.arange(48)[:, None] + 5 * np.cos(np.arange(64) / 7)).astype(np.float32)
    expected = PROCESSOR.remapped(levels, x, y, way)
    made = graphics.remapped(there(graphics, levels), graphics.here(x), graphics.here(y), way).cpu().numpy()
    assert np.abs(made - expected).max() < most and np.abs(made - expected).mean() < 0.4


def test_fields_are_spread_over_the_same_triangles(graphics: Graphics) -> None:
    target = np.array([(2, 3), (60, 6), (30, 44), (5, 40), (62, 40)], float)
    triangles = np.array([(0, 1, 2), (0, 2, 3), (1, 4, 2)])
    index = rasterise(target, triangles, (64, 48))
    values = np.random.default_rng(3).normal(0, 20, (5, 3))
    made = graphics.spread(index, target, values, triangles).cpu().numpy()
    assert made.shape == (3, 48, 64) and (index < 0).any()
    assert np.allclose(made, spread(index, target, values, triangles), atol=1e-2)


@pytest.mark.parametrize("sigma", [0.5, 2.0, 9.0])
def test_blurs_are_alike(graphics: Graphics, sigma: float) -> None:
    field = plane(4).astype(np.float32)
    several = np.dstack([field, field.T[:48, :48].repeat(2, 1)[:, :64]])
    for one in (field, several):
        made = graphics.blurred(graphics.here(one), sigma).cpu().numpy()
        assert np.abs(made - PROCESSOR.blurred(one, sigma)).max() < 1.5


def test_a_small_picture_is_blurred_as_far_as_it_reaches(graphics: Graphics) -> None:
    made = graphics.blurred(graphics.here(np.full((2, 3), 7, np.float32)), 5.0)
    assert torch.allclose(made.cpu(), torch.tensor(7.0))


def test_sizes_change_alike(graphics: Graphics) -> None:
    field = plane(5).astype(np.float32)
    for size in ((128, 96), (100, 70)):
        made = graphics.enlarged(graphics.here(field), size).cpu().numpy()
        assert np.abs(made - PROCESSOR.enlarged(field, size)).max() < 0.1
    made = graphics.shrunk(graphics.here(field), (16, 12)).cpu().numpy()
    assert np.abs(made - PROCESSOR.shrunk(field, (16, 12))).max() < 0.1


def test_a_canvas_is_a_frame(graphics: Graphics) -> None:
    ours, other = picture(10), picture(20)
    sheet = graphics.canvas(ours.copy())
    assert np.array_equal(graphics.given(sheet)().data, ours.data), "what nobody draws on stays to the bit"
    box, share = (8, 4, 40, 36), plane(7, 16, 16).astype(np.float32) / 255
    assert np.abs(sheet.rgb(box).cpu().numpy() - ours.rgb(box)).max() < 0.8
    kept = sheet.copy()
    patch = np.clip(ours.rgb(box).astype(int) + np.random.default_rng(1).integers(-30, 30, (32, 32, 3)), 0, 255)
    above = other.cut(box)
    sheet.paste(8, 4, there(graphics, patch))
    sheet.blend(box, graphics.canvas(above), graphics.here(share))
    ours.paste(8, 4, patch.astype(np.uint8))
    ours.blend(box, above, share)
    assert np.abs(graphics.given(sheet)().data.astype(int) - ours.data).max() <= 1
    assert np.array_equal(graphics.given(kept)().data, picture(10).data), "a copy is a copy"


@pytest.fixture(scope="module")
def film() -> tuple[Avatar, list[Frame]]:
    """Somebody who talks, for a while behind a cup."""
    person, mouths, frames = clip(range(30, 50))
    weight = np.ones(FRAMES, np.float32)
    landmarks = person.landmarks.astype(np.float32)
    return Avatar("talker", 0, SIDE, SIDE, Fraction(FPS), False, landmarks, weight, mouths), frames


def test_faces_bend_alike(graphics: Graphics, film: tuple[Avatar, list[Frame]], speech: np.ndarray) -> None:
    """Mouths that open and close, insides that are drawn, colours that are matched, a cup that stays on top."""
    avatar, frames = film
    motion = MeshEngine().listen(Sound(speech, Path("voice.wav")), avatar.fps, FRAMES)
    results = []
    for pixels in (PROCESSOR, graphics):
        renderer = MeshRenderer(avatar, motion, np.arange(FRAMES), Style(strength=1.5), pixels=pixels)
        copies = [frame.copy() for frame in frames]
        results.append(
            np.stack([one.data for k in range(0, FRAMES, 8) for one in renderer.render(k, copies[k : k + 8])])
        )
    ours, theirs = results
    before = np.stack([frame.data for frame in frames])
    changed = ours != before
    assert changed.mean() > 0.02
    apart = np.abs(ours.astype(int) - theirs)
    assert apart.max() <= 12 and np.quantile(apart[changed], 0.999) <= 3 and apart[changed].mean() < 0.5
    assert apart[40].max() == 0 and not changed[40].any(), "behind the cup nothing speaks"
