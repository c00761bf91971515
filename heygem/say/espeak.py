"""The offline voices: espeak-ng, which comes with the library espeakng-loader, run as a program of its own."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from loguru import logger

from heygem.errors import SayFailed, TextUnreadable, ToolMissing, VoiceUnknown
from heygem.say import chinese
from heygem.say.base import STAGE, Voice
from heygem.say.espeak_child import DISK
from heygem.say.text import HAN, KANA, unreadable
from heygem.say.tongue import UNKNOWN, language_of
from heygem.tick import Tick

NAME = "espeak"
WOMAN = "f3"
"""The variant that speaks as a woman; without one it is a man."""
_CHILD = Path(__file__).with_name("espeak_child.py")
_KEPT = ("LD_LIBRARY_PATH", "SYSTEMROOT")
"""Of the environment: without these Python does not start on some machines. No token or password is among them."""
_SECONDS, _PER_SIGN, _INTERVAL = 30.0, 0.02, 0.05
_LONGEST = 4096  # bytes of a complaint that are kept

_WORDS_A_MINUTE = 175
_FASTER = {"cmn": 200}
"""Voice -> words a minute, where that is how people speak: Mandarin has about 4.3 syllables a second then."""
_SLOWEST, _FASTEST = 80, 450  # what the library takes
_HAN, _KANA = ("cmn", "yue"), ("ja",)
"""Beginnings of the voices that know these signs."""
_PREFERRED = {"zh": "cmn", "en": "en-us", UNKNOWN: "en-us"}
"""Language -> its voice, where the list of voices leaves a choice."""


@dataclass(frozen=True)
class _Table:
    """voices: name -> (identifier, title, how little it is meant for each of its languages)."""

    voices: dict[str, tuple[str, str, dict[str, int]]]
    variants: frozenset[str]


class Espeak:
    """Names of voices: a language ("cmn", "en-us"), and behind a plus who speaks ("f3"). Raises ToolMissing."""

    name = NAME

    def voices(self) -> list[Voice]:
        """Of each language a man and a woman."""
        found = []
        for name, (_, title, _) in _table().voices.items():
            found.append(Voice(f"{NAME}:{name}", name, title, NAME))
            found.append(Voice(f"{NAME}:{name}+{WOMAN}", name, f"{title}, woman", NAME))
        return found

    def check(self, text: str, voice: str) -> None:
        language, _, variant = voice.partition("+")
        table = _table()
        if language not in table.voices or (variant and variant not in table.variants):
            raise VoiceUnknown(voice=f"{NAME}:{voice}")
        if signs := unreadable(text, han=language.startswith(_HAN), kana=language.startswith(_KANA)):
            raise TextUnreadable(voice=f"{NAME}:{voice}", signs=signs)

    def say(self, text: str, out: Path, voice: str, speed: float, tick: Tick) -> None:
        language, _, variant = voice.partition("+")
        rate = round(_FASTER.get(language, _WORDS_A_MINUTE) * speed)
        mandarin = language.startswith("cmn")
        said = chinese.said(text) if language.startswith(_HAN) else text
        asked = {
            "text": chinese.sounded(said) if mandarin else said,
            "voice": _table().voices[language][0] + (f"+{variant}" if variant else ""),
            "rate": min(max(rate, _SLOWEST), _FASTEST),
            "phonemes": mandarin,
        }
        with out.open("wb") as file:
            _run(asked, file, lambda: tick(STAGE, 0, 1))
        tick(STAGE, 1, 1)


def voice_for(text: str) -> str:
    """The voice of the language of the text, "espeak:cmn". Raises VoiceUnknown where there is none."""
    code = language_of(text).code
    if code != "yue" and re.search(f"[{HAN}]", text) and not re.search(f"[{KANA}]", text):
        code = "zh"  # the only one that reads these signs, and it reads words in Latin letters too
    wanted = _PREFERRED.get(code, code)
    meant = {name: orders[wanted] for name, (_, _, orders) in _table().voices.items() if wanted in orders}
    if not meant:
        raise VoiceUnknown(voice=f"{NAME}:{code}")
    return f"{NAME}:{min(meant, key=lambda name: (meant[name], name != wanted))}"


@lru_cache
def _table() -> _Table:
    with TemporaryFile() as file:
        _run({}, file, lambda: None)
        file.seek(0)
        found = json.load(file)
    voices: dict[str, tuple[str, str, dict[str, int]]] = {}
    for identifier, title, languages in found["voices"]:
        name = languages[0][1]
        if name in voices:  # two ways of writing one language
            name = identifier.rpartition("/")[2].lower()
        voices[name] = identifier, title, {language: order for order, language in languages}
    return _Table(voices, frozenset(found["variants"]))


def _run(asked: dict[str, Any], out: IO[bytes], beat: Callable[[], None]) -> None:
    """Writes what the child answers to the file ``out``. Raises ToolMissing, SayFailed, OSError for a full disk."""
    library = find_spec("espeakng_loader")
    if library is None or library.origin is None:
        raise ToolMissing(tool="espeakng-loader")
    with TemporaryFile() as question, TemporaryFile() as complaint:
        question.write(json.dumps(asked).encode())
        question.seek(0)
        try:
            child = subprocess.Popen(
                [sys.executable, "-I", str(_CHILD), str(Path(library.origin).parents[1])],
                stdin=question,
                stdout=out,
                stderr=complaint,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                start_new_session=True,
            )
        except OSError as error:
            logger.warning("the speech program does not start: {}", error)
            raise SayFailed(service=NAME, reason="the speech program could not start") from error
        _wait(child, _SECONDS + _PER_SIGN * len(asked.get("text", "")), beat)
        if child.returncode == DISK:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if child.returncode:
            complaint.seek(0)
            words = complaint.read(_LONGEST).decode("utf-8", "replace")
            logger.warning("the speech program ended with {}: {}", child.returncode, words)
            raise SayFailed(service=NAME, reason="the speech program ended unexpectedly")


def _wait(child: subprocess.Popen[bytes], seconds: float, beat: Callable[[], None]) -> None:
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            beat()
            with suppress(subprocess.TimeoutExpired):
                child.wait(_INTERVAL)
                return
        raise SayFailed(service=NAME, reason="it took too long")
    finally:
        child.kill()
        child.wait()
