"""Restoring of faces by a network that sees one aligned face at a time. What goes back into the film is the change that
it made, so that what it leaves alone stays equal to the bit, and detail finer than it can see stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from heygem.errors import EngineUnavailable, OutOfMemory
from heygem.faces.landmarks import Region
from heygem.faces.shape import eye_centres
from heygem.faces.track import Face
from heygem.finish.gfpgan import GFPGAN
from heygem.finish.sharpen import Patch
from heygem.media.frame import Frame

Net = Callable[[Tensor], Tensor]
"""Faces (n, 3, side, side), RGB -1..1 -> the same faces restored."""
SIDE = 512
"""Side in px of what published networks see."""
NOSE, CORNERS = 1, (61, 291)
"""Landmarks: tip of the nose, corners of the mouth."""
ALIGNED = np.array(
    [
        [192.98138, 239.94708],
        [318.90277, 240.1936],
        [256.63416, 314.01935],
        [201.26117, 371.41043],
        [313.08905, 371.15118],
    ]
)
"""Where eyes, nose and corners of the mouth lie in an aligned face, as in FFHQ at 512 px; left of the picture first."""


def place(wish: str) -> torch.device:
    """Where the network computes: "auto", "cpu" or "cuda". Raises EngineUnavailable where a GPU is asked for and not
    there."""
    if wish != "cpu" and torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if wish == "cuda":
        raise EngineUnavailable(engine="GFPGAN", reason="PyTorch finds no GPU that it can use; choose auto or cpu")
    return torch.device("cpu")


def titled(device: torch.device) -> str:
    """The device for people."""
    return "CPU" if device.type == "cpu" else torch.cuda.get_device_name(device)


def loaded(state: dict[str, Tensor], device: torch.device) -> GFPGAN:
    """The network with these weights there, in single precision whatever they are stored in. Raises WeightsUnusable."""
    return GFPGAN.of(state).to(device, torch.float32)


def aligned(landmarks: np.ndarray) -> Region:
    """The square of the picture that shows a face (468, 3) px as the network expects it: the similarity that fits
    ``ALIGNED`` best."""
    eyes = np.array(eye_centres(landmarks))[:, :2]
    seen = np.concatenate([eyes, landmarks[[NOSE], :2], landmarks[list(CORNERS), :2]])
    theirs, ours = (points[:, 0] + 1j * points[:, 1] for points in (ALIGNED, seen.astype(np.float64)))
    away = theirs - theirs.mean()
    turn = complex(np.vdot(away, ours - ours.mean()) / np.vdot(away, away))
    centre = turn * (SIDE * (1 + 1j) / 2 - theirs.mean()) + ours.mean()
    return Region(np.array([centre.real, centre.imag]), SIDE * abs(turn), float(np.angle(turn)))


@dataclass(frozen=True)
class Square:
    """A region in the pixels of the frame: as many as it has there, so that nothing is lost on the way and back."""

    region: Region

    @property
    def side(self) -> int:
        return max(round(self.region.side), 1)

    def _there(self, corner: tuple[int, int]) -> np.ndarray:
        """(2, 3) map from the square to the frame from ``corner`` on."""
        cos, sin = np.cos(self.region.roll), np.sin(self.region.roll)
        turn = np.array([[cos, -sin], [sin, cos]]) * (self.region.side / self.side)
        return np.column_stack([turn, self.region.centre - corner - turn @ np.full(2, (self.side - 1) / 2)])

    def cut(self, frame: Frame, side: int) -> np.ndarray | None:
        """(side, side, 3) uint8 RGB; None where the region lies outside the frame."""
        box = self.region.box(frame.width, frame.height)
        if box is None:
            return None
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        size, there = (self.side, self.side), self._there(box[:2])
        seen = cv2.warpAffine(frame.rgb(box), there, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return _sized(seen, side)

    def spread(self, change: np.ndarray, patch: Patch) -> np.ndarray:
        """A change (side, side, 3) float32 in the pixels of ``patch`` (h, w, 3)."""
        x0, y0, x1, y1 = patch.box
        return cv2.warpAffine(_sized(change, self.side), self._there((x0, y0)), (x1 - x0, y1 - y0))


class Restorer:
    """Called with every frame of a film in turn. amount: 0 changes nothing, 1 takes what the network makes.
    side: of what it sees, px."""

    def __init__(self, net: Net, device: torch.device, amount: float, side: int = SIDE) -> None:
        self._net, self._device, self._amount, self._side = net, device, amount, side
        self._regions: dict[int, Region] = {}  # where each track was aligned last

    def __call__(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Restores ``faces`` in ``frame``; everything outside them stays bit-equal. Raises OutOfMemory."""
        before, self._regions, found = self._regions, {}, []
        for face in faces:
            goal = aligned(face.landmarks)
            region = self._regions[face.track] = before.get(face.track, goal).towards(goal)
            square, patch = Square(region), Patch.of(face.landmarks, frame)
            cut = square.cut(frame, self._side)
            if patch is not None and cut is not None:
                found.append((square, patch, cut))
        if not found:
            return
        cuts = np.stack([cut for _, _, cut in found])
        for (square, patch, _), change in zip(found, self._changes(cuts), strict=True):
            x0, y0, _, _ = patch.box
            made = self._amount * patch.soft[..., None] * square.spread(change, patch)
            made += frame.rgb(patch.box)
            frame.paste(x0, y0, np.clip(np.rint(made), 0, 255).astype(np.uint8))

    @torch.inference_mode()
    def _changes(self, cuts: np.ndarray) -> np.ndarray:
        """(n, side, side, 3) uint8 -> what the network changes in them, float32 levels."""
        try:
            given = torch.from_numpy(cuts).to(self._device).permute(0, 3, 1, 2).float() / 127.5 - 1
            change = (self._net(given).clamp(-1, 1) - given) * 127.5
        except torch.cuda.OutOfMemoryError as error:
            raise OutOfMemory from error
        return change.permute(0, 2, 3, 1).cpu().numpy()


def _sized(picture: np.ndarray, side: int) -> np.ndarray:
    """A square picture of another size: averaged where it shrinks."""
    how = cv2.INTER_AREA if side < len(picture) else cv2.INTER_CUBIC
    return cv2.resize(picture, (side, side), interpolation=how)
