"""Wav2Lip (Prajwal et al. 2020) and its larger kin, with the user's own weights: the fast engine among the networks.

The network sees a square of 96, 256 or 288 px and fills in its lower half. What its authors' own program pastes as a
rectangle, we add as a change with a soft edge (``heygem.engines.neural``); ``exact`` renders as their program does.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from heygem.engines.base import Renderer, Style
from heygem.engines.neural.engine import NeuralEngine
from heygem.engines.wav2lip.mel import LIMIT, PER_SECOND, Windows, mel, windows
from heygem.faces.avatar import Avatar
from heygem.media.sound import Sound
from heygem.speech.features import ROWS
from heygem.speech.motion import analyser, hear
from heygem.speech.voice import speaking, voice_at
from heygem.tick import Tick, silent

if TYPE_CHECKING:
    from torch import Tensor

    from heygem.engines.nets.wav2lip import Wav2Lip
    from heygem.engines.neural.place import Place

HEARD = 1
"""Version of what is kept of a sound."""
BELOW = 0.05
"""Of the height of the face, what the square holds below the chin: 10 px of 200 in the authors' program."""
BYTES = 1_000
"""Of GPU memory for each pixel of the square: the widest layers in half precision, and what the decoder is given of the
encoder."""
SMALL = 96
"""Side of the faces whose network takes no longer than decoder and encoder."""
BATCH, MOST = 8, 16
"""Frames at once on the processor; at most on a GPU."""


@dataclass(frozen=True)
class Heard:
    """What one take hears. mel (80, T): bands of the sound; voice (V,) 0..1, 100 a second: does somebody speak."""

    mel: np.ndarray
    voice: np.ndarray
    fps: Fraction
    frames: int

    @property
    def speaking(self) -> float:
        """The share of the frames with a voice."""
        return speaking(self.voice, self.fps, self.frames)

    def windows(self, gated: bool) -> Windows:
        """The sound of each frame. gated: where nobody speaks, the network hears silence: noise opens no mouth."""
        if not gated:
            return windows(self.mel, self.fps, self.frames)
        times = np.arange(self.mel.shape[1]) * (ROWS / PER_SECOND)
        return windows((self.mel + LIMIT) * voice_at(self.voice, times) - LIMIT, self.fps, self.frames)


class Wav2LipEngine(NeuralEngine):
    def __init__(self, name: str) -> None:
        super().__init__(name, BATCH)

    def warm(self) -> None:
        """Loads the network."""
        self._network(exact=False)

    def listen(self, sound: Sound, fps: Fraction, frames: int, tick: Tick = silent) -> Heard:
        """What is heard in each frame."""

        def beat() -> None:
            tick("listen", 0, 1)

        heard = sound.once(analyser(), lambda: hear(sound.samples, beat), beat)
        found = sound.once(f"wav2lip-{HEARD}", lambda: {"mel": mel(sound.samples)}, beat)
        return Heard(found["mel"], heard["voice"], fps, frames)

    def begin(self, avatar: Avatar, speech: Heard, plan: np.ndarray, style: Style, tick: Tick = silent) -> Renderer:
        from heygem.engines.neural.crop import Crops
        from heygem.engines.neural.place import Steady, spare_cores
        from heygem.engines.neural.render import CropRenderer, Shot
        from heygem.engines.wav2lip.exact import ExactRenderer
        from heygem.engines.wav2lip.voice import Voice, half_hidden

        net, place = self._network(style.exact)
        if style.exact:
            return ExactRenderer(avatar, plan, net, place, speech.windows(gated=False))
        crops = Crops.of(avatar.landmarks, face_boxes, net.side)
        most = place.batch(BYTES * net.side**2 + crops.bytes(plan), BATCH, MOST)
        self.batch = most * place.ahead
        voice = Voice(net, place, speech.windows(gated=True), style)
        faces = Steady(net.face, place, most)

        def predict(numbers: np.ndarray, seen: Tensor) -> Tensor:
            return faces(half_hidden(seen.flip(1)), voice.of(numbers)).flip(1)  # it knows blue, green, red

        renderer = CropRenderer(Shot(avatar, plan, style, tick), place, crops, predict, most)
        if net.side == SMALL:
            renderer.hold(spare_cores())
        renderer.known = {"speaking": speech.speaking}
        return renderer

    def _network(self, exact: bool) -> tuple[Wav2Lip, Place]:
        from heygem.engines.nets.wav2lip import Wav2Lip

        place = self._place(exact)

        def load() -> Wav2Lip:
            return place.hold(Wav2Lip.of(self._state(self.name), self.name).fused())

        return self._part("net", place, load), place


def face_boxes(points: np.ndarray) -> np.ndarray:
    """(n, 4) px: x0, y0, x1, y1 of upright faces (n, 468, 2), from the hair line to below the chin."""
    low, high = points.min(axis=1), points.max(axis=1)
    high[:, 1] += BELOW * (high - low)[:, 1]
    return np.concatenate([low, high], axis=1)
