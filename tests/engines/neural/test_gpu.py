"""On a real GPU: the same pictures as on the processor, and nothing that waits before all is on its way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor

from heygem.engines.base import Style
from heygem.engines.neural.crop import Crops
from heygem.engines.neural.place import Place, Steady, place
from heygem.engines.neural.render import CropRenderer, Shot
from heygem.engines.wav2lip.engine import face_boxes
from heygem.faces.avatar import Avatar
from heygem.media.frame import Frame
from tests.engines.neural.test_render import film  # noqa: F401 (a fixture)

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


@pytest.fixture(scope="module")
def gpu() -> Place:
    return place("cuda", "x", exact=True)


@contextmanager
def never_waiting() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_what_goes_there_comes_back(gpu: Place) -> None:
    """Small and large, while the GPU is busy."""
    busy = torch.randn(4096, 4096, device=gpu.device)
    for shape in ((3, 4), (64, 1080, 1920)):
        values = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
        gpu.take(values)  # the memory for it is there now
        with never_waiting():
            busy = busy @ busy
            later = gpu.give(gpu.take(values) + 1)
        assert np.array_equal(later(), values + 1)


def test_a_recorded_network_says_what_it_says(gpu: Place) -> None:
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Conv2d(8, 3, 3)).to(gpu.device)
    run = Steady(net, gpu, 4)
    for count in (4, 1, 3):
        given = torch.randn(count, 3, 16, 16, device=gpu.device)
        assert torch.allclose(run(given), net(given), atol=1e-5)


def test_the_same_pictures_and_no_waiting(gpu: Place, film: tuple[Avatar, list[Frame]]) -> None:  # noqa: F811
    avatar, frames = film
    plan, crops = np.arange(len(frames)), Crops.of(avatar.landmarks, face_boxes, 96)
    made = []
    for where in (place("cpu", "x", exact=True), gpu):
        colour = torch.tensor([0.0, 0.8, 0.0], device=where.device)[:, None, None]

        def mouths(numbers: np.ndarray, seen: Tensor, colour: Tensor = colour) -> Tensor:
            return seen * 0.2 + colour

        renderer = CropRenderer(Shot(avatar, plan, Style()), where, crops, mouths, most=4)
        copies = [frame.copy() for frame in frames]
        renderer.render(0, copies[:16])  # whatever has to be prepared once
        if where is gpu:
            with never_waiting():
                renderer._send(16, copies[16:20])
        made.append(renderer.render(16, copies[16:]))
    pairs = zip(*made, strict=True)
    assert all(np.abs(one.data.astype(int) - other.data).max() <= 2 for one, other in pairs)
