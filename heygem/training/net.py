"""The network of ``heygem.speech.net`` as torch trains it; its weights keep their names there."""

from __future__ import annotations

from torch import Tensor, nn

from heygem.speech.features import BANDS
from heygem.speech.net import STRIDES

DILATIONS = (1, 2, 4, 8, 16, 1)
"""Of the residual blocks, in rows of the network: they look 1.3 s around."""


class MouthNet(nn.Module):
    """Log-mel (B, T, 64) -> mouth components (B, ceil(T / 4), K) and closed-lips logit (B, ceil(T / 4)).

    Row k belongs to feature row 4 k: every kernel is odd and centred, so nothing shifts in time. Dilated residual
    blocks (van den Oord et al. 2016, without the causality) look ``DILATIONS`` rows around.
    """

    def __init__(self, components: int, channels: int, drop: float = 0.0):
        super().__init__()
        inputs = (BANDS, *[channels] * len(STRIDES))
        self.front = nn.Sequential(*(_conv(inputs[k], channels, stride) for k, stride in enumerate(STRIDES)))
        self.blocks = nn.ModuleList(Block(channels, dilation, drop) for dilation in DILATIONS)
        self.drop = nn.Dropout(drop)
        self.head = nn.Linear(channels, components + 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        x = self.front(features.transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        out = self.head(self.drop(x.transpose(1, 2)))
        return out[..., :-1], out[..., -1]


class Block(nn.Module):
    """x + what a dilated convolution makes of it."""

    def __init__(self, channels: int, dilation: int, drop: float):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation),
            nn.BatchNorm1d(channels),
            nn.GELU(),
            nn.Dropout(drop),
            nn.Conv1d(channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def _conv(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    conv = nn.Conv1d(inputs, outputs, 5, stride, padding=2)
    return nn.Sequential(conv, nn.BatchNorm1d(outputs), nn.GELU())
