"""Still photos come alive: blinks and a breath of head motion, the same in every take of the same photo and sound.

Blinks come 12 to 18 times a minute, irregularly, rather where a phrase ends. Lids fall in 90 ms and rise in 180 ms:
faster down than up, as VanderWerf et al. (2003) saw. The head wanders by about a degree, slower than two seconds, and
bobs a little with the voice. Where the voice stresses it may nod: down to the stressed syllable and up again, along the
path of least jerk (Flash and Hogan 1985).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from heygem.engines.base import Style
from heygem.engines.mesh.geometry import smoothstep
from heygem.engines.mesh.lids import Lids
from heygem.engines.mesh.sway import Sway
from heygem.faces.avatar import Avatar
from heygem.faces.shape import gap
from heygem.media.frame import Frame
from heygem.speech.motion import Motion, MouthBasis

FALL, SHUT, RISE = 0.09, 0.03, 0.18
"""Seconds in which the lids fall, stay down and rise again."""
LEAST, REST = 1.2, 1.6
"""Seconds: shortest pause between blinks; twice the second is added to it on average."""
TWICE, AGAIN = 0.06, 0.36
"""Share of the blinks that come twice, seconds to the second one."""
WAIT = 0.8
"""Seconds that a blink waits for the end of a phrase."""
TURNS = np.radians([0.8, 0.5, 0.35])
"""Root-mean-square of the wandering: yaw, pitch, roll."""
TIDES = np.array([0.071, 0.131, 0.233, 0.397])
"""Hz of what the wandering is made of: without a common period."""
BOB = np.radians(4.0)
"""Pitch for one canonical unit of stress."""
STRESS = (0.025, 0.085)
"""Stress, as ``_stress`` measures it, of the weakest syllable with a nod, and of one with the deepest nod."""
NODS = np.radians([3.0, 6.0])
"""Pitch of those two nods for ``Sway``, whose head is flatter than a real one: noses travel as at 2 and 4 degrees."""
DOWN, UP = 0.44, 0.7
"""Seconds that a nod takes to go down and up again."""
APART = 2.0
"""Seconds from nod to nod at least."""
BOW = 0.4
"""Canonical distance that the head sinks by with a radian of nodding: the neck bends too."""
BREATH, BREATHS = 0.006, 0.26
"""Lift of the head by breathing, canonical; Hz."""


class Alive:
    """The life of one photo in one take. ``move`` changes finished frames in place."""

    def __init__(self, avatar: Avatar, motion: Motion, basis: MouthBasis, style: Style) -> None:
        seed = np.random.default_rng(list(avatar.key.encode()))
        self._fps, self._style = float(avatar.fps), style
        self._phase = seed.uniform(0, 2 * np.pi, (3, len(TIDES)))
        stress = _stress((motion.rows - basis.rest) @ gap(basis.components) * motion.voice, self._fps)
        self._bobs = BOB * stress
        self._nods = style.nod * nods(stress, self._fps) if style.nod > 0 else np.zeros(len(stress))
        self._blinks = np.array(list(blinks(motion.voice, self._fps, style.blinks, seed)))
        self._landmarks, self._lids = avatar.landmarks[0], None
        self._sway = Sway(avatar)

    def move(self, frame: Frame, t: int) -> None:
        """Frame ``t`` of the take."""
        closed = float(closing(t / self._fps - self._blinks).max(initial=0))
        if closed > 0:
            self._lids = self._lids or Lids(self._landmarks, frame)
            self._lids.close(frame, closed)
        turn, lift = self.turn(t)
        if turn.any():
            self._sway.move(frame, turn, lift)

    def turn(self, t: int) -> tuple[np.ndarray, float]:
        """(3,) yaw, pitch, roll in radians and the lift of the head, canonical, in frame ``t``."""
        turn, lift = self._wander(t)
        nod = np.array([0.0, self._nods[t], 0.0])
        return self._style.sway * turn + nod, self._style.sway * lift + BOW * self._nods[t]

    def _wander(self, t: int) -> tuple[np.ndarray, float]:
        """The turn and lift of frame ``t`` at sway 1."""
        seconds = t / self._fps
        share = TIDES**-0.5 / np.sqrt((1 / TIDES).sum() / 2)
        turn = TURNS * (share * np.sin(2 * np.pi * TIDES * seconds + self._phase)).sum(axis=1)
        turn[1] += self._bobs[t]
        return turn, BREATH * np.sin(2 * np.pi * BREATHS * seconds + self._phase[0, 0])


def blinks(voice: np.ndarray, fps: float, rate: float, seed: np.random.Generator) -> Iterator[float]:
    """Seconds at which lids begin to fall. voice (T,) 0..1; rate: 1 as people do, 2 twice as often, 0 never."""
    ends = np.flatnonzero((voice[:-1] > 0.5) & (voice[1:] <= 0.5)) / fps
    now = seed.uniform(LEAST, LEAST + REST)
    while rate > 0 and now < len(voice) / fps:
        near = ends[(ends >= now) & (ends < now + WAIT)]
        now = float(near[0]) if len(near) else now
        yield now
        if seed.random() < TWICE:
            now += AGAIN
            yield now
        now += (LEAST + seed.gamma(2, REST)) / rate


def closing(since: np.ndarray) -> np.ndarray:
    """How far lids are closed, 0..1, so many seconds after they began to fall."""
    return np.minimum(smoothstep(since / FALL), smoothstep((FALL + SHUT + RISE - since) / RISE))


def nods(stress: np.ndarray, fps: float) -> np.ndarray:
    """(T,) pitch in radians: the strongest peaks of the stress (T,) get a nod each, stronger ones a deeper one. A take
    never begins in the middle of one."""
    from scipy.signal import find_peaks  # films do without

    before, after = int(DOWN * fps), int(UP * fps)
    peaks, found = find_peaks(stress[before:], height=STRESS[0], distance=APART * fps)
    depth = np.zeros(len(stress) + before)
    depth[before + peaks] = np.interp(found["peak_heights"], STRESS, NODS)
    since = np.arange(-before, after + 1) / fps
    return np.convolve(depth, least_jerk(1 + since / DOWN) * least_jerk(1 - since / UP))[before:][: len(stress)]


def least_jerk(x: np.ndarray) -> np.ndarray:
    """From 0 at 0 to 1 at 1, with no speed and no acceleration at both ends."""
    x = np.clip(x, 0.0, 1.0)
    return x**3 * (10 - 15 * x + 6 * x**2)


def _stress(opening: np.ndarray, fps: float) -> np.ndarray:
    """(T,) by how much the lips open further, over a syllable, than over the second around it; canonical. Stressed
    syllables open the jaw further than others, and in silence nothing opens."""
    from scipy.ndimage import gaussian_filter1d  # films do without

    return gaussian_filter1d(opening, 0.15 * fps) - gaussian_filter1d(opening, 1.0 * fps)
