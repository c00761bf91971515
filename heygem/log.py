"""The log: one file for people, rotated, with the number of the job in every line and no secret in any."""

from __future__ import annotations

import glob
import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from loguru import logger

from heygem.errors import OutputError

if TYPE_CHECKING:
    from loguru import Record

NAME = "运行实时日志.log"
ROTATION, RETENTION = "20 MB", 5
LONGEST = 2000
"""Characters of a line that ``tail`` shows."""

_BLOCK, _MOST_BYTES = 1 << 16, 1 << 20  # what is read at once, and at most, from the end of one file

_KINDS = r"[\w.-]*(?:signature|token|secret|passwd|password|credential|access[_-]?key(?:id)?|api[_-]?key)"
_BYTES = r"(?:b(?=['\"]))?"  # as Python shows bytes
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s'",;&}]+)"""
_SECRETS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(authorization['\"]?\s*[:=,]\s*{_BYTES}(?:(?:basic|bearer|digest|token)\s+)?){_VALUE}",
        r"(\bbearer\s+)[^\s'\",;}]+",
        rf"(\bcookie['\"]?\s*[:=,]\s*{_BYTES})(?:\"[^\"]*\"|'[^']*'|[^\n]+)",
        rf"((?:[?&;]|%3F|%26)(?:{_KINDS}|sig|sign|key|q-ak)(?:=|%3D))(?:(?!%26)[^&#\s\"'<>])+",
        rf"((?<![\w.-]){_KINDS}['\"]?\s*[:=]\s*{_BYTES}){_VALUE}",
        r"(://)[^/\s@]+(?=@)",
    )
]
"""What stands behind the first group of a match is hidden."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def start(file: Path, quiet: bool = False, secrets: Iterable[str] = ()) -> None:
    """Everything that is logged goes to ``file`` and, unless ``quiet``, to standard error.

    ``secrets`` never appear in it, nor do tokens, passwords and signatures of addresses. Raises OutputError.
    """
    logger.remove()
    logger.configure(extra={"job": "-"})
    lines = _formatter(secrets)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        logger.add(file, format=lines, rotation=ROTATION, retention=RETENTION, encoding="utf-8", diagnose=False)
    except OSError as error:
        raise OutputError(name=str(file), reason=error.strerror or str(error)) from error
    if not quiet:
        logger.add(sys.stderr, format=lines, diagnose=False)
    threading.excepthook = _thread_died
    take_over()


def take_over() -> None:
    """Warnings and errors of libraries come into this log; web requests are not logged one by one.

    To be called again after a library has set up a log of its own, as uvicorn does when it starts.
    """
    logging.basicConfig(handlers=[_Intercepted(logging.WARNING)], level=logging.WARNING, force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi", "gradio", "asyncio"):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True
    requests = logging.getLogger("uvicorn.access")
    requests.handlers, requests.propagate = [], False


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with stars for ``secrets``, tokens, passwords and signatures."""
    for secret in secrets:
        text = text.replace(secret, "***")
    for pattern in _SECRETS:
        text = pattern.sub(r"\g<1>***", text)
    return text


def tail(file: Path, lines: int = 200) -> list[str]:
    """The last lines of the log, oldest first, going on in rotated files; fewer where a megabyte holds fewer.

    Long lines are cut, bytes that are no UTF-8 are replaced. Empty where there is no log.
    """
    stem = glob.escape(file.stem)
    rotated = sorted(file.parent.glob(f"{stem}.????-??-??_??-??-??_??????{file.suffix}"), reverse=True)
    found: list[str] = []
    for one in (file, *rotated):
        if len(found) >= lines:
            break
        found = _last_lines(one, lines - len(found)) + found
    return found


def _last_lines(file: Path, lines: int) -> list[str]:
    try:
        with file.open("rb") as stream:
            start = end = stream.seek(0, 2)
            data = b""
            while start and end - start < _MOST_BYTES and data.count(b"\n") <= lines:
                start = max(start - _BLOCK, 0)
                stream.seek(start)
                data = stream.read(end - start - len(data)) + data
    except FileNotFoundError:
        return []  # rotated away a moment ago
    whole = data.removesuffix(b"\n").split(b"\n") if data else []
    if start and len(whole) > 1:
        del whole[0]  # the end of a line whose beginning was not read
    return [_cut(line.decode("utf-8", "replace")) for line in whole[-lines:]]


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST else line[:LONGEST] + "…"


def _formatter(secrets: Iterable[str]) -> Callable[[Record], str]:
    """Writes a record: time, level and job before each of its lines, so that no message can pass for another."""
    forms = {form for secret in secrets if len(secret) >= 4 for form in (secret, quote(secret), quote(secret, ""))}
    hidden = sorted(forms, key=len, reverse=True)

    def written(record: Record) -> str:
        text = record["message"]
        if record["exception"]:
            text += "\n" + "".join(traceback.format_exception(*record["exception"])).rstrip()  # no variables in it
        head = f"{record['time']:YYYY-MM-DD HH:mm:ss} {record['level'].name: <7} {record['extra'].get('job', '-')} "
        text = _CONTROLS.sub(lambda sign: ascii(sign[0])[1:-1], redact(text, hidden))
        record["extra"]["written"] = "".join(f"{head}{line}\n" for line in text.split("\n"))
        return "{extra[written]}"

    return written


class _Intercepted(logging.Handler):
    """Hands the records of libraries that log with the standard library to our log."""

    def emit(self, record: logging.LogRecord) -> None:
        level = "ERROR" if record.levelno >= logging.ERROR else "WARNING"
        try:
            logger.opt(exception=record.exc_info).log(level, "{}: {}", record.name, record.getMessage())
        except Exception:
            self.handleError(record)


def _thread_died(given: Any) -> None:
    if given.exc_type is not SystemExit:
        trace = (given.exc_type, given.exc_value, given.exc_traceback)
        logger.opt(exception=trace).error("the thread {} ended", given.thread.name if given.thread else "?")
