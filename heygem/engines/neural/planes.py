"""Frames where a network computes: from the planes of a video to colours and back, on the CPU and the GPU alike.

As ``heygem.media.frame.Frame`` does it: a changed picture goes back as a difference, so that what stays the same stays
equal to the bit. Half as many bytes travel as in RGB.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from heygem.media.frame import TO_RGB, TO_YUV


def rgb(data: Tensor) -> Tensor:
    """(n, 3, h, w) float32 RGB 0..1 of the ``data`` of n frames, (n, 3 h / 2, w) uint8."""
    luma, chroma = _planes(data)
    yuv = torch.cat([luma, F.interpolate(chroma, scale_factor=2, mode="nearest")], 1)
    matrix = matrices(data.device)[0]
    return ((_turned(matrix[:, :3], yuv) + matrix[:, 3:, None]) / 255).clamp(0, 1)


def changed(data: Tensor, change: Tensor) -> Tensor:
    """The ``data`` (n, 3 h / 2, w) uint8 of n frames whose RGB moved by ``change`` (n, 3, h, w), -1..1."""
    luma, chroma = _planes(data)
    matrix = matrices(data.device)[1][:, :3] * 255
    parts = luma + _turned(matrix[:1], change), chroma + _turned(matrix[1:], F.avg_pool2d(change, 2))
    return torch.cat([part.round().clamp(0, 255).byte().flatten(1) for part in parts], 1).view_as(data)


@cache
def matrices(device: torch.device) -> tuple[Tensor, Tensor]:
    """(3, 4): from YCbCr to RGB and back (``heygem.media.frame``), there already: a copy now would wait for the GPU."""
    to_rgb, to_yuv = (torch.from_numpy(matrix).to(device) for matrix in (TO_RGB, TO_YUV))
    return to_rgb, to_yuv


def _planes(data: Tensor) -> tuple[Tensor, Tensor]:
    """Luma (n, 1, h, w) and chroma (n, 2, h / 2, w / 2), float32 0..255."""
    height, width = data.shape[1] * 2 // 3, data.shape[2]
    chroma = data[:, height:].reshape(-1, 2, height // 2, width // 2)
    return data[:, None, :height].float(), chroma.float()


def _turned(matrix: Tensor, colours: Tensor) -> Tensor:
    """Each pixel of colours (n, k, h, w) times matrix (m, k)."""
    return (matrix @ colours.flatten(2)).unflatten(2, colours.shape[2:])
