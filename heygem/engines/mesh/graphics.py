"""The arithmetic of pixels with which faces are bent, on a graphics card: ``heygem.engines.mesh.pixels`` in PyTorch.

Levels stay fractions until a canvas is given back. Nothing in here waits for the card.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from heygem.engines.mesh.pixels import CUBIC
from heygem.engines.mesh.warp import barycentric
from heygem.engines.neural.place import Place
from heygem.engines.neural.planes import matrices
from heygem.media.frame import Box, Frame


class Sheet:
    """A canvas: luma (h, w) and chroma (2, h / 2, w / 2), float32 levels, changed in place."""

    def __init__(self, luma: Tensor, chroma: Tensor) -> None:
        self.luma, self.chroma = luma, chroma
        self.height, self.width = luma.shape

    def planes(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.luma, self.chroma[0], self.chroma[1]

    def views(self, box: Box) -> tuple[Tensor, Tensor, Tensor]:
        part = self._part(box)
        return part.luma, part.chroma[0], part.chroma[1]

    def copy(self) -> Sheet:
        return Sheet(self.luma.clone(), self.chroma.clone())

    def rgb(self, box: Box) -> Tensor:
        """(h, w, 3) 0..255 of an even-sided box."""
        part = self._part(box)
        full = part.chroma.repeat_interleave(2, 1).repeat_interleave(2, 2)
        matrix = matrices(self.luma.device)[0]
        yuv = torch.cat([part.luma[None], full]).permute(1, 2, 0)
        return (yuv @ matrix[:, :3].T + matrix[:, 3]).clamp(0, 255)

    def paste(self, x: int, y: int, rgb: Tensor) -> None:
        """Moves the planes by the difference between an even-sided patch and what ``rgb`` returns there."""
        box = x, y, x + rgb.shape[1], y + rgb.shape[0]
        change = (rgb - self.rgb(box)).permute(2, 0, 1)
        matrix, part = matrices(rgb.device)[1][:, :3], self._part(box)
        part.luma += torch.tensordot(matrix[0], change, 1)
        part.chroma += torch.tensordot(matrix[1:], F.avg_pool2d(change, 2), 1)

    def blend(self, box: Box, above: Sheet, share: Tensor) -> None:
        """Lays ``above`` over an even-sided box; share (h / 2, w / 2) 0..1: how much of it is seen."""
        part = self._part(box)
        part.luma += _sized(share, (above.width, above.height)) * (above.luma - part.luma)
        part.chroma += share * (above.chroma - part.chroma)

    def _part(self, box: Box) -> Sheet:
        x0, y0, x1, y1 = box
        return Sheet(self.luma[y0:y1, x0:x1], self.chroma[:, y0 // 2 : y1 // 2, x0 // 2 : x1 // 2])


class Graphics:
    """``Pixels`` at a place of PyTorch."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def canvas(self, part: Frame) -> Sheet:
        data, height = self._place.take(part.data).float(), part.height
        return Sheet(data[:height], data[height:].reshape(2, height // 2, part.width // 2))

    def blank(self, width: int, height: int) -> Sheet:
        luma = torch.empty(height, width, device=self._place.device)
        return Sheet(luma, torch.empty(2, height // 2, width // 2, device=self._place.device))

    def given(self, canvas: Sheet) -> Callable[[], Frame]:
        data = torch.cat([canvas.luma, canvas.chroma.reshape(-1, canvas.width)])
        later = self._place.give(data.round().clamp(0, 255).byte())
        return lambda: Frame(later())

    def here(self, values: np.ndarray) -> Tensor:
        return self._place.take(values)

    def spread(self, index: np.ndarray, target: np.ndarray, values: np.ndarray, triangles: np.ndarray) -> Tensor:
        at = self.here(index).long()  # -1 is the last
        tables = np.concatenate([barycentric(target, triangles).reshape(-1, 6), _corners(values, triangles)], axis=1)
        found = self.here(tables.astype(np.float32)).T[:, at]
        height, width = index.shape
        x = torch.arange(width, device=found.device)
        y = torch.arange(height, device=found.device)[:, None]
        share, other = ((found[k] * x + found[k + 1] * y + found[k + 2]).clamp(0, 1) for k in (0, 3))
        beyond = (share + other).clamp(min=1)
        first, second, third = found[6:].unflatten(0, (3, -1))
        return first + share / beyond * second + other / beyond * third

    def remapped(self, plane: Tensor, x: Tensor, y: Tensor, way: int) -> Tensor:
        height, width = plane.shape
        grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], -1)
        mode = "bicubic" if way == CUBIC else "bilinear"
        return F.grid_sample(plane[None, None], grid[None], mode, "border", align_corners=True)[0, 0].clamp(0, 255)

    def enlarged(self, plane: Tensor, size: tuple[int, int]) -> Tensor:
        return _sized(plane, size)

    def shrunk(self, plane: Tensor, size: tuple[int, int]) -> Tensor:
        return F.adaptive_avg_pool2d(plane[None], (size[1], size[0]))[0]

    def blurred(self, picture: Tensor, sigma: float) -> Tensor:
        flat = picture[None, None] if picture.ndim == 2 else picture.permute(2, 0, 1)[:, None]
        reach = min(math.ceil(4 * sigma), *(edge - 1 for edge in flat.shape[2:]))
        taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=flat.device) / sigma) ** 2)
        taps = (taps / taps.sum())[None, None, None]
        flat = F.conv2d(F.pad(flat, (reach, reach, 0, 0), "reflect"), taps)
        flat = F.conv2d(F.pad(flat, (0, 0, reach, reach), "reflect"), taps.mT)
        return flat[0, 0] if picture.ndim == 2 else flat[:, 0].permute(1, 2, 0)

    def mixed(self, above: Tensor, below: Tensor, share: Tensor) -> Tensor:
        return below + (share if above.ndim == 2 else share[..., None]) * (above - below)

    def stacked(self, planes: Sequence[Tensor]) -> Tensor:
        return torch.stack(list(planes), -1)

    def difference(self, one: Tensor, other: Tensor) -> Tensor:
        return one - other

    def add(self, plane: Tensor, change: Tensor) -> None:
        plane += change
        plane.clamp_(0, 255)

    def levels(self, picture: Tensor) -> Tensor:
        return picture


def _corners(values: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(M, 3 C): the values (V, C) at the first corner of each triangle, and what the other two have more."""
    first, second, third = (values[triangles[:, k]] for k in range(3))
    return np.concatenate([first, second - first, third - first], axis=1)


def _sized(plane: Tensor, size: tuple[int, int]) -> Tensor:
    """A plane of another size (w, h), linear."""
    return F.interpolate(plane[None, None], (size[1], size[0]), mode="bilinear")[0, 0]
