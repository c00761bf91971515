"""Faces restored by a network: aligned as it expects, put back where they were, and as much of it as is wished."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from heygem.errors import EngineUnavailable, OutOfMemory, WeightsUnusable
from heygem.faces.shape import eye_centres
from heygem.faces.track import Face, Tracker
from heygem.finish.enhance import Enhancer
from heygem.finish.gfpgan import GFPGAN, Modulated
from heygem.finish.restore import ALIGNED, CORNERS, NOSE, SIDE, Restorer, Square, aligned, loaded, place
from heygem.finish.sharpen import Patch
from heygem.media.frame import Frame
from heygem.media.reader import VideoReader
from heygem.settings import load
from heygem.weights.store import WeightStore

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def seen(portrait: Path) -> tuple[Frame, Face]:
    with VideoReader(portrait) as reader, Tracker() as tracker:
        frame = next(iter(reader))
        face = tracker.follow(frame)
    assert face is not None
    return frame, face


def points(landmarks: np.ndarray) -> np.ndarray:
    """Eyes, nose, corners of the mouth (5, 2) px."""
    eyes = np.array(eye_centres(landmarks))[:, :2]
    return np.concatenate([eyes, landmarks[[NOSE], :2], landmarks[list(CORNERS), :2]])


def with_points(five: np.ndarray) -> np.ndarray:
    """Landmarks (468, 3) whose five points are these."""
    landmarks = np.zeros((468, 3), np.float32)
    for index, point in zip((33, 133, 362, 263, NOSE, *CORNERS), five[[0, 0, 1, 1, 2, 3, 4]], strict=True):
        landmarks[index, :2] = point
    return landmarks


def tiny(seed: int = 0) -> dict[str, Tensor]:
    """Random weights of a small GFPGAN for 64 px, with all that published files hold."""
    torch.manual_seed(seed)
    net = GFPGAN([4, 6, 8, 8, 8], [8, 8, 6, 4], [16, 16, 16, 12, 8], 8)
    state = {name: torch.randn(value.shape) * 0.3 for name, value in net.state_dict().items()}
    state["stylegan_decoder.style_mlp.1.weight"] = torch.randn(8, 8)
    state["toRGB.0.weight"] = torch.randn(3, 8, 1, 1)
    return state


def restored(frame: Frame, faces: list[Face], net, amount: float = 1.0) -> Frame:
    made = frame.copy()
    Restorer(net, CPU, amount)(made, faces)
    return made


def brighter(faces: Tensor) -> Tensor:
    return faces + 20 / 127.5


def test_the_square_of_a_face_is_where_the_network_was_trained_to_see_it():
    turn = 1.3 * np.array([[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]])
    region = aligned(with_points(ALIGNED @ turn.T + [40, 90]))
    assert region.side == pytest.approx(1.3 * SIDE, rel=1e-4) and region.roll == pytest.approx(0.2, abs=1e-4)
    assert region.centre == pytest.approx(turn @ (SIDE / 2, SIDE / 2) + [40, 90], abs=0.01)


@pytest.mark.parametrize("size", [160, 512, 900])
def test_what_the_network_sees_is_aligned(size):
    region = aligned(with_points(ALIGNED * size / SIDE + [60, 50]))
    turned = type(region)(region.centre, region.side, 0.3)
    turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    dots = (ALIGNED - SIDE / 2) @ turn.T * size / SIDE + region.centre
    picture = np.zeros((1100, 1100, 3), np.uint8)
    for x, y in dots:
        cv2.circle(picture, (round(x), round(y)), size // 60, (255, 255, 255), -1)
    cut = Square(turned).cut(Frame.of(picture), SIDE)
    assert cut is not None
    _, _, _, centres = cv2.connectedComponentsWithStats((cut[..., 1] > 100).astype(np.uint8))
    found = centres[1:]
    assert len(found) == 5
    assert max(np.linalg.norm(found - point, axis=1).min() for point in ALIGNED) < 1 + SIDE / size


def test_a_network_that_changes_nothing_leaves_every_bit(seen):
    frame, face = seen
    assert np.array_equal(restored(frame, [face], lambda faces: faces).data, frame.data)


def test_as_much_of_the_change_as_is_wished_and_only_in_the_face(seen):
    frame, face = seen
    patch = Patch.of(face.landmarks, frame)
    assert patch is not None
    x0, y0, x1, y1 = patch.box
    inside = np.zeros((frame.height, frame.width), bool)
    inside[y0:y1, x0:x1] = patch.soft > 0.99
    for amount in (0.5, 1.0):
        change = restored(frame, [face], brighter, amount).rgb().astype(float) - frame.rgb()
        fits = inside & (frame.rgb() < 230).all(axis=2)
        assert change[fits].mean() == pytest.approx(20 * amount, abs=0.5)
    outside = np.ones_like(inside)
    outside[y0:y1, x0:x1] = patch.soft == 0
    assert (change[outside] == 0).all()


def test_what_the_network_draws_lies_where_it_drew_it(seen):
    frame, face = seen

    def dotted(faces: Tensor) -> Tensor:
        made = faces.clone()
        x, y = np.rint(ALIGNED[2]).astype(int)
        made[:, :, y - 8 : y + 8, x - 8 : x + 8] = -1
        return made

    darker = frame.rgb().astype(float).mean(2) - restored(frame, [face], dotted).rgb().mean(2)
    y, x = (np.average(axis, weights=np.clip(darker, 0, None)) for axis in np.indices(darker.shape))
    region = aligned(face.landmarks)
    cos, sin = np.cos(region.roll), np.sin(region.roll)
    away = (np.rint(ALIGNED[2]) - SIDE / 2) * region.side / SIDE
    assert darker.max() > 50
    assert np.linalg.norm(region.centre + np.array([[cos, -sin], [sin, cos]]) @ away - (x, y)) < 1
    assert np.linalg.norm(points(face.landmarks)[2] - (x, y)) < 0.1 * np.ptp(face.landmarks[:, 0])


def test_all_faces_of_a_frame_go_in_one_batch(seen):
    frame, face = seen
    two = Frame.of(np.hstack([frame.rgb(), frame.rgb()]))
    other = Face(face.landmarks + np.array([frame.width, 0, 0], np.float32), 1.0, 1)
    batches = []

    def net(faces: Tensor) -> Tensor:
        batches.append(tuple(faces.shape))
        return brighter(faces)

    change = restored(two, [face, other], net).rgb().astype(float) - two.rgb()
    assert batches == [(2, 3, SIDE, SIDE)]
    left, right = change[:, : frame.width], change[:, frame.width :]
    assert left.sum() > 0 and left.sum() == pytest.approx(right.sum(), rel=0.01)


def test_a_steady_face_is_aligned_steadily(seen):
    frame, face = seen
    cuts = []

    def net(faces: Tensor) -> Tensor:
        cuts.append(faces.clone())
        return faces

    restorer, jitter = Restorer(net, CPU, 1.0), np.random.default_rng(0)
    shaken = [Face(face.landmarks + jitter.normal(0, 0.2, (468, 3)).astype(np.float32), 1.0, 0) for _ in range(8)]
    for one in shaken:
        restorer(frame.copy(), [one])
    follow = [float((b - a).abs().mean()) for a, b in pairwise(cuts)]
    cuts.clear()
    for one in shaken:
        restored(frame, [one], net)
    alone = [float((b - a).abs().mean()) for a, b in pairwise(cuts)]
    assert np.mean(follow) < 0.3 * np.mean(alone)


def test_faces_that_hang_over_the_edge_do_no_harm(seen):
    frame, face = seen
    for move in ((-250, 0), (200, 240), (-3000, 0)):
        moved = Face(face.landmarks + np.array([*move, 0], np.float32), 1.0, 0)
        assert restored(frame, [moved], brighter).data.shape == frame.data.shape


def test_a_gpu_without_room_is_said_so(seen):
    def full(_: Tensor) -> Tensor:
        raise torch.cuda.OutOfMemoryError

    with pytest.raises(OutOfMemory):
        restored(seen[0], [seen[1]], full)


def test_no_gpu_is_asked_for_in_vain(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert place("auto") == place("cpu") == CPU
    with pytest.raises(EngineUnavailable, match="no GPU"):
        place("cuda")


def test_a_modulated_convolution_is_one_with_weights_of_its_own_for_each_picture():
    torch.manual_seed(1)
    layer = Modulated(5, 7, 3, 4, even=True)
    with torch.no_grad():
        layer.weight.normal_()
        x, styles = torch.randn(2, 5, 6, 6), torch.randn(2, 4)
        made = layer(x, styles)
        for one, style, mine in zip(x, styles, made, strict=True):
            weight = layer.weight[0] * layer.modulation(style)[:, None, None]
            weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
            assert torch.allclose(mine, conv2d(one[None], weight, padding=1)[0], atol=1e-5)


def test_the_published_width_is_found_in_the_shapes():
    full = [512, 512, 512, 512, 512, 256, 128, 64]
    with torch.device("meta"):
        half = [width // 2 for width in full]
        state = GFPGAN(half[::-1], half[1:], full, 512).state_dict()
        net = GFPGAN.of(state)
    assert net.side == SIDE and net.final_linear.weight.shape == (16 * 512, 256 * 16)
    assert state["condition_scale.6.2.weight"].shape == (32, 32, 3, 3)
    assert state["stylegan_decoder.noises.noise14"].shape == (1, 1, SIDE, SIDE)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_weights_in_half_precision_compute_in_single(kind):
    net = loaded({name: value.to(kind) for name, value in tiny().items()}, CPU)
    with torch.inference_mode():
        assert net(torch.zeros(1, 3, net.side, net.side)).dtype == torch.float32


@pytest.mark.parametrize("wrong", ["missing", "more", "shape", "other"])
def test_weights_of_another_network_are_refused(wrong):
    state = tiny()
    if wrong == "missing":
        del state["final_conv.bias"]
    elif wrong == "more":
        state["final_conv2.bias"] = torch.zeros(4)
    elif wrong == "shape":
        state["condition_shift.1.0.weight"] = torch.zeros(1, 8, 3, 3)
    else:
        state = {"a": torch.zeros(4)}
    with pytest.raises(WeightsUnusable, match="its layers are not those"):
        GFPGAN.of(state)


def test_a_published_file_goes_all_the_way_from_the_store_into_the_frame(seen, tmp_path, monkeypatch):
    monkeypatch.setenv("HEYGEM_HOME", str(tmp_path / "home"))
    torch.save({"params_ema": tiny()}, tmp_path / "GFPGANv1.4.pth")
    found = WeightStore(load().weights).add(tmp_path / "GFPGANv1.4.pth")
    assert found.name == "gfpgan"
    frame, _ = seen
    results = []
    for amount in (1.0, 1.0, 0.5):
        effect = Enhancer(amount, "cpu")
        results.append(effect(0, frame.copy()).rgb().astype(float))
        effect.close()
    assert effect.note == "GFPGAN (GFPGANv1.4.pth) on CPU"
    change = results[0] - frame.rgb()
    assert np.abs(change).max() > 20 and (change[:8] == 0).all()
    assert np.array_equal(results[0], results[1])  # no noise is drawn anew
    assert np.abs(results[2] - frame.rgb()).mean() == pytest.approx(np.abs(change).mean() / 2, rel=0.15)
