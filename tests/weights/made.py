"""Small random weights with the names of the published ones, and every form in which weights circulate."""

from __future__ import annotations

import argparse
import types
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

State = dict[str, Tensor]


def wav2lip(stages: int = 7) -> State:
    """The names that tell the networks apart, with few numbers."""
    state: State = {}
    for stage in range(stages):
        state[f"face_encoder_blocks.{stage}.0.conv_block.0.weight"] = torch.randn(2, 3, 3, 3)
        state[f"face_encoder_blocks.{stage}.0.conv_block.1.num_batches_tracked"] = torch.tensor(stage)
    return state


def musetalk(heard: int = 384) -> State:
    return {
        "conv_in.weight": torch.randn(4, 8, 3, 3),
        "down_blocks.0.resnets.0.conv1.weight": torch.randn(4, 4, 3, 3),
        "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight": torch.randn(4, heard),
        "up_blocks.0.resnets.0.conv1.weight": torch.randn(4, 4, 3, 3),
    }


def vae() -> State:
    return {
        "post_quant_conv.weight": torch.randn(4, 4, 1, 1),
        "decoder.up_blocks.0.resnets.0.conv1.weight": torch.randn(4, 4, 3, 3),
    }


def whisper(width: int = 8, prefix: str = "model.") -> State:
    return {f"{prefix}encoder.conv1.weight": torch.randn(width, 80, 3)}


def parsing() -> State:
    return {"cp.resnet.conv1.weight": torch.randn(4, 3, 7, 7), "ffm.convblk.conv.weight": torch.randn(4, 4, 1, 1)}


def gfpgan() -> State:
    return {
        "final_linear.weight": torch.randn(4, 64),
        "stylegan_decoder.constant_input.weight": torch.randn(1, 4, 4, 4),
        "stylegan_decoder.style_mlp.1.weight": torch.randn(4, 4),
    }


def odd() -> State:
    """Tensors of every kind and layout that a writer of safetensors has to think about."""
    shared = torch.arange(12.0)
    return {
        "whole": torch.randn(3, 4),
        "turned": torch.randn(3, 4).T,
        "channels_last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "part": shared[2:8].view(2, 3),
        "same": shared,
        "repeated": torch.randn(1, 3).expand(4, 3),
        "count": torch.tensor(7),
        "empty": torch.zeros(0, 3),
        "half": torch.randn(5).half(),
        "brain": torch.randn(5).bfloat16(),
        "double": torch.randn(5).double(),
        "eighth": torch.randn(5).to(torch.float8_e4m3fn),
        "unsigned": torch.tensor([1, 65535], dtype=torch.uint16),
        "small": torch.arange(5, dtype=torch.int8),
        "yes": torch.tensor([True, False]),
    }


class Net(nn.Module):
    """Modules inside modules, buffers, and one buffer that no state dict has."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList([nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)) for _ in range(2)])
        self.head = nn.Linear(4, 2)
        self.register_buffer("hidden", torch.ones(2), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        for stage in self.stages:
            x = stage(nn.functional.pad(x[:, :3], [1, 1, 1, 1]))
        return self.head(x.mean(dim=[2, 3]))


def net() -> Net:
    made = Net().eval()
    for number, tensor in enumerate(made.state_dict().values()):
        tensor.copy_(torch.randn(tensor.shape) if tensor.is_floating_point() else torch.tensor(number))
    return made


def checkpoint(state: State) -> dict[str, Any]:
    """As training programs save it: much beside the weights, and the prefix of DataParallel before each name."""
    optimiser = {"state": {0: {"exp_avg": torch.zeros(3), "step": torch.tensor(1.0)}}, "param_groups": [{"lr": 1e-4}]}
    return {
        "state_dict": {f"module.{name}": tensor for name, tensor in state.items()},
        "optimizer": optimiser,
        "global_step": 7,
        "best": np.float64(0.5),
        "args": argparse.Namespace(batch=4, out=Path("somewhere")),
        "config": types.SimpleNamespace(rate=Fraction(1, 3)),
        "when": datetime(2024, 5, 6),
        "schedule": partial(max, default=0),
        "method": "text".upper,
        "kinds": {frozenset([1]): torch.float16, "size": torch.Size([2]), "device": torch.device("cpu")},
        "seen": np.arange(4),
        "mean": torch.zeros(3),
    }


def old(what: Any, file: Path) -> None:
    """The form of torch before 1.6."""
    torch.save(what, file, _use_new_zipfile_serialization=False)


def wrapped(name: str) -> Callable[[State, Path], None]:
    return lambda state, file: torch.save({name: state, "epoch": 3}, file)


FORMS: dict[str, Callable[[State, Path], None]] = {
    "bare.pth": torch.save,
    "bare_old.pth": old,
    "checkpoint.pth": lambda state, file: torch.save(checkpoint(state), file),
    "checkpoint_old.pth": lambda state, file: old(checkpoint(state), file),
    "model.pth": wrapped("model"),
    "params_ema.pth": wrapped("params_ema"),
    "model_state_dict.pt": wrapped("model_state_dict"),
    "state_dict_ema.ckpt": lambda state, file: torch.save(
        {"state_dict": {key: torch.zeros_like(value) for key, value in state.items()}, "state_dict_ema": state}, file
    ),
    "parameters.bin": lambda state, file: torch.save(
        {key: nn.Parameter(value, requires_grad=False) for key, value in state.items()}, file
    ),
    "plain.safetensors": lambda state, file: save_file(
        {key: value.contiguous().clone() for key, value in state.items()}, file, {"format": "pt", "note": "a secret"}
    ),
}
"""Name of a file -> what writes a state dict in this form."""
