"""Tiny random weights of the networks of MuseTalk, under the names of the published files."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from heygem.engines.nets.parsing import BiSeNet
from heygem.engines.nets.unet import Resnet, UNet
from heygem.engines.nets.vae import Decoder, Encoder
from heygem.engines.nets.whisper import Encoder as Whisper

State = dict[str, Tensor]
WIDTH = 64
"""Of what the tiny Whisper hears."""


def unet(seed: int = 0, widths: tuple[int, ...] = (32, 32, 64, 64)) -> State:
    """With the layers that know the time."""
    with torch.device("meta"):
        net = UNet(8, 4, widths, WIDTH)
        net.time_embedding = nn.ModuleDict(
            {"linear_1": nn.Linear(widths[0], 4 * widths[0]), "linear_2": nn.Linear(4 * widths[0], 4 * widths[0])}
        )
        for block in net.modules():
            if isinstance(block, Resnet):
                block.time_emb_proj = nn.Linear(4 * widths[0], block.conv1.out_channels)
    return randomised(net, seed)


def vae(seed: int = 0, widths: tuple[int, ...] = (32, 32, 64, 64)) -> State:
    """Both halves."""
    with torch.device("meta"):
        halves = Encoder(widths, 4), Decoder(widths, 4)
    return randomised(halves[0], seed) | randomised(halves[1], seed + 1)


def whisper(seed: int = 0, width: int = WIDTH, rows: int = 1500, layers: int = 4) -> State:
    """The encoder, as in the file of Hugging Face."""
    with torch.device("meta"):
        net = Whisper(80, width, rows, layers)
    return {f"model.encoder.{key}": value for key, value in randomised(net, seed).items()}


def parsing(seed: int = 0, widths: tuple[int, ...] = (8, 8, 16, 16)) -> State:
    """With normalisations, and the heads that training alone asks."""
    with torch.device("meta"):
        net = BiSeNet(widths, 8, (16, 4, 16))
    return _with_norms(randomised(net, seed), seed) | {"conv_out16.conv.conv.weight": torch.zeros(8, 8, 3, 3)}


def randomised(net: nn.Module, seed: int) -> State:
    """Weights that keep the size of what goes through them: normalisations around 1, biases around 0."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for key, value in sorted(net.state_dict().items()):
        noise = torch.randn(value.shape, generator=generator)
        if value.dim() > 1:
            state[key] = noise / value[0].numel() ** 0.5
        else:
            state[key] = 0.1 * noise + (key.endswith("weight"))
    return state


def _with_norms(state: State, seed: int) -> State:
    """Every bias of a convolution becomes a normalisation behind it."""
    generator = torch.Generator().manual_seed(seed)
    with_norms = {key: value for key, value in state.items() if not key.endswith(".bias")}
    for key in state:
        if key.endswith(".bias"):
            head, _, last = key.removesuffix(".bias").rpartition(".")
            norm = f"{head}.{'1' if last == '0' else last.replace('conv', 'bn')}"
            for part in ("weight", "bias", "running_mean", "running_var"):
                noise = torch.rand(state[key].shape, generator=generator)
                with_norms[f"{norm}.{part}"] = noise + (0.5 if part in ("weight", "running_var") else -0.5)
            with_norms[f"{norm}.num_batches_tracked"] = torch.tensor(7)
    return with_norms
