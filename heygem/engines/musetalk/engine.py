"""MuseTalk (Zhang et al. 2024), versions 1.5 and 1.0, with the user's own weights: the finest mouth among the networks.

Its U-Net sees a square of 256 px, without the lower half and whole, and what Whisper hears, and paints the lower half
anew in one step. What its authors' own program pastes, we add as a change with a soft edge
(``heygem.engines.neural``); ``exact`` renders as their program does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from heygem.engines.base import Renderer, Style
from heygem.engines.musetalk.face import MARGIN, boxes
from heygem.engines.musetalk.heard import Heard
from heygem.engines.musetalk.sound import ROW, once, parts, silence
from heygem.engines.neural.engine import NeuralEngine
from heygem.faces.avatar import Avatar
from heygem.media.sound import Sound
from heygem.speech.motion import analyser, hear
from heygem.tick import Tick, silent

if TYPE_CHECKING:
    from torch import Tensor

    from heygem.engines.musetalk.painter import Painter
    from heygem.engines.nets.unet import UNet
    from heygem.engines.nets.whisper import Encoder
    from heygem.engines.neural.place import Place

HEARD, SEEN = 1, 1
"""Versions of what is kept of a sound and of a face."""
SIDE = 256
"""Of the square that the network sees, px."""
BYTES = 250 << 20
"""Of GPU memory for one frame: the widest layers of the decoder in half precision."""
BATCH, MOST = 4, 8
"""Frames at once on the processor; at most on a GPU."""


class MuseTalkEngine(NeuralEngine):
    def __init__(self, name: str) -> None:
        super().__init__(name, BATCH)
        self._first = name == "musetalk-1.0"

    def warm(self) -> None:
        """Loads the networks."""
        self._painter(self._place(), BATCH)

    def listen(self, sound: Sound, fps: Fraction, frames: int, tick: Tick = silent) -> Heard:
        """What is heard in each frame."""

        def beat() -> None:
            tick("listen", 0, 1)

        def rows() -> Iterator[np.ndarray]:
            yield silence(ears, self._first)
            yield from parts(sound.samples, ears, beat, self._first)

        voice = sound.once(analyser(), lambda: hear(sound.samples, beat), beat)["voice"]
        ears = self._ears(self._place())
        name = f"musetalk-{HEARD}-{self._sum('whisper-tiny')}{'-first' * self._first}"
        states = once(sound, name, ears.rows + len(sound.samples) // ROW, rows, beat)
        return Heard(states[ears.rows :], states[: ears.rows], voice, fps, frames, self._first)

    def begin(self, avatar: Avatar, speech: Heard, plan: np.ndarray, style: Style, tick: Tick = silent) -> Renderer:
        from heygem.engines.musetalk.exact import ExactRenderer
        from heygem.engines.musetalk.latents import Latents
        from heygem.engines.nets.parsing import BiSeNet
        from heygem.engines.neural.crop import Crops
        from heygem.engines.neural.render import CropRenderer, Shot

        place = self._place(style.exact)
        crops = Crops.of(avatar.landmarks, partial(boxes, margin=0 if self._first else MARGIN), SIDE)
        most = place.batch(BYTES + crops.bytes(plan), BATCH, MOST)
        self.batch = most if style.exact else most * place.ahead
        painter = self._painter(place, most)
        if style.exact:
            parser = self._part("parser", place, lambda: place.hold(BiSeNet.of(self._state("face-parsing"))))
            return ExactRenderer(avatar, plan, painter, parser, place, speech)
        latents = Latents(avatar, painter.latents, f"{self.name}-{SEEN}-{self._sum('sd-vae')}", place)

        def predict(numbers: np.ndarray, seen: Tensor) -> Tensor:
            heard = speech.styled(numbers, style.strength, style.smoothness)
            return painter.faces(latents.of(plan[numbers], seen), place.take(heard))

        renderer = CropRenderer(Shot(avatar, plan, style, tick), place, crops, predict, most)
        renderer.hold(closing(latents))
        renderer.known = {"speaking": speech.speaking}
        return renderer

    def _painter(self, place: Place, batch: int) -> Painter:
        from heygem.engines.musetalk.painter import Painter
        from heygem.engines.nets.unet import UNet
        from heygem.engines.nets.vae import Decoder, Encoder

        unet = self._part("unet", place, lambda: _rows(UNet.of(self._state(self.name), self.name), place))
        encoder = self._part("encoder", place, lambda: place.hold(Encoder.of(self._state("sd-vae"))))
        decoder = self._part("decoder", place, lambda: place.hold(Decoder.of(self._state("sd-vae"))))
        return Painter(unet, encoder, decoder, place, batch)

    def _ears(self, place: Place) -> Encoder:
        """Whisper's encoder, in single precision: it is asked once for 30 s."""
        from heygem.engines.nets.whisper import Encoder

        return self._part("ears", place, lambda: Encoder.of(self._state("whisper-tiny")).to(place.device).float())


def _rows(unet: UNet, place: Place) -> UNet:
    """The network at ``place``. On processors channels last cost it a quarter more time, unlike the others."""
    return place.hold(unet) if place.is_gpu else unet.to(place.dtype)
