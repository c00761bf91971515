"""The renderer of engines with a network: crops out of the frames, through the network, the change back in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from heygem.engines.base import Style
from heygem.engines.mesh.cover import Cover, Hidden
from heygem.engines.mesh.person import study
from heygem.engines.neural.compose import View, compose
from heygem.engines.neural.crop import Crops, Patches
from heygem.engines.neural.mask import masks
from heygem.engines.neural.place import Place
from heygem.faces.avatar import Avatar
from heygem.media.frame import Box, Frame
from heygem.speech.motion import mouth_basis
from heygem.tick import Tick, silent

Predict = Callable[[np.ndarray, Tensor], Tensor]
"""Numbers of output frames (n,) and what is seen in them, (n, 3, side, side) RGB 0..1 -> the same with other mouths."""


@dataclass(frozen=True, eq=False)
class Shot:
    """What is to be rendered: as ``Engine.begin`` is told."""

    avatar: Avatar
    plan: np.ndarray
    style: Style
    tick: Tick = silent


class CropRenderer:
    """Renders a shot with ``predict``. ``crops``: where its squares lie in the source frames."""

    def __init__(self, shot: Shot, place: Place, crops: Crops, predict: Predict) -> None:
        avatar, plan = shot.avatar, shot.plan
        self._avatar, self._plan, self._region = avatar, plan, shot.style.region
        self._place, self._crops, self._predict = place, crops, predict
        shown = np.unique(plan)
        self._patches = Patches.round(crops, shown, (avatar.width, avatar.height))
        self._shrink = crops.shrink(shown)
        person = study(avatar, mouth_basis())
        self._cover, _ = Cover.of(avatar, person, lambda: shot.tick("render", 0, len(plan)))
        self._looks: dict[int, tuple[Hidden | None, float]] = {}
        self.known: dict[str, float] = {}
        self._held = ExitStack()

    def hold(self, context: AbstractContextManager[object]) -> None:
        """Enters ``context`` until the renderer is closed."""
        self._held.enter_context(context)

    def render(self, start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
        looks = [self._look(t, frame) for t, frame in enumerate(frames, start)]
        left = np.array([share for _, share in looks], np.float32)
        chosen = np.flatnonzero(left > 0).tolist()
        if chosen:
            made = self._speak(start + np.array(chosen), [frames[k] for k in chosen], left[chosen])
            for k, picture in zip(chosen, made, strict=True):  # from here on nothing can fail
                self._lay(frames[k], self._patches.box(int(self._plan[start + k])), picture, looks[k][0])
        for t in range(start, start + len(frames)):
            del self._looks[t]
        return frames

    def _look(self, t: int, frame: Frame) -> tuple[Hidden | None, float]:
        """What stays on top in output frame ``t``, and how much of the effect is left. A frame that comes again is not
        looked at again: the cover follows a film."""
        if t not in self._looks:
            source = int(self._plan[t])
            weight = float(self._avatar.weight[source])
            hidden, left = self._cover.look(frame, source) if weight > 0 else (None, 0.0)
            self._looks[t] = hidden, weight * left
        return self._looks[t]

    @staticmethod
    def _lay(frame: Frame, box: Box, picture: np.ndarray, hidden: Hidden | None) -> None:
        before = frame.cut(box) if hidden else None
        frame.paste(*box[:2], picture)
        if hidden and before:
            frame.blend(box, before, hidden.over(box))

    @torch.inference_mode()
    def _speak(self, numbers: np.ndarray, frames: Sequence[Frame], left: np.ndarray) -> np.ndarray:
        """The patches of the output frames ``numbers``, (n, h, w, 3) uint8 RGB; left (n,) 0..1: of the effect."""
        sources = self._plan[numbers]
        rgb = np.stack([frame.rgb(self._patches.box(int(n))) for frame, n in zip(frames, sources, strict=True)])
        patches = self._place.take(torch.from_numpy(rgb).permute(0, 3, 1, 2)) / 255
        maps = torch.as_tensor(self._patches.maps(self._crops, sources), dtype=torch.float32)
        view = View(maps.to(self._place.device), self._shrink)
        seen = view.cut(patches, self._crops.side)
        made = self._predict(numbers, seen)
        points = [self._crops.into(int(n), self._avatar.landmarks[n, :, :2].astype(np.float64)) for n in sources]
        drawn = masks(np.stack(points), self._region, left)
        result = compose(patches, seen, made, view, self._place.take(drawn.face), self._place.take(drawn.lips))
        return (result.permute(0, 2, 3, 1) * 255).round().byte().cpu().numpy()

    def report(self) -> dict[str, float]:
        """What the engine knows (``known``)."""
        return self.known

    def close(self) -> None:
        """Leaves what it holds. The network stays with its engine."""
        self._held.close()
