"""A speech service over HTTP that speaks OpenAI's language: POST <address>/audio/speech, answered with sound.

Off unless HEYGEM_TTS_URL is set. Only that address is ever called: no redirect is followed and no proxy used. The key
is in one header and nowhere else.
"""

from __future__ import annotations

import time
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

import httpx
import numpy as np

from heygem import __version__
from heygem.errors import HeyGemError, SayFailed, VoiceUnknown
from heygem.media.container import best_stream, open_media
from heygem.media.probe import probe_sound
from heygem.media.sound import sound_blocks
from heygem.say.base import STAGE, Voice
from heygem.say.text import portions
from heygem.settings import Settings
from heygem.tick import Tick

NAME = "service"
LONGEST = 1500
"""Signs of one request; longer texts are divided between sentences."""
PAUSE = 0.15
"""Seconds between two portions."""
CONNECT, SILENCE, WHOLE = 10.0, 60.0, 180.0
"""Seconds for a connection, for each silence of the other side, and for a whole answer."""
LARGEST = 128 << 20
"""Bytes of one answer."""
WAITS = (1.0, 2.0, 4.0)
"""Seconds before each further try, where the service does not answer or takes nothing for now."""
_LONGEST_WAIT = 20.0
_STEP = 0.1  # seconds between two ticks
_RATES = 8000, 48000
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_REFUSALS = {
    **dict.fromkeys(range(300, 400), "it redirects to another address"),
    **dict.fromkeys((401, 403, 407), "it asks for a login"),
    **dict.fromkeys((400, 404, 405, 422), "it does not know this address, model or voice"),
    429: "it takes no more requests for now",
}


class Speech:
    """The service that the settings name, which must have ``tts_url``."""

    name = NAME

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.host = httpx.URL(settings.tts_url or "").netloc.decode()

    def voices(self) -> list[Voice]:
        return [Voice(f"{NAME}:{one}", "", one, NAME) for one in self._settings.tts_voices]

    def check(self, text: str, voice: str) -> None:
        if voice not in self._settings.tts_voices:
            raise VoiceUnknown(voice=f"{NAME}:{voice}")

    def say(self, text: str, out: Path, voice: str, speed: float, tick: Tick) -> None:
        parts = portions(text, LONGEST)
        headers = {"user-agent": f"HeyGem/{__version__}", "accept-encoding": "identity"}
        if self._settings.tts_key:
            headers["authorization"] = f"Bearer {self._settings.tts_key.get_secret_value()}"
        timeout = httpx.Timeout(SILENCE, connect=CONNECT)
        with (
            TemporaryDirectory(prefix="heygem-") as folder,
            httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False, headers=headers) as client,
        ):
            files = []
            for number, part in enumerate(parts):
                asked = {
                    **{"model": self._settings.tts_model, "input": part, "voice": voice},
                    **{"speed": speed, "response_format": "wav"},
                }
                file = Path(folder, f"{number}.wav")
                self._fetch(client, asked, file, lambda number=number: tick(STAGE, number, len(parts)))
                files.append(file)
            try:
                join(files, out)
            except HeyGemError as error:
                raise self._failed("its answer is no sound") from error
        tick(STAGE, len(parts), len(parts))

    def _fetch(self, client: httpx.Client, asked: dict[str, Any], file: Path, beat: Callable[[], None]) -> None:
        """Writes one answer, whole, tried again where that may help; raises SayFailed."""
        waits = iter(WAITS)
        while True:
            try:
                _during(lambda stop: self._ask(client, asked, file, stop), beat)
                break
            except (_Later, TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
                pause = next(waits, None)
                if pause is None or isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
                    raise self._failed(_words(error)) from error
                _pause(max(pause, getattr(error, "seconds", 0.0)), beat)
        try:
            probe_sound(file)
        except HeyGemError as error:
            raise self._failed("its answer is no sound") from error

    def _ask(self, client: httpx.Client, asked: dict[str, Any], file: Path, stop: Event) -> None:
        url = f"{self._settings.tts_url}/audio/speech"
        with file.open("wb") as out, client.stream("POST", url, json=asked) as answer:
            if answer.status_code in _PASSING:
                raise _Later(answer)
            if answer.status_code != 200:
                raise self._failed(_refusal(answer.status_code))
            for block in answer.iter_raw():
                if stop.is_set():
                    return
                if out.tell() + len(block) > LARGEST:
                    raise self._failed("its answer is too large")
                out.write(block)

    def _failed(self, reason: str) -> SayFailed:
        return SayFailed(service=self.host, reason=reason)


class _Later(Exception):
    """The service takes nothing for now. seconds: how long it asks to wait."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(_refusal(answer.status_code))
        asked = answer.headers.get("Retry-After", "")
        self.seconds = min(float(asked), _LONGEST_WAIT) if asked.isdecimal() else 0.0


def join(files: list[Path], out: Path) -> None:
    """Writes sounds one after the other, with a pause between them, as one WAV file at the rate of the first.

    Raises the errors of ``probe_sound``.
    """
    rate = int(np.clip(probe_sound(files[0]).rate, *_RATES))
    with wave.open(str(out), "wb") as joined:
        joined.setnchannels(1)
        joined.setsampwidth(2)
        joined.setframerate(rate)
        for number, file in enumerate(files):
            joined.writeframesraw(bytes(2 * round(PAUSE * rate) if number else 0))
            for block in _blocks(file, rate):
                joined.writeframesraw((np.clip(block, -1, 1) * 32767).astype("<i2").tobytes())


def _blocks(file: Path, rate: int) -> Iterator[np.ndarray]:
    with open_media(file, "sound") as container:
        stream = best_stream(container, "audio")
        for block in sound_blocks(container, stream, rate, "mono"):
            yield block[0]


def _during(work: Callable[[Event], None], beat: Callable[[], None]) -> None:
    """Does the work in a thread of its own, while this one ticks. It gets an event that says when nobody waits any
    more: after the time for a whole answer (TimeoutError), or where the tick raises."""
    made: Future[None] = Future()
    stop, end = Event(), time.monotonic() + WHOLE

    def run() -> None:
        try:
            made.set_result(work(stop))
        except BaseException as error:  # raised where somebody waits for it
            made.set_exception(error)

    Thread(target=run, name="speech", daemon=True).start()
    try:
        while not made.done():
            beat()
            if time.monotonic() > end:
                raise TimeoutError
            wait([made], _STEP)
    finally:
        stop.set()
    made.result()


def _pause(seconds: float, beat: Callable[[], None]) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        beat()
        time.sleep(min(_STEP, left))


def _refusal(status: int) -> str:
    return _REFUSALS.get(status, f"it answers HTTP {status}")


def _words(error: Exception) -> str:
    if isinstance(error, _Later):
        return str(error)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return "its certificate is not valid" if "CERTIFICATE_VERIFY" in str(error) else "it cannot be reached"
    timeout = isinstance(error, TimeoutError | httpx.TimeoutException)
    return "it did not answer in time" if timeout else "the connection broke off"
