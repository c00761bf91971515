"""Random weights of Wav2Lip, under the names of the published files, small enough for a test."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from heygem.engines.nets.wav2lip import BANDS, COLUMNS, Wav2Lip


def random(side: int = 96, width: int = 2, seed: int = 0) -> dict[str, Tensor]:
    """The network for faces of ``side`` px. Its normalisations have seen random faces and sounds, as after a training:
    every layer is awake, and the faces that come out differ and are neither black nor white."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = Wav2Lip(side, width).train()
        for part in net.modules():
            if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            elif isinstance(part, nn.BatchNorm2d):
                part.momentum = 1.0
                nn.init.uniform_(part.weight, 0.7, 1.3)
                nn.init.uniform_(part.bias, -0.3, 0.3)
        with torch.no_grad():
            net.output_block[1].weight.mul_(0.2)  # pyright: ignore[reportCallIssue]
            net(torch.randn(4, 1, BANDS, COLUMNS), torch.rand(4, 6, side, side))
        for part in net.modules():
            if isinstance(part, nn.BatchNorm2d) and part.running_var is not None:
                part.running_var.clamp_(min=0.1)  # what slept is not woken by a shout
        return {key: value.detach().clone() for key, value in net.state_dict().items()}
