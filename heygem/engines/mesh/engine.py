"""The default engine: the person's own mouth pictures, bent by a dense face mesh, driven by our speech model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from heygem.cache import Arrays
from heygem.engines.base import Style
from heygem.engines.mesh.alive import Alive
from heygem.engines.mesh.cover import Cover
from heygem.engines.mesh.interior import Interior, Light
from heygem.engines.mesh.looks import looks
from heygem.engines.mesh.person import study
from heygem.engines.mesh.pixels import Pixels, Processor
from heygem.engines.mesh.render import FaceBender, Mouth
from heygem.engines.mesh.retarget import smooth, target_shapes
from heygem.engines.mesh.select import Pictures, Wanted, crossfades, lips_of, select
from heygem.engines.mesh.smile import Smile
from heygem.engines.mesh.watch import Watch
from heygem.faces.avatar import Avatar
from heygem.media.frame import Frame
from heygem.media.sound import Sound
from heygem.speech.motion import Motion, analyser, hear, mouth_basis, timed, warm
from heygem.tick import Tick, silent

LEARNED = 2
"""Version of what is learned of a person: a change makes all that is kept of it stale."""
BATCH, MOST = 4, 16
"""Frames at once on the processor; on a GPU, which is at work on all of them before the first one is waited for."""
_CHUNK = 256  # shapes made at once: memory stays flat in the length of the sound


class MeshRenderer:
    def __init__(
        self,
        avatar: Avatar,
        motion: Motion,
        plan: np.ndarray,
        style: Style,
        tick: Tick = silent,
        pixels: Pixels | None = None,
    ) -> None:
        """pixels: who computes them (default: the processor)."""
        self._avatar, self._plan = avatar, plan
        self._basis = mouth_basis()
        self._person = study(avatar, self._basis)
        self._speaking = float(np.mean(motion.voice > 0.5))
        self._motion, self._strength = smooth(motion, self._basis, style.smoothness, float(avatar.fps)), style.strength

        def beat() -> None:
            tick("render", 0, len(plan))

        cover, hidden = Cover.of(avatar, self._person, beat)
        self._watch, pixels = Watch(avatar, plan, cover), pixels or Processor()
        pictures, wanted = self._pictures(avatar.once(f"mesh{LEARNED}", self._learn, beat), hidden), self._wanted()
        self._choice = select(pictures, wanted, beat)
        self._before, self._share = crossfades(pictures, wanted, self._choice, float(avatar.fps))
        self._misfit = float(np.sqrt(np.mean((pictures.lips[self._choice] - wanted.lips) ** 2)))
        smile = Smile(self._person.closed, style.smile if avatar.still else 0.0, style.region)
        self._bender = FaceBender(self._person, Interior(Light.of(avatar), pixels), pixels, style.region, smile)
        self._alive = Alive(avatar, motion, self._basis, style) if avatar.still else None

    def _shapes(self, start: int, stop: int) -> np.ndarray:
        part = Motion(self._motion.rows[start:stop], self._motion.voice[start:stop])
        return target_shapes(part, self._basis, self._person, self._strength)

    def _learn(self) -> Arrays:
        """How the mouth pictures look."""
        skin, inside = looks(self._avatar.mouths, self._person)
        return {"skin": skin, "inside": inside}

    def _pictures(self, known: Arrays, hidden: np.ndarray) -> Pictures:
        person, frames = self._person, self._avatar.mouths.frames
        own = lips_of(person.shapes(frames[k : k + _CHUNK]) for k in range(0, len(frames), _CHUNK))
        lost = np.maximum(1 - self._avatar.weight[frames], hidden)
        return Pictures(frames, *own, person.pose.rotation[frames, :, 2], known["skin"], known["inside"], lost)

    def _wanted(self) -> Wanted:
        plan = self._plan
        lips = lips_of(self._shapes(t, t + _CHUNK) for t in range(0, len(plan), _CHUNK))
        shot = np.searchsorted(np.flatnonzero(self._avatar.cuts), plan, side="right")
        fresh = (np.diff(shot, prepend=-1) != 0) | (np.abs(np.diff(plan, prepend=plan[:1])) > 1)
        return Wanted(*lips, self._person.pose.rotation[plan, :, 2], fresh)

    def render(self, start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
        shapes = self._shapes(start, start + len(frames))
        bent: list[tuple[int, Frame, Callable[[], None]]] = []
        for t, (frame, shape) in enumerate(zip(frames, shapes, strict=True), start):
            hidden, effect = self._watch.look(t, frame)
            if effect > 0:
                change = self._bender.bend(frame, int(self._plan[t]), shape, effect, self._mouths(t), hidden)
                bent.append((t, frame, change))
        for t, frame, change in bent:
            change()
            if self._alive:
                self._alive.move(frame, t)
        self._watch.forget(start, start + len(frames))
        return frames

    def _mouths(self, t: int) -> list[tuple[Mouth, float]]:
        """The chosen picture, shortly after a jump together with the one before; each with its share."""
        share = float(self._share[t])
        chosen = [(self._mouth(int(self._choice[t])), share)]
        return chosen if share == 1 else [*chosen, (self._mouth(int(self._before[t])), 1 - share)]

    def _mouth(self, k: int) -> Mouth:
        mouths = self._avatar.mouths
        source = int(mouths.frames[k])
        return Mouth(mouths.picture(k), mouths.boxes[k][:2], source, self._person.shapes([source])[0])

    def report(self) -> dict[str, float]:
        """Share of frames with a voice, and of those rendered with an inside of the mouth that had to be drawn;
        distance of the chosen pictures from the shapes that the voice asks for (root-mean-square, canonical)."""
        return {"speaking": self._speaking, "drawn": self._bender.drawn, "misfit": self._misfit}

    def close(self) -> None:
        """Holds nothing that outlives it."""


class MeshEngine:
    version = "1"

    def __init__(self, name: str = "mesh") -> None:
        self.name, self.batch = name, BATCH

    def warm(self) -> None:
        """Loads the speech model."""
        warm()

    def listen(self, sound: Sound, fps: Fraction, frames: int, tick: Tick = silent) -> Motion:
        """What the voice asks of an average mouth."""

        def beat() -> None:
            tick("listen", 0, 1)

        heard = sound.once(analyser(), lambda: hear(sound.samples, beat), beat)
        return timed(**heard, fps=fps, frames=frames)

    def begin(
        self, avatar: Avatar, speech: Motion, plan: np.ndarray, style: Style, tick: Tick = silent
    ) -> MeshRenderer:
        if style.device != "cuda":
            self.batch = BATCH
            return MeshRenderer(avatar, speech, plan, style, tick)
        from heygem.engines.mesh.graphics import Graphics
        from heygem.engines.neural.place import place

        self.batch = MOST
        return MeshRenderer(avatar, speech, plan, style, tick, Graphics(place("cuda", self.name, exact=True)))

    def device(self, style: Style) -> str:
        """The processor, unless a GPU is asked for: nobody measured yet that one pays for so little work."""
        if style.device != "cuda":
            return "CPU"
        from heygem.engines.neural.place import place

        return place("cuda", self.name, exact=True).name
