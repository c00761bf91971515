"""The half of Whisper (Radford et al. 2022) that listens: log-mel in, what each of its layers makes of it out."""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from heygem.engines.nets.load import State, fitted, under

HEAD = 64
"""Channels of a head of attention, in every size of Whisper."""
NAME, NETWORK = "whisper-tiny", "Whisper"
_OPENAI = (
    (r"^blocks\.", "layers."),
    (r"\.attn\.query\.", ".self_attn.q_proj."),
    (r"\.attn\.key\.", ".self_attn.k_proj."),
    (r"\.attn\.value\.", ".self_attn.v_proj."),
    (r"\.attn\.out\.", ".self_attn.out_proj."),
    (r"\.attn_ln\.", ".self_attn_layer_norm."),
    (r"\.mlp_ln\.", ".final_layer_norm."),
    (r"\.mlp\.0\.", ".fc1."),
    (r"\.mlp\.2\.", ".fc2."),
    (r"^ln_post\.", "layer_norm."),
    (r"^positional_embedding$", "embed_positions.weight"),
)
"""Names in OpenAI's own files, and in those of everybody else."""


class Encoder(nn.Module):
    """Log-mel (B, bands, 2 T) -> states (B, T, layers + 1, width): before the first layer, and after each.

    T is always ``rows`` (1500 for 30 s), ``width`` 384 for Whisper tiny. With ``normed`` the last state is the one
    after the last normalisation, as most programs give it; without, that of the last layer, as OpenAI's does.
    """

    @classmethod
    def of(cls, state: State) -> Encoder:
        """The encoder among the weights of Whisper, whichever names they have; those of the decoder may lie beside.

        Raises WeightsUnusable where they are those of another network.
        """
        return fitted(_build, _named(state), NAME, NETWORK)

    def __init__(self, bands: int, width: int, rows: int, layers: int) -> None:
        super().__init__()
        self.bands, self.width, self.rows = bands, width, rows
        self.conv1 = nn.Conv1d(bands, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, 2, padding=1)
        self.embed_positions = nn.Embedding(rows, width)
        self.layers = nn.ModuleList(Layer(width) for _ in range(layers))
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, mel: Tensor, normed: bool = True) -> Tensor:
        x = gelu(self.conv2(gelu(self.conv1(mel)))).transpose(1, 2) + self.embed_positions.weight
        states = [x]
        for layer in self.layers:
            states.append(layer(states[-1]))
        if normed:
            states[-1] = self.layer_norm(states[-1])
        return torch.stack(states, dim=2)


class Layer(nn.Module):
    """Rows (B, T, C) -> (B, T, C)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.self_attn = Attention(width)
        self.final_layer_norm = nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.self_attn_layer_norm(x))
        return x + self.fc2(gelu(self.fc1(self.final_layer_norm(x))))


class Attention(nn.Module):
    """Every row (B, T, C) asks all others."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q_proj, self.v_proj, self.out_proj = (nn.Linear(width, width) for _ in range(3))
        self.k_proj = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        parts = (self.q_proj(x), self.k_proj(x), self.v_proj(x))
        q, k, v = (part.unflatten(2, (-1, HEAD)).transpose(1, 2) for part in parts)
        return self.out_proj(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


def _named(state: State) -> dict[str, Tensor]:
    """The weights of the encoder under their usual names."""
    mine = under("model.encoder.", state) or under("encoder.", state)
    if "positional_embedding" not in mine:
        return mine
    names = {}
    for key, value in mine.items():
        for theirs, ours in _OPENAI:
            key = re.sub(theirs, ours, key)
        names[key] = value
    return names


def _build(state: dict[str, Tensor]) -> Encoder:
    width, bands = state["conv1.weight"].shape[:2]
    layers = {key.split(".")[1] for key in state if key.startswith("layers.")}
    return Encoder(bands, width, state["embed_positions.weight"].shape[0], len(layers))
