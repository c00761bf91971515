"""Wav2Lip's network with tiny random weights: its forms, what it refuses, and that the faster forms say the same.

The published networks were run beside it on the same weights (``benchmarks/parity.py``): their faces are equal.
"""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor, nn

from heygem.engines.nets.wav2lip import BANDS, COLUMNS, FORMS, Block, Wav2Lip
from heygem.errors import WeightsUnusable
from tests.engines.nets.wav2lip_weights import random

SIDES = tuple(FORMS)
weights = cache(random)


def given(side: int, count: int = 3) -> tuple[Tensor, Tensor]:
    """Sounds (count, 1, 80, 16) and half hidden faces (count, 6, side, side)."""
    generator = torch.Generator().manual_seed(9)
    faces = torch.rand(count, 6, side, side, generator=generator)
    faces[:, :3, side // 2 :] = 0
    return torch.randn(count, 1, BANDS, COLUMNS, generator=generator), faces


def largest(one: Tensor, other: Tensor) -> float:
    return (one - other).abs().max().item()


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("width", [1, 2])
@torch.inference_mode()
def test_side_and_width_are_found_in_the_weights(side: int, width: int):
    net = Wav2Lip.of(weights(side, width))
    mel, faces = given(side, 2)
    assert (net.side, net.width) == (side, width)
    assert net.sound(mel).shape == (2, 32 * width)
    made = net(mel, faces)
    assert made.shape == (2, 3, side, side) and made.min() >= 0 and made.max() <= 1
    assert made.std() > 0.02  # awake: the tests below compare something


@pytest.mark.parametrize(("side", "millions"), [(96, 36.30), (256, 53.61), (288, 48.52)])
def test_as_many_weights_as_published(side: int, millions: float):
    with torch.device("meta"):
        net = Wav2Lip(side)
    assert sum(part.numel() for part in net.parameters()) / 1e6 == pytest.approx(millions, abs=0.005)


@pytest.mark.parametrize("side", SIDES)
@torch.inference_mode()
def test_the_mouth_depends_on_sound_and_face(side: int):
    net = Wav2Lip.of(weights(side))
    mel, faces = given(side)
    made = net(mel, faces)
    other_sound, other_face = largest(made, net(mel.flip(0), faces)), largest(made, net(mel, faces.flip(0)))
    assert other_sound > 0.01 and other_face > 0.01


@pytest.mark.parametrize("side", SIDES)
@torch.inference_mode()
def test_a_face_does_not_know_who_is_in_its_batch(side: int):
    net = Wav2Lip.of(weights(side))
    mel, faces = given(side)
    alone = torch.cat([net.face(faces[k : k + 1], net.sound(mel[k : k + 1])) for k in range(3)])
    difference = largest(net(mel, faces), alone)
    assert difference < 1e-4  # a fortieth of a step of grey


@pytest.mark.parametrize("side", SIDES)
@torch.inference_mode()
def test_fused_it_makes_the_same_faces(side: int):
    """In double precision, where nothing is rounded away."""
    net = Wav2Lip.of(weights(side)).double()
    fused, seen = net.fused(), [values.double() for values in given(side)]
    difference = largest(net(*seen), fused(*seen))
    assert not any(isinstance(part, nn.BatchNorm2d) for part in fused.modules())
    assert fused.side == side and difference < 1e-10
    assert any(isinstance(part, nn.BatchNorm2d) for part in net.modules())  # the original stays as it was


@torch.inference_mode()
def test_what_comes_in_is_added_before_negative_values_go():
    block = Block(nn.Conv2d(1, 1, 1), residual=True).eval()
    for part in block.parameters():
        part.zero_()
    block.conv_block[1].bias.fill_(-1.0)  # pyright: ignore[reportCallIssue, reportArgumentType]
    assert block(torch.tensor([-1.0, 0.5, 3.0]).view(3, 1, 1, 1)).flatten().tolist() == [0.0, 0.0, 2.0]


def test_weights_in_half_precision_compute_in_single():
    state = {key: value.half() if value.is_floating_point() else value for key, value in weights().items()}
    assert {part.dtype for part in Wav2Lip.of(state).parameters()} == {torch.float32}


def test_the_weights_are_left_alone():
    state = weights()
    before = {key: value.clone() for key, value in state.items()}
    with torch.inference_mode():
        Wav2Lip.of(state).fused()(*given(96))
    assert all(torch.equal(state[key], before[key]) for key in before)


def test_other_weights_are_refused_by_name():
    state = weights()
    first, last = "face_encoder_blocks.0.0.conv_block.0.weight", "output_block.1.bias"
    for wrong, said in (
        ({}, f"{first} is missing"),
        ({key: value for key, value in state.items() if key != last}, f"{last} is missing"),
        (state | {"mouth.weight": torch.zeros(1)}, "mouth.weight is unknown"),
        (state | {last: torch.zeros(4)}, f"{last} has the shape 4 instead of 3"),
    ):
        with pytest.raises(WeightsUnusable) as refused:
            Wav2Lip.of(wrong, "wav2lip-gan")
        assert said in str(refused.value) and "wav2lip-gan" in str(refused.value) and "Wav2Lip" in str(refused.value)


def test_a_network_for_another_size_is_refused():
    state = {key: value for key, value in weights().items() if not key.startswith("face_encoder_blocks.6")}
    with pytest.raises(WeightsUnusable, match="6 steps down to a kernel of 3 suit no face of 96, 256, 288 px"):
        Wav2Lip.of(state)
