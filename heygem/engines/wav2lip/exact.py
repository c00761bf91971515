"""As the authors' own program renders: whole pixels, a hard rectangle, nothing improved. To compare with."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from heygem.engines.nets.wav2lip import Wav2Lip
from heygem.engines.neural.place import Place
from heygem.engines.wav2lip.mel import Windows
from heygem.engines.wav2lip.voice import half_hidden
from heygem.faces.avatar import Avatar
from heygem.media.frame import Frame

BELOW = 10
"""Pixels that the box reaches below the chin."""
CALM = 5
"""Boxes whose mean each one becomes."""


class ExactRenderer:
    def __init__(self, avatar: Avatar, plan: np.ndarray, net: Wav2Lip, place: Place, windows: Windows) -> None:
        self._avatar, self._plan, self._windows = avatar, plan, windows
        self._net, self._place = net, place
        self._boxes = smoothed(_boxes(avatar))

    def render(self, start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
        sources = self._plan[start : start + len(frames)]
        chosen = [k for k, n in enumerate(sources) if self._avatar.weight[n] > 0]
        boxes = [tuple(self._boxes[sources[k]].tolist()) for k in chosen]
        crops = [frames[k].rgb(box)[..., ::-1] for k, box in zip(chosen, boxes, strict=True)]
        made = speak(crops, self._windows[start + np.array(chosen, int)], self._net, self._place)
        for k, box, face in zip(chosen, boxes, made, strict=True):
            frames[k].paste(box[0], box[1], np.ascontiguousarray(face[..., ::-1]))
        return frames

    def report(self) -> dict[str, float]:
        """Nothing is known."""
        return {}

    def close(self) -> None:
        """Holds nothing that outlives it."""


@torch.inference_mode()
def speak(crops: Sequence[np.ndarray], heard: np.ndarray, net: Wav2Lip, place: Place) -> list[np.ndarray]:
    """Faces (h, w, 3) uint8 **BGR**, each of its own size, with the mouths of what is ``heard`` (n, 80, 16)."""
    if not len(crops):
        return []
    side = net.side
    small = np.stack([cv2.resize(crop, (side, side)) for crop in crops])
    faces = half_hidden(place.take(small).permute(0, 3, 1, 2) / 255)
    made = net(place.take(heard[:, None]), faces).permute(0, 2, 3, 1).cpu().numpy() * 255
    return [cv2.resize(face.astype(np.uint8), crop.shape[1::-1]) for face, crop in zip(made, crops, strict=True)]


def smoothed(boxes: np.ndarray) -> np.ndarray:
    """(N, 4) int: each box the mean of itself and the four that follow; of the last ones, that of the last five. What
    was smoothed counts for the next, and fractions are cut off."""
    boxes = boxes.copy()
    for k in range(len(boxes)):
        boxes[k] = boxes[min(k, max(len(boxes) - CALM, 0)) :][:CALM].mean(axis=0)
    return boxes


def _boxes(avatar: Avatar) -> np.ndarray:
    """(N, 4) int px: x0, y0, x1, y1 round the faces, inside the frame."""
    flat = avatar.landmarks[..., :2]
    low, high = flat.min(axis=1), flat.max(axis=1) + np.array([0, BELOW])
    edge = (avatar.width & ~1, avatar.height & ~1)
    return np.concatenate([np.clip(low, 0, edge), np.clip(high, 0, edge)], axis=1).astype(np.int64)
