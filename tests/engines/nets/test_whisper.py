"""The listening half of Whisper: every layer's states, under all names that circulate."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import layer_norm

from heygem.engines.nets.whisper import Encoder
from heygem.errors import WeightsUnusable
from tests.engines.nets import diffusion

ROWS = 60
OPENAI = {
    "layers.": "blocks.",
    "self_attn_layer_norm": "attn_ln",
    "final_layer_norm": "mlp_ln",
    "self_attn.q_proj": "attn.query",
    "self_attn.k_proj": "attn.key",
    "self_attn.v_proj": "attn.value",
    "self_attn.out_proj": "attn.out",
    "fc1": "mlp.0",
    "fc2": "mlp.2",
    "encoder.layer_norm": "encoder.ln_post",
    "embed_positions.weight": "positional_embedding",
}


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return diffusion.whisper(width=128, rows=ROWS)


def openai(state: dict[str, Tensor]) -> dict[str, Tensor]:
    named = {}
    for key, value in state.items():
        for ours, theirs in OPENAI.items():
            key = key.replace(ours, theirs)
        named[key.removeprefix("model.")] = value
    return named


def test_the_published_network_has_its_size() -> None:
    with torch.device("meta"):
        net = Encoder(80, 384, 1500, 4)
    assert sum(value.numel() for value in net.parameters()) == 8_208_384


def test_states_of_all_layers_come_out(state: dict[str, Tensor]) -> None:
    net = Encoder.of(state)
    with torch.inference_mode():
        states = net(torch.randn(2, 80, 2 * ROWS))
    assert states.shape == (2, ROWS, 5, 128) and (net.rows, net.width, net.bands) == (ROWS, 128, 80)
    assert states.isfinite().all()
    assert all((states[:, :, k] - states[:, :, k + 1]).abs().max() > 0.1 for k in range(4))


def test_only_the_last_state_is_normed(state: dict[str, Tensor]) -> None:
    net, mel = Encoder.of(state), torch.randn(1, 80, 2 * ROWS)
    with torch.inference_mode():
        normed, plain = net(mel), net(mel, normed=False)
    assert torch.equal(normed[:, :, :4], plain[:, :, :4])
    head = "model.encoder.layer_norm."
    expected = layer_norm(plain[:, :, 4], (128,), state[f"{head}weight"], state[f"{head}bias"])
    assert torch.allclose(normed[:, :, 4], expected, atol=1e-5) and not torch.allclose(normed, plain, atol=0.1)


@pytest.mark.parametrize("form", ["encoder alone", "openai", "with a decoder"])
def test_all_names_that_circulate_are_understood(state: dict[str, Tensor], form: str) -> None:
    given = {
        "encoder alone": {key.removeprefix("model."): value for key, value in state.items()},
        "openai": openai(state),
        "with a decoder": state | {"model.decoder.embed_tokens.weight": torch.zeros(2, 2)},
    }[form]
    mel = torch.randn(1, 80, 2 * ROWS)
    with torch.inference_mode():
        assert torch.equal(Encoder.of(given)(mel), Encoder.of(state)(mel))


def test_a_batch_is_its_sounds_one_by_one_and_every_row_hears_all_others(state: dict[str, Tensor]) -> None:
    net, mel = Encoder.of(state), torch.randn(2, 80, 2 * ROWS)
    with torch.inference_mode():
        together = net(mel)
        alone = torch.cat([net(mel[k : k + 1]) for k in range(2)])
        mel[0, :, -1] += 9
        other = net(mel)
    assert (together - alone).abs().max() < 1e-5
    assert (other - together)[0, 0, 0].abs().max() == 0 and (other - together)[0, 0, -1].abs().max() > 1e-6


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model.encoder.conv1.weight": None}, "conv1.weight is missing"),
        ({"model.encoder.layers.2.fc1.bias": None}, "layers.2.fc1.bias is missing"),
        ({"model.encoder.layers.0.self_attn.k_proj.bias": torch.zeros(128)}, "is unknown to it"),
        ({"model.encoder.layer_norm.bias": torch.zeros(7)}, "layer_norm.bias has the shape 7 instead of 128"),
    ],
)
def test_other_weights_are_refused_with_the_reason(
    state: dict[str, Tensor], change: dict[str, Tensor | None], reason: str
) -> None:
    with pytest.raises(WeightsUnusable) as caught:
        Encoder.of({key: value for key, value in (state | change).items() if value is not None})
    assert reason in caught.value.details["reason"]
