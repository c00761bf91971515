"""The same random weights on both sides of a comparison: they follow from the names and shapes of the layers."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def weights(shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """Weights that keep the size of what goes through them: scales around 1, biases around 0, variances above 0."""
    return {name: _one(name, tuple(shape)) for name, shape in shapes.items()}


def _one(name: str, shape: tuple[int, ...]) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.tensor(1)
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    if name.endswith("running_var"):
        return 0.5 + torch.rand(shape, generator=generator)
    noise = torch.randn(shape, generator=generator)
    if len(shape) > 1:
        return noise / noise[0].numel() ** 0.5
    return 0.1 * noise + float(name.endswith("weight"))


def blind(*_: object) -> dict[str, Tensor]:
    """Random weights of the detector S3FD that see no face anywhere. To be called where its code can be imported."""
    from face_detection.detection.sfd.net_s3fd import s3fd

    torch.manual_seed(0)
    state = s3fd().state_dict()
    for key in [key for key in state if "_conf." in key]:
        state[key].zero_()
        if key.endswith("bias"):
            state[key][:-1] = 9.0
    return state
