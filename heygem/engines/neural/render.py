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
from heygem.engines.mesh.watch import Watch
from heygem.engines.neural import planes
from heygem.engines.neural.compose import View, compose
from heygem.engines.neural.crop import Crops, Patches
from heygem.engines.neural.mask import masks
from heygem.engines.neural.place import Later, Place
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


@dataclass(frozen=True, eq=False)
class _Face:
    """A face to be changed in output frame ``number``: its patch lies in ``box``, and ``hidden`` stays on top of it."""

    number: int
    frame: Frame
    box: Box
    hidden: Hidden | None

    def lay(self, made: Frame) -> None:
        """Puts the patch ``made`` into the frame."""
        before = self.frame.cut(self.box) if self.hidden else None
        self.frame.put(*self.box[:2], made)
        if self.hidden and before:
            self.frame.blend(self.box, before, self.hidden.over(self.box))


class CropRenderer:
    """Renders a shot with ``predict``, ``most`` frames at once. ``crops``: where its squares lie in the frames."""

    def __init__(self, shot: Shot, place: Place, crops: Crops, predict: Predict, most: int) -> None:
        avatar, plan = shot.avatar, shot.plan
        self._avatar, self._plan, self._region = avatar, plan, shot.style.region
        self._place, self._crops, self._predict, self._most = place, crops, predict, most
        shown = np.unique(plan)
        self._patches = Patches.round(crops, shown, (avatar.width, avatar.height))
        self._shrink = crops.shrink(shown)
        person = study(avatar, mouth_basis())
        self._beat: Callable[[int], None] = lambda done: shot.tick("render", done, len(plan))
        cover, _ = Cover.of(avatar, person, lambda: self._beat(0))
        self._watch = Watch(avatar, plan, cover)
        self.known: dict[str, float] = {}
        self._held = ExitStack()

    def hold(self, context: AbstractContextManager[object]) -> None:
        """Enters ``context`` until the renderer is closed."""
        self._held.enter_context(context)

    def render(self, start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
        parts = range(0, len(frames), self._most)
        sent = [self._send(start + k, frames[k : k + self._most]) for k in parts]  # a GPU may be at work on all of them
        for faces, made in sent:  # from here on nothing can fail; but somebody may cancel
            for face, data in zip(faces, made(), strict=True):
                face.lay(Frame(data))
            self._beat(start)
        self._watch.forget(start, start + len(frames))
        return frames

    def _send(self, start: int, frames: Sequence[Frame]) -> tuple[list[_Face], Later]:
        """Has the network at work on some frames: their faces, and what will come of them (n, 3 h / 2, w) uint8."""
        faces, left = [], []
        for t, frame in enumerate(frames, start):
            hidden, share = self._watch.look(t, frame)
            if share > 0:
                faces.append(_Face(t, frame, self._patches.box(int(self._plan[t])), hidden))
                left.append(share)
        return faces, self._speak(faces, np.array(left, np.float32)) if faces else lambda: np.zeros((0, 0, 0), np.uint8)

    @torch.inference_mode()
    def _speak(self, faces: Sequence[_Face], left: np.ndarray) -> Later:
        """The data of the patches of n faces, with other mouths; left (n,) 0..1: of the effect."""
        numbers, place = np.array([face.number for face in faces]), self._place
        sources = self._plan[numbers]
        data = place.take(np.stack([face.frame.cut(face.box).data for face in faces]))
        patches = planes.rgb(data)
        view = View(place.take(self._patches.maps(self._crops, sources).astype(np.float32)), self._shrink)
        seen = view.cut(patches, self._crops.side)
        made = self._predict(numbers, seen)
        points = [self._crops.into(int(n), self._avatar.landmarks[n, :, :2].astype(np.float64)) for n in sources]
        drawn = masks(np.stack(points), self._region, left)
        result = compose(patches, seen, made, view, place.take(drawn.face), place.take(drawn.lips))
        return place.give(planes.changed(data, result - patches))

    def report(self) -> dict[str, float]:
        """What the engine knows (``known``)."""
        return self.known

    def close(self) -> None:
        """Leaves what it holds. The network stays with its engine."""
        self._held.close()
