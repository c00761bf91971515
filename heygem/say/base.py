"""What all who speak have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from heygem.tick import Tick

STAGE = "say"
"""The stage that the ticks of speaking name."""


@dataclass(frozen=True)
class Voice:
    """Somebody who can speak. name: "espeak:cmn", what ``say`` takes; language: as its service names it, "" for any."""

    name: str
    language: str
    title: str
    service: str


@dataclass(frozen=True)
class Spoken:
    """A text as sound: a WAV file, 16 bit, mono. voice: the name of who spoke it."""

    path: Path
    seconds: float
    voice: str
    service: str


class Service(Protocol):
    """Something that speaks. ``voice`` is what stands behind the colon in the name of a Voice."""

    name: str

    def voices(self) -> list[Voice]: ...

    def check(self, text: str, voice: str) -> None:
        """Raises what can be known before the work: VoiceUnknown, TextUnreadable, ToolMissing."""

    def say(self, text: str, out: Path, voice: str, speed: float, tick: Tick) -> None:
        """Writes the WAV file ``out``; a failed one may leave a part of it. Raises SayFailed, OSError (disk)."""
