"""SyncNet v2 (Chung and Zisserman 2016, "Out of time"): does the mouth fit the sound? For users who bring the weights.

The published network judges 0.2 s of a face and of the sound as points in one space; LSE-D and LSE-C (Prajwal et al.
2020) are how near the two are at the best of 31 offsets, and by how much that offset stands out. They reward whoever
was trained against a SyncNet and say nothing about looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from scipy.signal import medfilt

from heygem.errors import NoFace, SoundTooShort, ToolMissing, WeightsUnusable
from heygem.faces.avatar import Avatar
from heygem.media.frame import Frame
from heygem.media.reader import VideoReader
from heygem.media.sound import load_sound
from heygem.quality.mfcc import RATE, mfcc
from heygem.settings import load

if TYPE_CHECKING:
    from torch import Tensor

FPS = 25
SEEN, HEARD = 5, 20
"""Frames and rows of the sound (100 a second) in one look."""
ROWS = 100 // FPS
REACH = 15
"""Offsets from -15 to 15 frames are tried."""
SIDE, GREY = 224, 110
"""Pixels of the face picture; what lies outside the frame."""
GAP, MEDIAN = 25, 13
"""Frames without the face that are bridged; frames over which the crop is smoothed."""
BATCH = 32
_CHUNK = 256  # frames whose landmarks are read at once


@dataclass(frozen=True)
class SyncFigures:
    """``distance``: LSE-D, lower is better. ``confidence``: LSE-C, higher is better. ``offset``: frames of 40 ms by
    which the picture comes later than the sound. ``frames``: how many were judged."""

    distance: float
    confidence: float
    offset: int
    frames: int


class SyncNet:
    """The published network with the user's weights (a state dict, ``syncnet_v2.model``), on the CPU.

    Raises WeightsUnusable where the file is missing, no state dict, or one of another network, ToolMissing without
    PyTorch. Nothing in the file is executed.
    """

    def __init__(self, weights: Path) -> None:
        try:
            import torch
        except ImportError:
            raise ToolMissing(tool="PyTorch") from None
        details = {"name": weights.name, "network": "SyncNet v2", "setting": "HEYGEM_SYNCNET"}
        if not weights.is_file():
            raise WeightsUnusable(**details, reason="there is no such file")
        try:
            state = torch.load(weights, map_location="cpu", weights_only=True)
        except Exception as error:  # whatever a damaged or hostile file does to its reader
            raise WeightsUnusable(**details, reason="it is not a PyTorch state dict") from error
        self._layers = layers().eval()
        try:
            self._layers.load_state_dict(state)
        except Exception as error:
            raise WeightsUnusable(**details, reason="its layers are not those of this network") from error

    def see(self, faces: np.ndarray) -> Tensor:
        """(n, 1024) for each five neighbours of faces (n + 4, 224, 224, 3) uint8 BGR."""
        # Only the first layer looks along time, so the layers run over a whole stretch at once.
        clip = _tensor(faces.transpose(3, 0, 1, 2)[None])
        return self._run("netcnnlip", "netfclip", clip, lambda maps: maps[0, :, :, 0, 0].T)

    def hear(self, windows: np.ndarray) -> Tensor:
        """(n, 1024) for windows (n, 20, 13) of cepstra."""
        sound = _tensor(windows.transpose(0, 2, 1)[:, None])
        return self._run("netcnnaud", "netfcaud", sound, lambda maps: maps.flatten(1))

    def _run(self, convolutions: str, head: str, given: Tensor, flat: Any) -> Tensor:
        import torch

        with torch.inference_mode():
            return self._layers[head](flat(self._layers[convolutions](given)))


@cache
def brought() -> SyncNet | None:
    """The network with the weights that HEYGEM_SYNCNET names; None where it names none. Raises as ``SyncNet``."""
    path = load().syncnet
    return SyncNet(path) if path else None


def measure(net: SyncNet, video: Path, sound: Path, avatar: Avatar) -> SyncFigures:
    """LSE-C and LSE-D of a finished video (its own ``avatar``) and its sound, over the longest stretch without a cut
    in which the face is seen. Raises NoFace or SoundTooShort where that is less than a second."""
    start, crops = face_crops(avatar)
    samples = load_sound(sound).samples[start * RATE // FPS :]
    looks = min(len(crops), len(samples) * FPS // RATE) - SEEN
    if len(crops) < FPS:
        raise NoFace(name=video.name, frames=len(avatar.weight), why=", the face is seen for moments only")
    if looks < FPS - SEEN:
        raise SoundTooShort(name=sound.name, seconds=f"{len(samples) / RATE:.1f}", least=1)
    rows = mfcc(samples[: (looks + SEEN) * RATE // FPS])
    numbers = np.rint(np.arange(start, start + looks + SEEN - 1) * float(avatar.fps / FPS)).astype(int)
    with VideoReader(video) as reader:
        faces = (crop(frame, box) for frame, box in zip(reader.frames(numbers), crops, strict=False))
        total = np.zeros(2 * REACH + 1)
        for first, seen in _seen(net, faces):
            total += distances(seen, _heard(net, rows, first - REACH, first + len(seen) + REACH, looks))
    return figures(total / looks, looks)


def figures(distance: np.ndarray, frames: int) -> SyncFigures:
    """From the mean distance (31,) at each offset, the sound from 15 frames early to 15 late."""
    best = int(distance.argmin())
    low = float(distance[best])
    return SyncFigures(low, float(np.median(distance)) - low, REACH - best, frames)


def distances(seen: Tensor, heard: Tensor) -> np.ndarray:
    """(31,) summed distances of seen (n, 1024) to the rows of heard (n + 30, 1024) around each."""
    around = heard.unfold(0, 2 * REACH + 1, 1)
    return (seen[:, :, None] - around + 1e-6).norm(dim=1).sum(dim=0).double().numpy()


def face_crops(avatar: Avatar) -> tuple[int, np.ndarray]:
    """First frame, at 25 a second, and squares (n, 3) px (x, y, half a side of the face) of the longest stretch."""
    count = int(len(avatar.weight) * FPS / avatar.fps)
    source = np.minimum(np.rint(np.arange(count) * float(avatar.fps / FPS)).astype(int), len(avatar.weight) - 1)
    numbers = np.flatnonzero(avatar.score[source] > 0)
    if not len(numbers):
        return 0, np.zeros((0, 3))
    shot = np.cumsum(avatar.cuts)[source[numbers]]
    ends = np.flatnonzero((np.diff(numbers) > GAP) | (np.diff(shot) > 0)) + 1
    longest = max(np.split(numbers, ends), key=lambda stretch: stretch[-1] - stretch[0])
    known = _squares(avatar.landmarks)[source[longest]]
    steps = np.arange(longest[0], longest[-1] + 1)
    return int(longest[0]), np.column_stack([medfilt(np.interp(steps, longest, at), MEDIAN) for at in known.T])


def _squares(landmarks: np.ndarray) -> np.ndarray:
    """(N, 3) px: centre x, y and half the longer side of the box round landmarks (N, 468, 3)."""
    parts = [landmarks[start : start + _CHUNK, :, :2] for start in range(0, len(landmarks), _CHUNK)]
    low, high = (np.concatenate([getattr(part, edge)(axis=1) for part in parts]) for edge in ("min", "max"))
    return np.column_stack([(low + high) / 2, (high - low).max(axis=1) / 2])


def crop(frame: Frame, square: np.ndarray) -> np.ndarray:
    """(224, 224, 3) uint8 BGR: the face with 0.4 of its size on both sides and below, grey outside the frame."""
    x, y, half = square
    x0, y0 = int(np.floor(x - 1.4 * half)), int(np.floor(y - half))
    x1, y1 = int(np.floor(x + 1.4 * half)), int(np.floor(y + 1.8 * half))
    box = max(x0, 0), max(y0, 0), min(x1, frame.width), min(y1, frame.height)
    margins = box[1] - y0, y1 - box[3], box[0] - x0, x1 - box[2]
    picture = cv2.copyMakeBorder(frame.rgb(box)[..., ::-1], *margins, cv2.BORDER_CONSTANT, value=[GREY] * 3)
    return cv2.resize(picture, (SIDE, SIDE))


def _seen(net: SyncNet, faces: Iterable[np.ndarray]) -> Iterator[tuple[int, Tensor]]:
    """(number of the first look, embeddings (n, 1024)) in batches; neighbours share four faces."""
    source, first = iter(faces), 0
    kept = list(islice(source, SEEN - 1))
    while new := list(islice(source, BATCH)):
        kept += new
        yield first, net.see(np.stack(kept))
        first, kept = first + len(new), kept[len(new) :]


def _heard(net: SyncNet, rows: np.ndarray, start: int, stop: int, looks: int) -> Tensor:
    """(stop - start, 1024): zero before the first look and after the last."""
    import torch

    inside = range(max(start, 0), min(stop, looks))
    made = net.hear(np.stack([rows[ROWS * i : ROWS * i + HEARD] for i in inside]))
    return torch.nn.functional.pad(made, (0, 0, inside.start - start, stop - inside.stop))


def _tensor(values: np.ndarray) -> Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def layers() -> Any:
    """The network, named as in the published file: convolutions and heads for faces (lip) and sound (aud)."""
    from torch import nn

    def convolution(dims: int, sizes: tuple[int, int], kernel: Any, stride: Any = 1, padding: Any = 0) -> list[Any]:
        make, norm = (nn.Conv2d, nn.BatchNorm2d) if dims == 2 else (nn.Conv3d, nn.BatchNorm3d)
        return [make(*sizes, kernel, stride, padding), norm(sizes[1]), nn.ReLU(inplace=True)]

    def head() -> Any:
        return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(inplace=True), nn.Linear(512, 1024))

    aud = [
        *convolution(2, (1, 64), 3, 1, 1),
        nn.MaxPool2d(1, 1),
        *convolution(2, (64, 192), 3, 1, 1),
        nn.MaxPool2d(3, (1, 2)),
        *convolution(2, (192, 384), 3, 1, 1),
        *convolution(2, (384, 256), 3, 1, 1),
        *convolution(2, (256, 256), 3, 1, 1),
        nn.MaxPool2d(3, 2),
        *convolution(2, (256, 512), (5, 4)),
    ]
    lip = [
        *convolution(3, (3, 96), (5, 7, 7), (1, 2, 2)),
        nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
        *convolution(3, (96, 256), (1, 5, 5), (1, 2, 2), (0, 1, 1)),
        nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        *chain.from_iterable(convolution(3, (256, 256), (1, 3, 3), 1, (0, 1, 1)) for _ in range(3)),
        nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
        *convolution(3, (256, 512), (1, 6, 6)),
    ]
    parts = {"netcnnaud": nn.Sequential(*aud), "netfcaud": head(), "netcnnlip": nn.Sequential(*lip), "netfclip": head()}
    return nn.ModuleDict(parts)
