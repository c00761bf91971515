"""Texts as speech, and the language of a text.

``espeak``: the offline voices, always there; ``service``: a speech service over HTTP, where the settings name one;
``tongue``: which language a text is in.
"""

from __future__ import annotations

import os
import wave
from pathlib import Path
from typing import TYPE_CHECKING

from heygem.errors import OptionInvalid, SayFailed, VoiceUnknown
from heygem.say.base import Service, Spoken, Voice
from heygem.say.text import clean
from heygem.say.tongue import Language, language_of
from heygem.tick import Tick, silent

if TYPE_CHECKING:
    from heygem.settings import Settings

__all__ = ["SPEEDS", "Language", "Spoken", "Voice", "check", "language_of", "say", "voices"]

SPEEDS = (0.5, 2.0)
"""The slowest and the fastest; 1 is how people speak."""
_SHORTEST = 0.1  # seconds of sound


def voices(settings: Settings | None = None) -> list[Voice]:
    """All that can speak here: those of the service, where one is set, and the offline ones. Raises ToolMissing."""
    return [voice for service in reversed(_services(settings)) for voice in service.voices()]


def check(text: str, voice: str = "", speed: float = 1.0, settings: Settings | None = None) -> str:
    """The name of the voice that would speak; raises, before any work, what ``say`` raises about its arguments."""
    words = clean(text)
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise OptionInvalid(option="speed", value=speed, allowed="0.5 to 2")
    name = voice or _automatic(words)
    _service(name, settings).check(words, name.partition(":")[2])
    return name


def say(
    text: str,
    out: Path,
    voice: str = "",
    speed: float = 1.0,
    tick: Tick = silent,
    settings: Settings | None = None,
) -> Spoken:
    """Speaks a text into the WAV file ``out``, which is whole or not there.

    voice: a name from ``voices``; "" is the offline voice of the language of the text. settings: of this server; None
    reads them. Raises TextEmpty, TextTooLong, TextUnreadable, VoiceUnknown, OptionInvalid, OutputError, ToolMissing,
    and, after trying, SayFailed.
    """
    from heygem.media.target import check_target, disk_errors

    out = Path(out)
    name = check(text, voice, speed, settings)
    check_target(out, [], (".wav",))
    service = _service(name, settings)
    part = out.with_name(f"{out.name}.part")
    try:
        with disk_errors(out):
            service.say(clean(text), part, name.partition(":")[2], speed, tick)
            seconds = _seconds(part)
            if seconds < _SHORTEST:
                raise SayFailed(service=service.name, reason="the voice made no sound")
            part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return Spoken(out, seconds, name, service.name)


def _services(settings: Settings | None) -> list[Service]:
    from heygem import settings as configuration
    from heygem.say.espeak import Espeak

    settings = settings or configuration.load()
    if not settings.tts_url:
        return [Espeak()]
    from heygem.say.service import Speech

    return [Espeak(), Speech(settings)]


def _service(voice: str, settings: Settings | None) -> Service:
    kind = voice.partition(":")[0]
    for service in _services(settings):
        if service.name == kind:
            return service
    raise VoiceUnknown(voice=voice[:100])


def _automatic(text: str) -> str:
    from heygem.say.espeak import voice_for

    return voice_for(text)


def _seconds(file: Path) -> float:
    try:
        with wave.open(os.fspath(file), "rb") as sound:
            return round(sound.getnframes() / sound.getframerate(), 3)
    except (EOFError, wave.Error):
        return 0.0
