"""The renderer of engines with a network: crops out of the frames, through the network, the change back in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack

import numpy as np
import torch
from torch import Tensor

from heygem.engines.base import Style
from heygem.engines.neural.compose import View, compose
from heygem.engines.neural.crop import Crops, Patches
from heygem.engines.neural.mask import masks
from heygem.engines.neural.place import Place
from heygem.faces.avatar import Avatar
from heygem.media.frame import Frame

Predict = Callable[[np.ndarray, Tensor], Tensor]
"""Numbers of output frames (n,) and what is seen in them, (n, 3, side, side) RGB 0..1 -> the same with other mouths."""


class CropRenderer:
    """Renders with ``predict``. ``crops``: where its squares lie in the source frames."""

    def __init__(
        self, avatar: Avatar, plan: np.ndarray, style: Style, place: Place, crops: Crops, predict: Predict
    ) -> None:
        self._avatar, self._plan, self._style, self._place = avatar, plan, style, place
        self._crops, self._predict = crops, predict
        shown = np.unique(plan)
        self._patches = Patches.round(crops, shown, (avatar.width, avatar.height))
        self._shrink = crops.shrink(shown)
        self.known: dict[str, float] = {}
        self._held = ExitStack()

    def hold(self, context: AbstractContextManager[object]) -> None:
        """Enters ``context`` until the renderer is closed."""
        self._held.enter_context(context)

    def render(self, start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
        weight = self._avatar.weight[self._plan[start : start + len(frames)]]
        chosen = np.flatnonzero(weight > 0).tolist()
        if chosen:
            made = self._speak(start + np.array(chosen), [frames[k] for k in chosen])
            for k, picture in zip(chosen, made, strict=True):  # from here on nothing can fail
                x0, y0, *_ = self._patches.box(int(self._plan[start + k]))
                frames[k].paste(x0, y0, picture)
        return frames

    @torch.inference_mode()
    def _speak(self, numbers: np.ndarray, frames: Sequence[Frame]) -> np.ndarray:
        """The patches of the output frames ``numbers``, (n, h, w, 3) uint8 RGB."""
        sources = self._plan[numbers]
        rgb = np.stack([frame.rgb(self._patches.box(int(n))) for frame, n in zip(frames, sources, strict=True)])
        patches = self._place.take(torch.from_numpy(rgb).permute(0, 3, 1, 2)) / 255
        maps = torch.as_tensor(self._patches.maps(self._crops, sources), dtype=torch.float32)
        view = View(maps.to(self._place.device), self._shrink)
        seen = view.cut(patches, self._crops.side)
        made = self._predict(numbers, seen)
        points = [self._crops.into(int(n), self._avatar.landmarks[n, :, :2].astype(np.float64)) for n in sources]
        drawn = masks(np.stack(points), self._style.region, self._avatar.weight[sources])
        result = compose(patches, seen, made, view, self._place.take(drawn.face), self._place.take(drawn.lips))
        return (result.permute(0, 2, 3, 1) * 255).round().byte().cpu().numpy()

    def report(self) -> dict[str, float]:
        """What the engine knows (``known``)."""
        return self.known

    def close(self) -> None:
        """Leaves what it holds. The network stays with its engine."""
        self._held.close()
