"""Pieces of work for the runner's tests. They run in real child processes, which import them from here."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from dataclasses import dataclass

from loguru import logger

from heygem.errors import NoFace
from heygem.jobs.worker import Order
from heygem.tick import Tick


@dataclass(frozen=True)
class Result:
    """Stands where a Take stands: which process made what."""

    pid: int
    text: str
    ended: float
    stages: tuple[()] = ()


def by_name(order: Order, tick: Tick) -> Result:
    """Does what the stem of the audio file says; the result is the two inputs, one after the other."""
    part = order.out.with_name(order.out.name + ".part")
    part.write_text("half")
    match order.request.audio.stem:
        case "talk":
            logger.warning("a word from the {}", "work")
        case "count":
            for done in range(40):
                tick("render", done + 1, 40)
                time.sleep(0.025)
        case "polite":
            for done in range(10_000):
                tick("render", done, 10_000)
                time.sleep(0.01)
        case "native":
            tick("render", 1, 2)
            ctypes.PyDLL(None).sleep(60)  # holds the GIL as a stuck decoder may
        case "segfault":
            tick("render", 1, 2)
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(3)
        case "refuse":
            raise NoFace(name=order.request.video.name, frames=7)
        case "bug":
            raise ZeroDivisionError("a bug")
    part.unlink()
    text = order.request.video.read_text() + order.request.audio.read_text()
    order.out.write_text(text)
    return Result(os.getpid(), text, time.monotonic())
