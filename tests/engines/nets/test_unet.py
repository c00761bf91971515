"""MuseTalk's network: of any width, strict about its weights, and the same as if it were told the time."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, group_norm, silu

from heygem.engines.nets.unet import Resnet, UNet
from heygem.errors import WeightsUnusable
from tests.engines.nets import diffusion


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return diffusion.unet()


@pytest.fixture(scope="module")
def net(state: dict[str, Tensor]) -> UNet:
    return UNet.of(state)


def asked(batch: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.randn(batch, 8, 16, 16), torch.randn(batch, 50, diffusion.WIDTH)


def test_the_published_network_has_its_size() -> None:
    with torch.device("meta"):
        net = UNet(8, 4, (320, 640, 1280, 1280), 384)
    time = 320 * 1280 + 1280 + 1280 * 1280 + 1280
    time += sum(1281 * block.conv1.out_channels for block in net.modules() if isinstance(block, Resnet))
    assert sum(value.numel() for value in net.parameters()) + time == pytest.approx(849.95e6, abs=5e3)


def test_one_latent_of_a_face_comes_out(net: UNet) -> None:
    with torch.inference_mode():
        out = net(*asked(2))
    assert out.shape == (2, 4, 16, 16) and out.isfinite().all() and out.std() > 0.01
    assert net.context == diffusion.WIDTH


def test_a_batch_is_its_pictures_one_by_one(net: UNet) -> None:
    latents, sound = asked(3)
    with torch.inference_mode():
        together = net(latents, sound)
        alone = torch.cat([net(latents[k : k + 1], sound[k : k + 1]) for k in range(3)])
        again = net(latents, sound)
    assert torch.equal(together, again)
    assert (together - alone).abs().max() < 1e-5


def test_both_faces_and_every_row_of_the_sound_count(net: UNet) -> None:
    latents, sound = asked(1)
    with torch.inference_mode():
        before = net(latents, sound)
        for channels in (slice(0, 4), slice(4, 8)):
            other = latents.clone()
            other[:, channels] += 1
            assert (net(other, sound) - before).abs().max() > 1e-3
        for row in (0, 49):
            other = sound.clone()
            other[:, row] += 5
            assert (net(latents, other) - before).abs().max() > 1e-5


def test_the_folded_time_is_the_time(state: dict[str, Tensor], net: UNet) -> None:
    """The first block, calculated as the published network does: with the embedding of the time 0 in its middle."""
    part = "down_blocks.0.resnets.0"
    x = torch.randn(2, 32, 8, 8)
    angles = 0 * 10000 ** -(torch.arange(16) / 16)
    time = torch.cat([angles.cos(), angles.sin()])
    time = state["time_embedding.linear_1.weight"] @ time + state["time_embedding.linear_1.bias"]
    time = state["time_embedding.linear_2.weight"] @ silu(time) + state["time_embedding.linear_2.bias"]
    known = state[f"{part}.time_emb_proj.weight"] @ silu(time) + state[f"{part}.time_emb_proj.bias"]

    def norm(number: int, x: Tensor) -> Tensor:
        return silu(group_norm(x, 32, state[f"{part}.norm{number}.weight"], state[f"{part}.norm{number}.bias"], 1e-5))

    def conv(number: int, x: Tensor) -> Tensor:
        return conv2d(x, state[f"{part}.conv{number}.weight"], state[f"{part}.conv{number}.bias"], padding=1)

    told = x + conv(2, norm(2, conv(1, norm(1, x)) + known[:, None, None]))
    assert known.abs().max() > 0.1, "it matters"
    assert (net.get_submodule(part)(x) - told).abs().max() < 1e-5


def test_the_weights_given_stay_as_they_are(state: dict[str, Tensor]) -> None:
    before = {key: value.clone() for key, value in state.items()}
    UNet.of(state)
    assert state.keys() == before.keys() and all(torch.equal(state[key], before[key]) for key in state)


def test_half_precision_stays_half(state: dict[str, Tensor]) -> None:
    net = UNet.of({key: value.half() for key, value in state.items()})
    assert {value.dtype for value in net.parameters()} == {torch.float16}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"conv_in.weight": None}, "conv_in.weight is missing"),
        ({"mid_block.attentions.0.proj_in.bias": None}, "mid_block.attentions.0.proj_in.bias is missing"),
        ({"time_embedding.linear_1.bias": None}, "time_embedding.linear_1.bias is missing"),
        ({"down_blocks.3.resnets.1.time_emb_proj.bias": None}, "down_blocks.3.resnets.1.time_emb_proj.bias is missing"),
        ({"class_embedding.weight": torch.zeros(1)}, "class_embedding.weight is unknown to it"),
        ({"conv_out.bias": torch.zeros(5)}, "conv_out.bias has the shape 5 instead of 4"),
        ({"conv_in.weight": torch.zeros(1)}, "the shapes of its layers do not fit together"),
        ({"down_blocks.1.resnets.0.conv1.weight": torch.zeros(33, 32, 3, 3)}, "do not fit together"),
    ],
)
def test_other_weights_are_refused_with_the_reason(
    state: dict[str, Tensor], change: dict[str, Tensor | None], reason: str
) -> None:
    other = {key: value for key, value in (state | change).items() if value is not None}
    with pytest.raises(WeightsUnusable) as caught:
        UNet.of(other, "musetalk-1.0")
    assert reason in caught.value.details["reason"] and "musetalk-1.0" in caught.value.message
