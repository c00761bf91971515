"""The autoencoder of Stable Diffusion (Rombach et al. 2022): pictures to latents an eighth of their size, and back."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import silu

from heygem.engines.nets.blocks import GROUPS, Attention, Double, Half, Resnet, picture, tokens
from heygem.engines.nets.load import State, fitted, unusable

SCALE = 0.18215
"""Of the latents as other networks see them, which brings their deviation to about 1."""
NAME, NETWORK = "sd-vae", "Stable Diffusion's autoencoder"
LEVELS = 4
DEPTH = 2
"""Blocks of each level of the encoder; the decoder has one more."""
EPS = 1e-6
_ENCODER, _DECODER = ("encoder.", "quant_conv."), ("decoder.", "post_quant_conv.")
_OLD = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""Names of the attention's layers in older files."""


class VAE:
    """Both halves. Either can be used without the other: ``Encoder.of``, ``Decoder.of``."""

    @classmethod
    def of(cls, state: State) -> VAE:
        """Both halves with these weights. Raises WeightsUnusable where they are those of another network."""
        strange = sorted(key for key in state if not key.startswith(_ENCODER + _DECODER))
        if strange:
            raise unusable(NAME, NETWORK, f"{strange[0]} is unknown to it")
        return cls(Encoder.of(state), Decoder.of(state))

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        self.encoder, self.decoder = encoder, decoder

    def encode(self, pictures: Tensor) -> Tensor:
        """As ``Encoder``."""
        return self.encoder(pictures)

    def decode(self, latents: Tensor) -> Tensor:
        """As ``Decoder``."""
        return self.decoder(latents)


class Encoder(nn.Module):
    """Pictures (B, 3, H, W), RGB -1..1 -> latents (B, 4, H / 8, W / 8): the mean of what they may be, times SCALE, so
    the same picture has the same latents. H and W are multiples of 8."""

    @classmethod
    def of(cls, state: State) -> Encoder:
        """The encoder among these weights. Raises WeightsUnusable."""
        return fitted(_build_encoder, _part(state, _ENCODER), NAME, NETWORK)

    def __init__(self, widths: Sequence[int], latents: int) -> None:
        super().__init__()
        self.encoder = Down(widths, 2 * latents)
        self.quant_conv = nn.Conv2d(2 * latents, 2 * latents, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        mean, _ = self.quant_conv(self.encoder(pictures)).chunk(2, dim=1)
        return mean * SCALE


class Decoder(nn.Module):
    """Latents (B, 4, h, w), scaled as the encoder's -> pictures (B, 3, 8 h, 8 w), RGB about -1..1."""

    @classmethod
    def of(cls, state: State) -> Decoder:
        """The decoder among these weights. Raises WeightsUnusable."""
        return fitted(_build_decoder, _part(state, _DECODER), NAME, NETWORK)

    def __init__(self, widths: Sequence[int], latents: int) -> None:
        super().__init__()
        self.post_quant_conv = nn.Conv2d(latents, latents, 1)
        self.decoder = Up(widths, latents)

    def forward(self, latents: Tensor) -> Tensor:
        return self.decoder(self.post_quant_conv(latents / SCALE))


class Down(nn.Module):
    """Pictures (B, 3, H, W) -> (B, outputs, H / 8, W / 8)."""

    def __init__(self, widths: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, widths[0], 3, padding=1)
        inputs = (widths[0], *widths)
        self.down_blocks = nn.ModuleList(
            Level(inputs[k], width, DEPTH, halve=k < LEVELS - 1) for k, width in enumerate(widths)
        )
        self.mid_block = Middle(widths[-1])
        self.conv_norm_out = nn.GroupNorm(GROUPS, widths[-1], EPS)
        self.conv_out = nn.Conv2d(widths[-1], outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        for block in self.down_blocks:
            x = block(x)
        return self.conv_out(silu(self.conv_norm_out(self.mid_block(x))))


class Up(nn.Module):
    """Latents (B, inputs, h, w) -> pictures (B, 3, 8 h, 8 w). widths: highest resolution first."""

    def __init__(self, widths: Sequence[int], inputs: int) -> None:
        super().__init__()
        upwards = widths[::-1]
        self.conv_in = nn.Conv2d(inputs, upwards[0], 3, padding=1)
        self.mid_block = Middle(upwards[0])
        below = (upwards[0], *upwards)
        self.up_blocks = nn.ModuleList(
            Level(below[k], width, DEPTH + 1, double=k < LEVELS - 1) for k, width in enumerate(upwards)
        )
        self.conv_norm_out = nn.GroupNorm(GROUPS, upwards[-1], EPS)
        self.conv_out = nn.Conv2d(upwards[-1], 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.mid_block(self.conv_in(x))
        for block in self.up_blocks:
            x = block(x)
        return self.conv_out(silu(self.conv_norm_out(x)))


class Level(nn.Module):
    """Blocks of one resolution, and the step to the next."""

    def __init__(self, inputs: int, width: int, depth: int, halve: bool = False, double: bool = False) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(Resnet(inputs if k == 0 else width, width, EPS) for k in range(depth))
        self.downsamplers = nn.ModuleList([Half(width, even=False)] if halve else [])
        self.upsamplers = nn.ModuleList([Double(width)] if double else [])

    def forward(self, x: Tensor) -> Tensor:
        for step in (*self.resnets, *self.downsamplers, *self.upsamplers):
            x = step(x)
        return x


class Middle(nn.Module):
    """The lowest resolution, where every place looks at all others."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(Resnet(width, width, EPS) for _ in range(2))
        self.attentions = nn.ModuleList([Look(width)])

    def forward(self, x: Tensor) -> Tensor:
        return self.resnets[1](self.attentions[0](self.resnets[0](x)))


class Look(Attention):
    """(B, C, h, w) -> (B, C, h, w), with one head."""

    def __init__(self, width: int) -> None:
        super().__init__(width, width, heads=1, bias=True)
        self.group_norm = nn.GroupNorm(GROUPS, width, EPS)

    def forward(self, x: Tensor) -> Tensor:
        inside = tokens(self.group_norm(x))
        return x + picture(super().forward(inside, inside), like=x)


def _part(state: State, prefixes: tuple[str, ...]) -> dict[str, Tensor]:
    return {_today(key): value for key, value in state.items() if key.startswith(prefixes)}


def _today(key: str) -> str:
    """The name that a weight has today."""
    head, _, layer = key.partition(".attentions.0.")
    name, _, kind = layer.rpartition(".")
    return f"{head}.attentions.0.{_OLD[name]}.{kind}" if name in _OLD else key


def _build_encoder(state: dict[str, Tensor]) -> Encoder:
    widths = [state[f"encoder.down_blocks.{level}.resnets.0.conv1.weight"].shape[0] for level in range(LEVELS)]
    return Encoder(widths, state["quant_conv.weight"].shape[0] // 2)


def _build_decoder(state: dict[str, Tensor]) -> Decoder:
    widths = [state[f"decoder.up_blocks.{level}.resnets.0.conv1.weight"].shape[0] for level in range(LEVELS)]
    return Decoder(widths[::-1], state["post_quant_conv.weight"].shape[0])
