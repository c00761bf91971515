"""While a node works: its bar and pictures, the interrupt, and problems in plain sentences."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from .compat import log
from .paths import temporary

T = TypeVar("T")

STAGES = {"probe": (0, 1), "analyse": (1, 30), "listen": (30, 35), "render": (35, 99), "finish": (99, 100)}
"""Stage of a take -> its share of the bar, in percent."""
BETWEEN, PICTURES = 0.1, 0.5
"""Seconds between two messages about the bar, and between two pictures of the work."""
SIDE = 512
"""Of previews, px."""
_WHOLE = 1000
_ORDER = {stage: number for number, stage in enumerate(STAGES)}


class Bar:
    """A tick for heygem that fills ComfyUI's bar, and raises ComfyUI's own exception where the user interrupts."""

    def __init__(self, parts: int = 1) -> None:
        """parts: of the work, as long as each other; one begins where the stages begin anew."""
        from comfy.utils import ProgressBar  # pyright: ignore[reportMissingImports]

        self._bar: Any = ProgressBar(_WHOLE)
        self._parts, self._part, self._stage = parts, 0, 0
        self._at, self._value = 0.0, 0
        self._poster: Any = None
        self._shown = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        interrupted()
        if (known := _ORDER.get(stage, 0)) < self._stage:
            self._part = min(self._part + 1, self._parts - 1)
        self._stage = known
        if time.monotonic() - self._at < BETWEEN:
            return
        low, high = STAGES.get(stage, (0, 100))
        within = (low + (high - low) * done / max(total, 1)) / 100
        self._tell(round(_WHOLE * (self._part + within) / self._parts))

    def show(self, frame: Any) -> None:
        """A frame of the result goes out with the next message, now and then."""
        if time.monotonic() - self._shown >= PICTURES:
            self._shown = time.monotonic()
            self._poster = _small(frame)

    def poster(self, video: Path) -> None:
        """Shows the first picture of a video or photo in the node. That there is none is no reason to stop."""
        from heygem.errors import HeyGemError

        with suppress(HeyGemError, OSError):
            self._poster = _first_picture(video)
            self._tell(self._value)

    def done(self, video: Path | None = None) -> None:
        """Full; with a picture of the result."""
        if video is not None:
            self.poster(video)
        self._tell(_WHOLE)

    def _tell(self, value: int) -> None:
        self._at, self._value = time.monotonic(), value
        picture, self._poster = self._poster, None
        self._bar.update_absolute(value, _WHOLE, ("JPEG", picture, SIDE) if picture else None)


def interrupted() -> None:
    """Raises where the user has pressed cancel."""
    from comfy.model_management import (  # pyright: ignore[reportMissingImports]
        throw_exception_if_processing_interrupted,
    )

    throw_exception_if_processing_interrupted()


def aside(work: Callable[..., T], *given: Any) -> T:
    """What ``work`` returns, from a thread of its own: nodes run inside of an event loop, where no other may begin."""
    pool = ThreadPoolExecutor(1)
    try:
        doing = pool.submit(work, *given)
        while not doing.done():
            interrupted()
            wait([doing], BETWEEN)
        return doing.result()
    finally:
        pool.shutdown(wait=False)


class Hidden(logging.Filter):
    """Stars instead of secrets: ComfyUI logs every address that httpx calls, and those of robots are keys."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = list(secrets)

    def filter(self, record: logging.LogRecord) -> bool:
        from heygem.log import redact

        record.msg, record.args = redact(record.getMessage(), self._secrets), ()
        return True


@contextmanager
def unlogged(secrets: Iterable[str]) -> Iterator[None]:
    """Meanwhile these appear in no log."""
    hidden, requests = Hidden(secrets), logging.getLogger("httpx")
    requests.addFilter(hidden)
    try:
        yield
    finally:
        requests.removeFilter(hidden)


def may_be_skipped(error: Exception) -> bool:
    """Is this a problem of one item of a list? An interrupt is meant for all of them."""
    from comfy.model_management import InterruptProcessingException  # pyright: ignore[reportMissingImports]

    return not isinstance(error, InterruptProcessingException)


@contextmanager
def plain_words() -> Iterator[None]:
    """A problem that heygem knows becomes one sentence with what to do: it is what ComfyUI shows."""
    from heygem.errors import HeyGemError

    try:
        yield
    except HeyGemError as error:
        raise ValueError(" ".join(filter(None, (error.message, error.hint)))) from error


@contextmanager
def made(suffix: str = ".mp4") -> Iterator[Path]:
    """A temporary file for a result, taken away where the block fails: a cancel may come when it is in place already.
    The record of its take never stays."""
    out = temporary(suffix)
    try:
        yield out
    except BaseException:
        removed(out)
        raise
    finally:
        removed(out.with_suffix(".take.json"))


def removed(path: Path) -> None:
    """Takes a temporary file away."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.info("HeyGem: %s stays: %s", path.name, error)


def _first_picture(video: Path) -> Any:
    from heygem.media.reader import VideoReader

    with VideoReader(video) as reader:
        return _small(next(iter(reader)))


def _small(frame: Any) -> Any:
    from PIL import Image

    scale = min(1, SIDE / max(frame.width, frame.height))
    return Image.fromarray(frame.small((round(frame.width * scale), round(frame.height * scale))))
