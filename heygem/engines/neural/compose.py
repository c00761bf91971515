"""From frames to what a network sees, and back: the change is added and the skin keeps its texture.

A network of 96 or 256 pixels cannot know pores, stubble and grain of a face of 500. So only the difference between what
went in and what came out is enlarged and added to the frame. On the lips, and where the picture changes much, what came
out stands alone: there the texture of the source would be that of another mouth.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

CHANGED = (0.06, 0.18)
"""Difference (0..1) up to which the texture of the source stays, and from which it is gone."""
_RGB = 3


@dataclass(frozen=True)
class View:
    """How the crops of a batch lie in their patches. maps (n, 2, 3): unit square -> unit square of the patch.
    shrink: how many pixels of the patch one pixel of the network covers, of the whole take."""

    maps: Tensor
    shrink: float

    def cut(self, patches: Tensor, side: int) -> Tensor:
        """What the network sees, (n, 3, side, side): the mean of areas where it is smaller than the patch (n, 3, h, w);
        outside the frame its edge goes on."""
        if self.shrink > 1:
            size = [max(1, round(edge / self.shrink)) for edge in patches.shape[2:]]
            patches = F.interpolate(patches, size, mode="bilinear", antialias=True)
        return F.grid_sample(patches, _grid(self.maps, (side, side)), "bilinear", "border", False)

    def put(self, crops: Tensor, size: tuple[int, int], mode: str = "bicubic", outside: str = "border") -> Tensor:
        """Crops (n, c, side, side) as they lie in patches of ``size`` (h, w)."""
        return F.grid_sample(crops, _grid(_inverse(self.maps), size), mode, outside, False)


def compose(patches: Tensor, seen: Tensor, made: Tensor, view: View, face: Tensor, lips: Tensor) -> Tensor:
    """Patches (n, 3, h, w) 0..1 with the mouths that a network made.

    seen, made: (n, 3, s, s) 0..1, before and after the network. face, lips: ``heygem.engines.neural.mask.Masks``. Where
    ``face`` is 0, nothing changes.
    """
    change = made - seen
    change = change - _offset(change, face)
    size = (patches.shape[2], patches.shape[3])
    large = view.put(torch.cat([change, seen], 1), size)
    keep = view.put(torch.cat([face, _skin(change, lips)], 1), size, "bilinear", "zeros")
    share, skin = keep[:, :1], keep[:, 1:]
    texture = patches - large[:, _RGB:]
    return (patches + share * (large[:, :_RGB] - (1 - skin) * texture)).clamp(0, 1)


def _offset(change: Tensor, face: Tensor) -> Tensor:
    """(n, 3, 1, 1) the mean change along the soft edge of the mask: a difference of colour, which would show there."""
    share = F.interpolate(face, change.shape[2:], mode="bilinear")
    edge = share * (1 - share)
    return (edge * change).sum((2, 3), keepdim=True) / edge.sum((2, 3), keepdim=True).clamp(min=1e-3)


def _skin(change: Tensor, lips: Tensor) -> Tensor:
    """(n, 1, raster, raster) 1 where the texture of the source stays."""
    much = F.interpolate(change.abs().mean(1, keepdim=True), lips.shape[2:], mode="bilinear")
    much = F.avg_pool2d(much, 5, 1, 2)
    low, high = CHANGED
    share = ((much - low) / (high - low)).clamp(0, 1)
    return (1 - lips) * (1 - share * share * (3 - 2 * share))


def _inverse(maps: Tensor) -> Tensor:
    turn = torch.linalg.inv_ex(maps[:, :, :2]).inverse  # inv itself waits for the graphics card
    return torch.cat([turn, -turn @ maps[:, :, 2:]], 2)


def _grid(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """(n, h, w, 2) for ``grid_sample``: for each pixel of ``size`` (h, w) of one unit square its place in another."""
    there = maps.clone()
    there[:, :, 2] += maps[:, :, :2].sum(2) / 2 - 0.5  # both squares from -1 to 1, not from 0 to 1
    there[:, :, 2] *= 2
    return F.affine_grid(there, [len(maps), 1, *size], align_corners=False)
