"""Speaking for those who wait in front of a server: few at once, and none for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import BoundedSemaphore

from heygem.errors import Cancelled, SayBusy, SayFailed
from heygem.say import Spoken, check, say
from heygem.settings import Settings

MOST = 2
"""Texts that are spoken at a time in this process."""
SECONDS = 300.0
"""The longest that one may take."""
_places = BoundedSemaphore(MOST)


def in_turn(
    text: str, out: Path, voice: str, speed: float, settings: Settings, stopped: Callable[[], bool] = lambda: False
) -> Spoken:
    """``say`` at once, or SayBusy. stopped: nobody waits any more (Cancelled)."""
    check(text, voice, speed, settings)
    end = time.monotonic() + SECONDS

    def tick(*_: object) -> None:
        if stopped():
            raise Cancelled()
        if time.monotonic() > end:
            raise SayFailed(service=voice.partition(":")[0] or "espeak", reason="it took too long")

    if not _places.acquire(blocking=False):
        raise SayBusy(most=MOST)
    try:
        return say(text, out, voice, speed, tick, settings)
    finally:
        _places.release()
