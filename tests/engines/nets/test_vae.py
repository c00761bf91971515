"""The autoencoder: the same picture has the same latents, scaled; both halves work alone; old names are understood."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from heygem.engines.nets.vae import SCALE, VAE, Decoder, Encoder
from heygem.errors import WeightsUnusable
from tests.engines.nets import diffusion


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return diffusion.vae()


def test_the_published_network_has_its_size() -> None:
    with torch.device("meta"):
        halves = Encoder((128, 256, 512, 512), 4), Decoder((128, 256, 512, 512), 4)
    assert [round(sum(value.numel() for value in half.parameters()) / 1e5) for half in halves] == [342, 495]


def test_latents_are_an_eighth_and_pictures_eight_times(state: dict[str, Tensor]) -> None:
    vae = VAE.of(state)
    with torch.inference_mode():
        latents = vae.encode(torch.randn(2, 3, 64, 32))
        pictures = vae.decode(latents)
    assert latents.shape == (2, 4, 8, 4) and pictures.shape == (2, 3, 64, 32)
    assert latents.isfinite().all() and pictures.isfinite().all() and pictures.std() > 0.01


def test_latents_are_the_scaled_mean_and_never_drawn(state: dict[str, Tensor]) -> None:
    """The second half of what the last layer gives is a variance, which changes nothing."""
    x = torch.randn(1, 3, 32, 32)
    wide = dict(state)
    wide["quant_conv.bias"] = state["quant_conv.bias"] + torch.tensor([0.0] * 4 + [9.0] * 4)
    shifted = dict(state)
    shifted["quant_conv.bias"] = state["quant_conv.bias"] + torch.tensor([1.0] * 4 + [0.0] * 4)
    with torch.inference_mode():
        plain, other, moved = (Encoder.of(one)(x) for one in (state, wide, shifted))
    assert torch.equal(plain, other)
    assert torch.allclose(moved - plain, torch.full_like(plain, SCALE), atol=1e-5)


def test_latents_are_unscaled_before_they_are_decoded(state: dict[str, Tensor]) -> None:
    decoder = Decoder.of(state)
    z = torch.randn(1, 4, 4, 4)
    with torch.inference_mode():
        assert torch.allclose(decoder(z * 0.18215), decoder.decoder(decoder.post_quant_conv(z)), atol=1e-5)


def test_the_encoder_looks_right_and_down_at_the_edges(state: dict[str, Tensor]) -> None:
    """Halving pads right and bottom alone: zeros there weigh as the published network weighs them."""
    half = Encoder.of(state).get_submodule("encoder.down_blocks.0.downsamplers.0")
    x = torch.zeros(1, 32, 4, 4)
    x[:, :, 0, 0] = 1
    expected = half.get_parameter("conv.weight")[:, :, 0, 0].sum(1) + half.get_parameter("conv.bias")
    assert torch.allclose(half(x)[0, :, 0, 0], expected, atol=1e-6)


def test_a_batch_is_its_pictures_one_by_one(state: dict[str, Tensor]) -> None:
    vae, x = VAE.of(state), torch.randn(3, 3, 32, 32)
    with torch.inference_mode():
        latents = vae.encode(x)
        together = vae.decode(latents)
        alone = torch.cat([vae.decode(vae.encode(x[k : k + 1])) for k in range(3)])
    assert (together - alone).abs().max() < 1e-4


def test_older_names_are_understood(state: dict[str, Tensor]) -> None:
    new = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    old = {}
    for key, value in state.items():
        for today, then in new.items():
            key = key.replace(f"attentions.0.{today}.", f"attentions.0.{then}.")
        old[key] = value
    assert sum("proj_attn" in key for key in old) == 4
    x = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        vae, other = VAE.of(state), VAE.of(old)
        assert torch.equal(vae.encode(x), other.encode(x))
        assert torch.equal(vae.decode(x[:, :1].expand(1, 4, 32, 32)), other.decode(x[:, :1].expand(1, 4, 32, 32)))


def test_each_half_needs_its_own_weights_alone(state: dict[str, Tensor]) -> None:
    encoder = {key: value for key, value in state.items() if key.startswith(("encoder", "quant"))}
    Encoder.of(encoder)
    with pytest.raises(WeightsUnusable, match="is missing"):
        Decoder.of(encoder)
    with pytest.raises(WeightsUnusable, match=r"loss\.logvar is unknown"):
        VAE.of(state | {"loss.logvar": torch.zeros(1)})
    with pytest.raises(WeightsUnusable, match=r"decoder\.conv_out\.bias has the shape 4 instead of 3"):
        VAE.of(state | {"decoder.conv_out.bias": torch.zeros(4)})
