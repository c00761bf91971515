"""The people who speak in one take: each with a face, a sound and a renderer of their own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from heygem.engines.base import Renderer
from heygem.errors import OutOfMemory
from heygem.faces.avatar import Avatar
from heygem.media.frame import Frame
from heygem.media.sound import Sound
from heygem.quality.score import Render, Sharpness, facts


class Portions:
    """Gives a renderer as many frames at once as the memory of its device has room for.

    ``most``: how many that are, once it was too small; None while all go at once.
    """

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self.most: int | None = None

    def render(self, start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
        """As the renderer. Frames that are too many come again in halves; where one is, OutOfMemory is raised."""
        made: list[Frame] = []
        while len(made) < len(frames):
            portion = frames[len(made) :][: self.most]
            try:
                made += self._renderer.render(start + len(made), portion)
            except Exception as error:
                if not _is_out_of_memory(error):
                    raise
                if len(portion) == 1:
                    raise OutOfMemory from error
                self.most = len(portion) // 2
        return made


def _is_out_of_memory(error: Exception) -> bool:
    torch = sys.modules.get("torch")  # an engine that needs it has loaded it
    return isinstance(error, OutOfMemory) or (torch is not None and isinstance(error, torch.cuda.OutOfMemoryError))


def graphics_peak() -> float:
    """The most graphics memory that PyTorch of this process held since it was last asked, MiB; 0 without a GPU."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0.0
    peak = torch.cuda.max_memory_reserved() / 2**20
    torch.cuda.reset_peak_memory_stats()
    return round(peak, 1)


@dataclass(frozen=True)
class Speaker:
    """One of them. ``plan`` (T,): the source frame under each output frame."""

    avatar: Avatar
    sound: Sound
    renderer: Renderer
    plan: np.ndarray
    sharpness: Sharpness = field(init=False)
    portions: Portions = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sharpness", Sharpness(self.avatar, self.plan))
        object.__setattr__(self, "portions", Portions(self.renderer))

    def known(self) -> dict[str, float]:
        """What is known of the result, once it is made (``heygem.quality.score``)."""
        found = facts(self.avatar, self.plan, self.sound.samples)
        return {**found, **self.sharpness.found(), **self.renderer.report()}


def in_turn(speakers: Sequence[Speaker]) -> Render:
    """All speakers on the same frames, one after the other: where two faces touch, the second sees the first change."""
    watched = [speaker.sharpness.watch(speaker.portions.render) for speaker in speakers]

    def render(start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
        for one in watched:
            frames = one(start, frames)
        return frames

    return render
