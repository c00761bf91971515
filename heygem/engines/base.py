"""The Engine contract: frames, a face and a voice in; frames that speak out.

It suits engines that bend pictures (``mesh``) as well as networks that crop, infer and paste: the pipeline hands over
frames in batches and never looks inside ``Speech``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from heygem.errors import OptionInvalid
from heygem.faces.avatar import Avatar
from heygem.media.frame import Frame
from heygem.media.probe import VideoInfo
from heygem.media.sound import Sound
from heygem.tick import Tick, silent

Speech = Any
"""What an engine heard: one row per output frame, in the engine's own form. The pipeline only passes it on."""


REGIONS = ("jaw", "mouth")


@dataclass(frozen=True)
class Style:
    """How the mouth speaks, and how a still photo lives.

    strength: 0 keeps the mouth closed, 1 as the voice asks, 2 twice as wide.
    smoothness: 0 follows every sound, 1 is calm.
    blinks, sway: how often the eyes of a photo blink, how far its head moves; 0 never, 1 as people do, 2 twice that.
    nod: how deep the head of a photo nods where the voice stresses; 0 not at all, 1 as calm speakers do, 2 twice that.
    smile: how much a photo smiles; 0 as it is, 1 a clear, friendly smile.
    Videos live by themselves: there these four do nothing.
    region: "jaw" moves the whole lower face, "mouth" only the lips and the skin around them: chin and jaw line stay.
    exact: engines with a network render as its authors' own program does, faults included: to compare.
    device: "auto", "cpu" or "cuda"; asking for a device that is not there is an error, never a silent fall to CPU.
    """

    strength: float = 1.0
    smoothness: float = 0.3
    blinks: float = 1.0
    sway: float = 1.0
    nod: float = 0.0
    smile: float = 0.0
    region: str = "jaw"
    device: str = "auto"
    exact: bool = False

    def __post_init__(self) -> None:
        for option in ("strength", "blinks", "sway", "nod"):
            if not 0 <= getattr(self, option) <= 2:
                raise OptionInvalid(option=option, value=getattr(self, option), allowed="a number from 0 to 2")
        for option in ("smoothness", "smile"):
            if not 0 <= getattr(self, option) <= 1:
                raise OptionInvalid(option=option, value=getattr(self, option), allowed="a number from 0 to 1")
        if self.region not in REGIONS:
            raise OptionInvalid(option="region", value=self.region, allowed=", ".join(REGIONS))
        if self.device not in ("auto", "cpu", "cuda"):
            raise OptionInvalid(option="device", value=self.device, allowed="auto, cpu or cuda")


class Renderer(Protocol):
    """Renders the frames of one take, in order."""

    def render(self, start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
        """Frames ``start``, ``start + 1`` … of the output, changed in place or new, as many as came in.

        Raises OutOfMemory (or torch's own error) where the memory of the device is too small for so many at once: no
        frame is changed and nothing is remembered then, and the same frames come again, fewer at a time.
        """
        ...

    def report(self) -> dict[str, float]:
        """What the renderer knows of the worth of the frames so far, by the names of ``heygem.quality.score``."""
        ...

    def close(self) -> None:
        """Frees what the renderer holds. Safe to call twice."""
        ...


class Engine(Protocol):
    """Turns a voice and an avatar into a renderer. Stateless between takes except for loaded weights.

    It is made from its name in the table: engines that differ in their weights alone share a class.
    """

    name: str
    version: str
    batch: int

    def warm(self) -> None:
        """Loads libraries and weights, so that the next call does not wait for them. May run in another thread."""
        ...

    def listen(self, sound: Sound, fps: Fraction, frames: int, tick: Tick = silent) -> Speech:
        """What the mouth has to do in each of ``frames`` frames. Depends on the sound alone.

        What takes time goes through ``sound.once``: takes with the same sound share it. ``tick("listen", done, total)``
        is called all the while.
        """
        ...

    def begin(self, avatar: Avatar, speech: Speech, plan: np.ndarray, style: Style, tick: Tick = silent) -> Renderer:
        """A renderer. ``plan[t]`` (int64, (T,)) is the source frame under output frame ``t``. Where that takes time,
        ``tick("render", 0, T)`` is called all the while."""
        ...

    def device(self, style: Style) -> str:
        """The device that this engine would use for ``style``, in words. Raises EngineUnavailable."""
        ...


@dataclass(frozen=True)
class Script:
    """What a studio is asked for: one person, one voice. seconds: length of the sound. frames: of the take, at the rate
    of the video. asked: option -> value where the user chose another one than the default, those of the style among
    them (flat names)."""

    video: Path
    sound: Path
    seconds: float
    frames: int
    asked: Mapping[str, object]


@dataclass(frozen=True)
class Made:
    """What came out of a studio. picture and frames as they were measured in the file; stages: seconds per stage."""

    picture: VideoInfo
    frames: int
    stages: dict[str, float]
    warnings: list[str]


@runtime_checkable
class Studio(Protocol):
    """An engine that makes whole takes from files, elsewhere: no frame passes through here, no avatar is prepared."""

    name: str

    def warm(self) -> None:
        """As that of an engine."""
        ...

    def device(self, style: Style) -> str:
        """Where the work is done, in words. Raises what keeps it from being done at all."""
        ...

    def make(self, script: Script, out: Path, tick: Tick = silent) -> Made:
        """Writes ``out`` (MP4 with sound), whole or not at all: also where ``tick`` raises, nothing is left behind.

        ``tick`` is called several times a second, whatever the other side does.
        """
        ...
