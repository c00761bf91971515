"""Any file of weights that circulates as safetensors. Files of strangers are read in a process that has given up all
rights (``child``, ``lock``); this one never unpickles anything and looks at nothing but the finished result.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from loguru import logger

from heygem.weights.inert import FULL, REASONS, Refused

Beat = Callable[[], None]
"""A sign of life during long work. It may raise: the work then stops and leaves nothing behind."""

_ROOT = Path(__file__).parents[2]
_START = "import sys; sys.path.append(sys.argv.pop(1)); from heygem.weights.child import main; main(int(sys.argv[1]))"
"""With -I Python looks for modules in its own folders alone: ours is appended, the current one stays out."""
_SECONDS, _SPEED = 60, 5_000_000
"""The least time that a file gets, and the bytes a second that a slow disk reads and writes."""
_INTERVAL = 0.2
_LONGEST = 4096  # bytes of an answer that are looked at
_KEPT = ("LD_LIBRARY_PATH", "SYSTEMROOT")
"""Of the environment: without these Python does not start on some machines. No token or password is among them."""


def convert(source: Path, out: Path, beat: Beat = lambda: None, seconds: float | None = None) -> None:
    """Writes the weights in ``source`` to ``out``, whole or not at all: tensors alone, contiguous, in their own types.

    Read are files of torch.save, new and old, whole modules, TorchScript and safetensors. ``seconds``: how long it may
    take. Raises Refused with a key of ``REASONS``, OSError where ``out`` cannot be written.
    """
    try:
        with source.open("rb") as given, out.open("xb") as taken, TemporaryDirectory(prefix="heygem-") as folder:
            most = seconds or _SECONDS + source.stat().st_size / _SPEED
            with Path(folder, "answer").open("w+b") as said:
                child = subprocess.Popen(
                    [sys.executable, "-I", "-c", _START, str(_ROOT), str(int(most) + 1)],
                    stdin=given,
                    stdout=taken,
                    stderr=said,
                    env=_environment(),
                    cwd=folder,
                    start_new_session=True,
                )
                _wait(child, time.monotonic() + most, beat)
                _judge(said, child.returncode)
            os.fsync(taken.fileno())
        _check(out)
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "OPENBLAS_NUM_THREADS": "1"}


def _wait(child: subprocess.Popen[bytes], end: float, beat: Beat) -> None:
    try:
        while time.monotonic() < end:
            beat()
            with suppress(subprocess.TimeoutExpired):
                child.wait(_INTERVAL)
                return
        raise Refused("time")
    finally:
        child.kill()
        child.wait()


def _judge(said: IO[bytes], code: int) -> None:
    """Nothing where the child says that all is well. Raises what its key stands for."""
    said.seek(0)
    line = said.read(_LONGEST)
    try:
        answer = json.loads(line)
    except ValueError:  # a limit ended it, or Python did not start
        logger.warning("the process that reads weights ended with {}: {}", code, line.decode("utf-8", "replace"))
        raise Refused("damaged") from None
    if answer == {"reason": FULL}:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if answer != {"ok": True}:
        reason = answer.get("reason") if isinstance(answer, dict) else None
        raise Refused(reason if isinstance(reason, str) and reason in REASONS else "damaged")


def _check(out: Path) -> None:
    """The result is read by the library that will read it later."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(out, "np") as tensors:
            if not list(tensors.keys()):
                raise Refused("foreign")
    except SafetensorError:
        raise Refused("damaged") from None
