"""The people who speak in one take: each with a face, a sound and a renderer of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from heygem.engines.base import Renderer
from heygem.faces.avatar import Avatar
from heygem.media.frame import Frame
from heygem.media.sound import Sound
from heygem.quality.score import Render, Sharpness, facts


@dataclass(frozen=True)
class Speaker:
    """One of them. ``plan`` (T,): the source frame under each output frame."""

    avatar: Avatar
    sound: Sound
    renderer: Renderer
    plan: np.ndarray
    sharpness: Sharpness = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sharpness", Sharpness(self.avatar, self.plan))

    def known(self) -> dict[str, float]:
        """What is known of the result, once it is made (``heygem.quality.score``)."""
        found = facts(self.avatar, self.plan, self.sound.samples)
        return {**found, **self.sharpness.found(), **self.renderer.report()}


def in_turn(speakers: Sequence[Speaker]) -> Render:
    """All speakers on the same frames, one after the other: where two faces touch, the second sees the first change."""
    watched = [speaker.sharpness.watch(speaker.renderer.render) for speaker in speakers]

    def render(start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
        for one in watched:
            frames = one(start, frames)
        return frames

    return render
