"""GFPGAN (Wang et al. 2021) without its CUDA extensions, as published from 1.2 on: a U-Net looks at a blurred face and
tells a StyleGAN2 (Karras et al. 2020) which face to draw, in its style and place by place.

Names of layers are those of the published weights. Noise is the one that the weights bring along, never drawn anew, so
that the same picture gives the same face and a film does not flicker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, leaky_relu

from heygem.errors import WeightsUnusable
from heygem.weights.recognise import SETTING
from heygem.weights.table import row

State = Mapping[str, Tensor]
NAME = "gfpgan"
_TRAINING = ("toRGB.", "stylegan_decoder.style_mlp.")  # heads and a start that only training asks
_SLOPE = 0.2


class GFPGAN(nn.Module):
    """Faces (B, 3, side, side) aligned as in FFHQ, RGB -1..1 -> the same faces restored."""

    @classmethod
    def of(cls, state: State) -> GFPGAN:
        """The network with these weights, for inference. Raises WeightsUnusable where they are of another network."""
        kept = {key: value for key, value in state.items() if not key.startswith(_TRAINING)}
        try:
            with torch.device("meta"):
                net = _build(kept)
            net.load_state_dict(kept, assign=True)
        except (KeyError, IndexError, ValueError, RuntimeError) as error:
            reason = "its layers are not those of this network"
            raise WeightsUnusable(name=NAME, network=row(NAME).network, setting=SETTING, reason=reason) from error
        return net.requires_grad_(False).eval()

    def __init__(self, down: Sequence[int], up: Sequence[int], drawn: Sequence[int], style: int) -> None:
        """down, up: widths of the U-Net from the full picture to the smallest and back. drawn: widths of StyleGAN2 from
        4 px on. style: width of a style."""
        super().__init__()
        self._style, levels = style, len(up)
        self.side = 4 << levels
        self.conv_body_first = nn.Conv2d(3, down[0], 1)
        self.conv_body_down = nn.ModuleList([Resized(a, b, 0.5) for a, b in pairwise(down)])
        self.final_conv = nn.Conv2d(down[-1], down[-1], 3, padding=1)
        self.conv_body_up = nn.ModuleList([Resized(a, b, 2.0) for a, b in pairwise([down[-1], *up])])
        self.final_linear = nn.Linear(down[-1] * 16, (2 * levels + 2) * style)
        self.stylegan_decoder = Painter(drawn, style)
        self.condition_scale = nn.ModuleList([_condition(width, drawn[n + 1] // 2) for n, width in enumerate(up)])
        self.condition_shift = nn.ModuleList([_condition(width, drawn[n + 1] // 2) for n, width in enumerate(up)])

    def forward(self, faces: Tensor) -> Tensor:
        seen = [leaky_relu(self.conv_body_first(faces), _SLOPE)]
        for halve in self.conv_body_down:
            seen.append(halve(seen[-1]))
        x = leaky_relu(self.final_conv(seen[-1]), _SLOPE)
        styles = self.final_linear(x.flatten(1)).unflatten(1, (-1, self._style))
        places = []
        for double, same, scale, shift in zip(
            self.conv_body_up, reversed(seen), self.condition_scale, self.condition_shift, strict=False
        ):
            x = double(x + same)
            places.append((scale(x), shift(x)))
        return self.stylegan_decoder(styles, places)


class Resized(nn.Module):
    """(B, inputs, h, w) -> (B, outputs, by h, by w): two convolutions beside a short cut (He et al. 2016)."""

    def __init__(self, inputs: int, outputs: int, by: float) -> None:
        super().__init__()
        self._by = by
        self.conv1 = nn.Conv2d(inputs, inputs, 3, padding=1)
        self.conv2 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        made = _resized(leaky_relu(self.conv1(x), _SLOPE), self._by)
        return leaky_relu(self.conv2(made), _SLOPE) + self.skip(_resized(x, self._by))


class Painter(nn.Module):
    """StyleGAN2: styles (B, 2 levels + 2, style), and for each level what scales and shifts half of its channels ->
    pictures (B, 3, side, side)."""

    def __init__(self, widths: Sequence[int], style: int) -> None:
        super().__init__()
        levels = len(widths) - 1
        self.constant_input = _Weight(1, widths[0], 4, 4)
        self.style_conv1, self.to_rgb1 = Styled(widths[0], widths[0], style), Colours(widths[0], style)
        pairs = [pair for a, b in pairwise(widths) for pair in ((a, b), (b, b))]
        self.style_convs = nn.ModuleList([Styled(a, b, style) for a, b in pairs])
        self.to_rgbs = nn.ModuleList([Colours(width, style) for width in widths[1:]])
        self.noises = nn.Module()
        for n in range(2 * levels + 1):
            side = 4 << (n + 1) // 2
            self.noises.register_buffer(f"noise{n}", torch.empty(1, 1, side, side))

    def forward(self, styles: Tensor, places: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        noises = list(self.noises.buffers())
        x = self.style_conv1(self.constant_input.weight.expand(len(styles), -1, -1, -1), styles[:, 0], noises[0])
        picture = self.to_rgb1(x, styles[:, 1])
        for level, (scale, shift) in enumerate(places):
            n = 2 * level + 1
            x = self.style_convs[n - 1](_resized(x, 2.0), styles[:, n], noises[n])
            same, led = x.split([x.shape[1] - scale.shape[1], scale.shape[1]], dim=1)
            x = self.style_convs[n](torch.cat([same, led * scale + shift], 1), styles[:, n + 1], noises[n + 1])
            picture = self.to_rgbs[level](x, styles[:, n + 2]) + _resized(picture, 2.0)
        return picture


class Modulated(nn.Module):
    """A convolution whose inputs a style weighs; even: the outputs keep their energy whatever the style."""

    def __init__(self, inputs: int, outputs: int, size: int, style: int, even: bool) -> None:
        super().__init__()
        self._even = even
        self.modulation = nn.Linear(style, inputs)
        self.weight = nn.Parameter(torch.empty(1, outputs, inputs, size, size))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        weight, weighed = self.weight[0], self.modulation(style)
        made = conv2d(x * weighed[..., None, None], weight, padding=weight.shape[-1] // 2)
        if not self._even:
            return made
        energy = weighed.square() @ weight.square().sum((2, 3)).T
        return made * (energy + 1e-8).rsqrt()[..., None, None]


class Styled(nn.Module):
    """A modulated convolution, noise and a bend."""

    def __init__(self, inputs: int, outputs: int, style: int) -> None:
        super().__init__()
        self.modulated_conv = Modulated(inputs, outputs, 3, style, even=True)
        self.weight = nn.Parameter(torch.empty(1))  # how strong the noise is
        self.bias = nn.Parameter(torch.empty(1, outputs, 1, 1))

    def forward(self, x: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        return leaky_relu(self.modulated_conv(x, style) * 2**0.5 + self.weight * noise + self.bias, _SLOPE)


class Colours(nn.Module):
    """Features -> RGB."""

    def __init__(self, inputs: int, style: int) -> None:
        super().__init__()
        self.modulated_conv = Modulated(inputs, 3, 1, style, even=False)
        self.bias = nn.Parameter(torch.empty(1, 3, 1, 1))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        return self.modulated_conv(x, style) + self.bias


class _Weight(nn.Module):
    """One tensor under the name ``weight``."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(*shape))


