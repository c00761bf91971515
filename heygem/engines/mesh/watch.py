"""What renderers know of each output frame before they change it: what stays on top, and how much effect is left."""

from __future__ import annotations

import numpy as np

from heygem.engines.mesh.cover import Cover, Hidden
from heygem.faces.avatar import Avatar
from heygem.media.frame import Frame


class Watch:
    """Follows what stands before the face of one person through the frames of a take, in order. Frames that come again
    because memory was too small are not looked at again."""

    def __init__(self, avatar: Avatar, plan: np.ndarray, cover: Cover) -> None:
        """plan (T,): the source frame under each output frame."""
        self._avatar, self._plan, self._cover = avatar, plan, cover
        self._looks: dict[int, tuple[Hidden | None, float]] = {}

    def look(self, t: int, frame: Frame) -> tuple[Hidden | None, float]:
        """What stays on top in output frame ``t``; how much of the effect is left, 0..1."""
        if t not in self._looks:
            source = int(self._plan[t])
            weight = float(self._avatar.weight[source])
            hidden, left = self._cover.look(frame, source) if weight > 0 else (None, 0.0)
            self._looks[t] = hidden, weight * left
        return self._looks[t]

    def forget(self, start: int, stop: int) -> None:
        """These frames are made and never come again."""
        for t in range(start, stop):
            del self._looks[t]
