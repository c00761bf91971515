"""What the networks of latent diffusion are made of (Rombach et al. 2022), under the names of the published weights."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import interpolate, pad, scaled_dot_product_attention, silu

GROUPS = 32
"""Of every group normalisation."""


class Resnet(nn.Module):
    """(B, inputs, h, w) -> (B, outputs, h, w): two convolutions beside a short cut (He et al. 2016)."""

    def __init__(self, inputs: int, outputs: int, eps: float) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, inputs, eps)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2 = nn.GroupNorm(GROUPS, outputs, eps)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        made = self.conv2(silu(self.norm2(self.conv1(silu(self.norm1(x))))))
        return made + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class Half(nn.Module):
    """(B, C, h, w) -> (B, C, h / 2, w / 2). even: both sides are padded alike, else right and bottom alone."""

    def __init__(self, width: int, even: bool) -> None:
        super().__init__()
        self._even = even
        self.conv = nn.Conv2d(width, width, 3, 2, padding=int(even))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x if self._even else pad(x, (0, 1, 0, 1)))


class Double(nn.Module):
    """(B, C, h, w) -> (B, C, 2 h, 2 w): every pixel four times, then a convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(interpolate(x, scale_factor=2.0, mode="nearest"))


class Attention(nn.Module):
    """Tokens (B, n, C) ask the tokens (B, m, context): (B, n, C) (Vaswani et al. 2017)."""

    def __init__(self, width: int, context: int, heads: int, bias: bool = False) -> None:
        super().__init__()
        self._heads = heads
        self.to_q = nn.Linear(width, width, bias=bias)
        self.to_k = nn.Linear(context, width, bias=bias)
        self.to_v = nn.Linear(context, width, bias=bias)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x: Tensor, others: Tensor) -> Tensor:
        parts = (self.to_q(x), self.to_k(others), self.to_v(others))
        q, k, v = (part.unflatten(2, (self._heads, -1)).transpose(1, 2) for part in parts)
        return self.to_out[0](scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


def tokens(x: Tensor) -> Tensor:
    """(B, C, h, w) -> (B, h w, C)."""
    return x.flatten(2).transpose(1, 2)


def picture(x: Tensor, like: Tensor) -> Tensor:
    """(B, h w, C) -> (B, C, h, w) of the size of ``like``."""
    return x.transpose(1, 2).unflatten(2, like.shape[2:])