def _condition(inputs: int, outputs: int) -> nn.Sequential:
    first, last = nn.Conv2d(inputs, inputs, 3, padding=1), nn.Conv2d(inputs, outputs, 3, padding=1)
    return nn.Sequential(first, nn.LeakyReLU(_SLOPE), last)


def _resized(x: Tensor, by: float) -> Tensor:
    return interpolate(x, scale_factor=by, mode="bilinear", align_corners=False)


def _build(state: State) -> GFPGAN:
    """An empty network of the widths in ``state``."""
    painter = "stylegan_decoder."
    down = [len(state["conv_body_first.weight"]), *_widths(state, r"conv_body_down\.(\d+)\.conv2\.weight", len)]
    up = _widths(state, r"conv_body_up\.(\d+)\.conv2\.weight", len)
    drawn = _widths(state, painter + r"to_rgbs\.(\d+)\.modulated_conv\.weight", lambda weight: weight.shape[2])
    first = state[f"{painter}constant_input.weight"].shape[1]
    style = state[f"{painter}to_rgb1.modulated_conv.modulation.weight"].shape[1]
    return GFPGAN(down, up, [first, *drawn], style)


def _widths(state: State, pattern: str, width: Callable[[Tensor], int]) -> list[int]:
    """Of the layers whose names fit ``pattern``, in the order of their numbers."""
    found = {int(name[1]): width(value) for key, value in state.items() if (name := re.fullmatch(pattern, key))}
    return [found[number] for number in sorted(found)]
