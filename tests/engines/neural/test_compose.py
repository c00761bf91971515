"""What a network sees is the right part of the frame, and what it makes comes back to the same place."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from heygem.engines.neural.compose import View, compose
from heygem.engines.neural.crop import Crops, Patches
from heygem.engines.neural.mask import RASTER, masks
from heygem.faces.shape import CHIN, LIPS, OVAL, mean_face

SIZE = (200, 240)


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def smooth(height: int, width: int) -> Tensor:
    """(1, 3, h, w) slow waves, another one in each colour: what no resampling harms."""
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    waves = [torch.sin(x / 31) * torch.cos(y / 23), torch.cos(x / 27), torch.sin((x + y) / 37)]
    return torch.stack(waves)[None] / 2 + 0.5


def view_of(box: tuple[float, float, float, float], side: int, degrees: float = 0) -> View:
    angle = np.radians(degrees)
    wide, high = box[2] - box[0], box[3] - box[1]
    turn = np.array([(np.cos(angle) * wide, -np.sin(angle) * high), (np.sin(angle) * wide, np.cos(angle) * high)])
    maps = np.concatenate([turn, np.array([[box[0]], [box[1]]])], axis=1) / np.array([[SIZE[1]], [SIZE[0]]])
    return View(torch.tensor(maps[None], dtype=torch.float32), wide / side)


def test_a_crop_of_whole_pixels_is_exact():
    picture = noise(1, 3, *SIZE)
    seen = view_of((40, 30, 136, 126), 96).cut(picture, 96)
    assert torch.allclose(seen, picture[:, :, 30:126, 40:136], atol=1e-4)


def test_a_crop_shrinks_by_the_mean_of_areas():
    picture = noise(1, 3, *SIZE)
    seen = view_of((0, 0, 200, 200), 20).cut(picture, 20)
    assert seen.std() < 0.5 * picture.std() and abs(float(seen.mean() - picture[..., :200].mean())) < 0.02


@pytest.mark.parametrize("degrees", [0, 17])
def test_what_is_cut_and_put_back_lies_where_it_was(degrees: float):
    picture = smooth(*SIZE)
    view = view_of((60.3, 20.7, 180.9, 150.2), 96, degrees)
    back = view.put(view.cut(picture, 96), SIZE)
    inside = view.put(torch.ones(1, 1, 96, 96), SIZE, "bilinear", "zeros") > 0.999
    assert inside.sum() > 9000
    assert (back - picture).abs()[inside.expand_as(picture)].max() < 0.02


def face_masks(region: str = "jaw", weight: float = 1.0) -> tuple[Tensor, Tensor]:
    drawn = masks(points()[None], region, np.array([weight]))
    return torch.from_numpy(drawn.face).float(), torch.from_numpy(drawn.lips).float()


def points() -> np.ndarray:
    flat = mean_face()[:, :2]
    low, high = flat.min(axis=0), flat.max(axis=0)
    return (flat - low) / (1.06 * (high - low))


def at(mask: Tensor, point: np.ndarray) -> float:
    x, y = np.minimum((point * RASTER).astype(int), RASTER - 1)
    return float(mask[0, 0, y, x])


@pytest.mark.parametrize("region", ["jaw", "mouth"])
def test_the_mask_holds_the_mouth_and_leaves_eyes_nose_and_edges(region: str):
    face, lips = face_masks(region)
    shape = points()
    assert all(at(face, shape[n]) > 0.95 for n in LIPS)
    assert all(at(lips, shape[n]) > 0.3 for n in LIPS) and at(lips, shape[13]) > 0.95
    assert all(at(face, shape[n]) < 0.02 for n in (33, 263, 168, 6, 195, *OVAL[:6]))
    assert face[0, 0, 0].max() == face[0, 0, -1].max() == face[0, 0, :, 0].max() == face[0, 0, :, -1].max() == 0
    chin = [at(face, shape[n]) for n in CHIN]
    assert min(chin) > 0.4 if region == "jaw" else max(chin) < 0.5


def test_the_mask_weighs_what_the_frame_weighs():
    whole, half = face_masks()[0], face_masks(weight=0.5)[0]
    assert torch.allclose(whole / 2, half)


def test_nothing_changes_where_the_mask_is_0_and_the_skin_keeps_its_texture():
    picture, side = noise(1, 3, *SIZE), 96
    view = view_of((20, 4, 220, 196), side)
    seen = view.cut(picture, side)
    face, lips = face_masks()
    lips = torch.zeros_like(lips)
    brighter = seen + 0.04 * torch.from_numpy(np.pad(np.ones((20, 20), np.float32), ((50, 26), (38, 38))))
    result = compose(picture, seen, brighter.clamp(0, 1), view, face, lips)
    untouched = (view.put(face, SIZE, "bilinear", "zeros") == 0).expand_as(picture)
    assert torch.equal(result[untouched], picture[untouched])
    change = (result - picture)[0, :, 125:135, 110:130]  # inside the brighter square
    assert abs(float(change.mean()) - 0.04) < 0.02 and change.std() < 0.1 * picture.std()


def test_on_the_lips_what_the_network_made_stands_alone():
    picture, side = noise(1, 3, *SIZE), 96
    view = view_of((20, 4, 220, 196), side)
    face, lips = face_masks()
    made = torch.full((1, 3, side, side), 0.5)
    result = compose(picture, view.cut(picture, side), made, view, face, lips)
    x, y = (points()[13] * (200, 192) + (20, 4)).astype(int)
    assert result[0, :, y - 2 : y + 2, x - 6 : x + 6].std() < 0.1 < picture[0, :, y - 2 : y + 2, x - 6 : x + 6].std()


def test_a_difference_of_colour_along_the_edge_is_taken_out():
    picture, side = smooth(*SIZE), 96
    view = view_of((20, 4, 220, 196), side)
    face, lips = face_masks()
    seen = view.cut(picture, side)
    result = compose(picture, seen, seen + 0.1, view, face, torch.zeros_like(lips))
    assert (result - picture).abs().max() < 0.01


def test_crops_and_patches_meet_in_a_view():
    landmarks = mean_face()[None].copy()
    landmarks[..., :2] = 60 * landmarks[..., :2] + (120, 90)
    crops = Crops.of(landmarks, lambda flat: np.concatenate([flat.min(axis=1), flat.max(axis=1)], axis=1), 64)
    patches = Patches.round(crops, np.arange(1), (SIZE[1], SIZE[0]))
    x0, y0, x1, y1 = patches.box(0)
    picture = smooth(*SIZE)
    view = View(torch.tensor(patches.maps(crops, np.arange(1)), dtype=torch.float32), 1.0)
    seen = view.cut(picture[:, :, y0:y1, x0:x1], 64)
    where = crops.maps[0] @ (0.5 + 0.5 / 64, 0.5 + 0.5 / 64, 1)
    expected = picture[0, :, int(where[1]), int(where[0])]
    assert (seen[0, :, 32, 32] - expected).abs().max() < 0.03
