"""The network of MuseTalk (Zhang et al. 2024): a masked face, a reference and a sound in, the whole face out, at once.

It has the shape of Stable Diffusion's U-Net (Rombach et al. 2022), but its input is twice four channels of latents, it
is asked once, without noise, and the time of diffusion is always 0. What that time adds is therefore a constant, which
is added to the biases when the weights are loaded.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, linear, silu

from heygem.engines.nets.blocks import GROUPS, Attention, Double, Half, Resnet, picture, tokens
from heygem.engines.nets.load import State, fitted

HEADS = 8
LEVELS = 4
"""Of resolution; all but the lowest look at the sound."""
DEPTH = 2
"""Blocks of each level on the way down; on the way up there is one more."""
EPS = 1e-5


class UNet(nn.Module):
    """Latents (B, 8, h, w), masked face before full face, and sound (B, 50, 384) -> latents (B, 4, h, w) of the face
    that says it. h and w are multiples of 8. ``context``: width of the sound."""

    @classmethod
    def of(cls, state: State, name: str = "musetalk") -> UNet:
        """The network with these weights, of whatever widths they have. name: of the weights, for the error.

        Raises WeightsUnusable where they are those of another network.
        """
        return fitted(_build, state, name, "MuseTalk")

    def __init__(self, inputs: int, outputs: int, widths: Sequence[int], context: int) -> None:
        super().__init__()
        self.context = context
        self.conv_in = nn.Conv2d(inputs, widths[0], 3, padding=1)
        self.down_blocks = nn.ModuleList()
        kept = [widths[0]]  # widths of what is kept on the way down for the way up
        for level, width in enumerate(widths):
            last = level == LEVELS - 1
            self.down_blocks.append(Down(kept[-1], width, 0 if last else context, not last))
            kept += [width] * (DEPTH + (not last))
        self.mid_block = Middle(widths[-1], context)
        self.up_blocks = nn.ModuleList()
        below = widths[-1]
        for level, width in reversed(list(enumerate(widths))):
            beside = [kept.pop() for _ in range(DEPTH + 1)]
            self.up_blocks.append(Up(below, beside, width, 0 if level == LEVELS - 1 else context, level > 0))
            below = width
        self.conv_norm_out = nn.GroupNorm(GROUPS, widths[0], EPS)
        self.conv_out = nn.Conv2d(widths[0], outputs, 3, padding=1)

    def forward(self, latents: Tensor, sound: Tensor) -> Tensor:
        x = self.conv_in(latents)
        kept = [x]
        for block in self.down_blocks:
            x = block(x, sound, kept)
        x = self.mid_block(x, sound)
        for block in self.up_blocks:
            x = block(x, sound, kept)
        return self.conv_out(silu(self.conv_norm_out(x)))


class Down(nn.Module):
    """One level on the way down; puts what it makes on the pile ``kept``."""

    def __init__(self, inputs: int, width: int, context: int, halve: bool) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(Resnet(inputs if k == 0 else width, width, EPS) for k in range(DEPTH))
        self.attentions = nn.ModuleList(Transformer(width, context) for _ in range(DEPTH) if context)
        self.downsamplers = nn.ModuleList([Half(width, even=True)] if halve else [])

    def forward(self, x: Tensor, sound: Tensor, kept: list[Tensor]) -> Tensor:
        for k, resnet in enumerate(self.resnets):
            x = resnet(x)
            x = self.attentions[k](x, sound) if self.attentions else x
            kept.append(x)
        for half in self.downsamplers:
            x = half(x)
            kept.append(x)
        return x


class Middle(nn.Module):
    """The lowest level."""

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(Resnet(width, width, EPS) for _ in range(2))
        self.attentions = nn.ModuleList([Transformer(width, context)])

    def forward(self, x: Tensor, sound: Tensor) -> Tensor:
        return self.resnets[1](self.attentions[0](self.resnets[0](x), sound))


class Up(nn.Module):
    """One level on the way up; takes what was kept from the pile."""

    def __init__(self, below: int, beside: Sequence[int], width: int, context: int, double: bool) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(
            Resnet((below if k == 0 else width) + other, width, EPS) for k, other in enumerate(beside)
        )
        self.attentions = nn.ModuleList(Transformer(width, context) for _ in beside if context)
        self.upsamplers = nn.ModuleList([Double(width)] if double else [])

    def forward(self, x: Tensor, sound: Tensor, kept: list[Tensor]) -> Tensor:
        for k, resnet in enumerate(self.resnets):
            x = resnet(torch.cat([x, kept.pop()], 1))
            x = self.attentions[k](x, sound) if self.attentions else x
        for double in self.upsamplers:
            x = double(x)
        return x


class Transformer(nn.Module):
    """Every place of the picture looks at all others, then at the sound: (B, C, h, w) -> (B, C, h, w)."""

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width, 1e-6)
        self.proj_in = nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList([Layer(width, context)])
        self.proj_out = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, sound: Tensor) -> Tensor:
        inside = tokens(self.proj_in(self.norm(x)))
        for layer in self.transformer_blocks:
            inside = layer(inside, sound)
        return x + self.proj_out(picture(inside, like=x))


class Layer(nn.Module):
    """Tokens (B, n, C) -> (B, n, C)."""

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn1 = Attention(width, width, HEADS)
        self.norm2 = nn.LayerNorm(width)
        self.attn2 = Attention(width, context, HEADS)
        self.norm3 = nn.LayerNorm(width)
        self.ff = FeedForward(width)

    def forward(self, x: Tensor, sound: Tensor) -> Tensor:
        inner = self.norm1(x)
        x = x + self.attn1(inner, inner)
        x = x + self.attn2(self.norm2(x), sound)
        return x + self.ff(self.norm3(x))


class FeedForward(nn.Module):
    """Tokens (B, n, C) -> (B, n, C), each by itself."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # The second entry has no weights: it stands where training dropped some.
        self.net = nn.ModuleList([Gated(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width)])

    def forward(self, x: Tensor) -> Tensor:
        return self.net[2](self.net[0](x))


class Gated(nn.Module):
    """A linear layer, half of which opens and closes the other half (Shazeer 2020, GEGLU)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.proj = nn.Linear(inputs, 2 * outputs)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * gelu(gate)


def _build(state: dict[str, Tensor]) -> UNet:
    widths = [state[f"down_blocks.{level}.resnets.0.conv1.weight"].shape[0] for level in range(LEVELS)]
    context = state["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"].shape[1]
    net = UNet(state["conv_in.weight"].shape[1], state["conv_out.weight"].shape[0], widths, context)
    _fold(state, widths[0])
    return net


def _fold(state: dict[str, Tensor], width: int) -> None:
    """Replaces everything that knows the time by what it adds to the first convolution of each block at time 0."""

    def layer(name: str, x: Tensor) -> Tensor:
        return linear(x, *(state.pop(f"{name}.{part}").float() for part in ("weight", "bias")))

    with torch.device("cpu"):
        now = (torch.arange(width) < width // 2).float()  # cosines and sines of 0
    time = silu(layer("time_embedding.linear_2", silu(layer("time_embedding.linear_1", now))))
    for name in [key.removesuffix(".weight") for key in state if key.endswith(".time_emb_proj.weight")]:
        bias = name.replace("time_emb_proj", "conv1.bias")
        state[bias] = (state[bias].float() + layer(name, time)).to(state[bias].dtype)
