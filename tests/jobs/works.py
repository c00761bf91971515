"""Pieces of work for the fleet's tests. They run in real child processes, which import them from here."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
import time
from fractions import Fraction
from pathlib import Path

from loguru import logger

from heygem.errors import NoFace, OutOfMemory, OutputError
from heygem.jobs.worker import Order
from heygem.pipeline import Take
from heygem.tick import Tick

GRANDCHILD = "grandchild.pid"


def by_name(order: Order, tick: Tick) -> Take:
    """Does what the stem of the audio file says; the result is the two inputs, one after the other."""
    part = order.out.with_name(order.out.name + ".part")
    part.write_text("half")
    what, _, rest = order.request.audio.stem.partition(" ")
    if not rest or not (marker := order.out.parent / "tried").exists():
        if rest:
            marker.touch()
        DEEDS.get(what, lambda _order, _tick: None)(order, tick)
    text = order.request.video.read_text() + order.request.audio.read_text()
    part.write_text(text)
    part.replace(order.out)
    return take_of(order.out, text=text)


def take_of(out: Path, **facts: object) -> Take:
    """A take whose quality tells what a test wants to know: which process made it, and when."""
    quality = {"pid": os.getpid(), "ended": time.monotonic(), "gpu": os.environ.get("CUDA_VISIBLE_DEVICES"), **facts}
    return Take(out, 1, Fraction(25), 0.04, 2, 2, "fake 1", "cpu", {"render": 0.1}, quality, [])


def quick(order: Order, tick: Tick) -> Take:
    """Half a second of work, or as many milliseconds as the audio file says, written as results are written."""
    part = order.out.with_name(order.out.name + ".part")
    steps = int(order.request.audio.read_text()) // 10
    with part.open("w") as file:
        for step in range(steps):
            file.write(f"{step}\n")
            file.flush()
            time.sleep(0.01)
            tick("render", step + 1, steps)
    part.replace(order.out)
    return take_of(order.out)


def _talk(order: Order, tick: Tick) -> None:
    logger.warning("a word from the {}", "work")


def _count(order: Order, tick: Tick) -> None:
    for done in range(40):
        tick("render", done + 1, 40)
        time.sleep(0.025)


def _polite(order: Order, tick: Tick) -> None:
    for done in range(10_000):
        tick("render", done, 10_000)
        time.sleep(0.01)


def _native(order: Order, tick: Tick) -> None:
    tick("render", 1, 2)
    ctypes.PyDLL(None).sleep(60)  # holds the GIL as a stuck decoder may


def _grandchild(order: Order, tick: Tick) -> None:
    process = subprocess.Popen(["sleep", "600"])
    pid = order.out.parent / GRANDCHILD
    pid.with_suffix(".new").write_text(str(process.pid))
    pid.with_suffix(".new").replace(pid)
    _native(order, tick)


def _signalled(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def _refuse(order: Order, tick: Tick) -> None:
    raise NoFace(name=order.request.video.name, frames=7)


def _bug(order: Order, tick: Tick) -> None:
    raise ZeroDivisionError("a bug")


def _full(order: Order, tick: Tick) -> None:
    try:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise OutputError(name=order.out.name, reason=error.strerror) from error


def _memory(order: Order, tick: Tick) -> None:
    raise MemoryError


def _graphics(order: Order, tick: Tick) -> None:
    raise OutOfMemory


DEEDS = {
    "talk": _talk,
    "count": _count,
    "polite": _polite,
    "native": _native,
    "grandchild": _grandchild,
    "segfault": lambda order, tick: _signalled(signal.SIGSEGV),
    "killed": lambda order, tick: _signalled(signal.SIGKILL),
    "exit": lambda order, tick: os._exit(3),
    "refuse": _refuse,
    "bug": _bug,
    "full": _full,
    "memory": _memory,
    "graphics": _graphics,
    "deaf": lambda order, tick: time.sleep(60),
}
"""Name -> what goes wrong or takes long. "NAME once" does it in the first attempt alone."""
