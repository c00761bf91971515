"""Pieces of work for the API's tests, done by real workers. The result is a copy of the video: a real film."""

from __future__ import annotations

import shutil
import time
from fractions import Fraction

from heygem.errors import NoFace, OutputError
from heygem.jobs.worker import Order
from heygem.pipeline import Take
from heygem.tick import Tick


def by_name(order: Order, tick: Tick) -> Take:
    """Does what the stem of the audio file says."""
    stem = order.request.audio.stem
    if stem == "faceless":
        raise NoFace(name=order.request.video.name, frames=7)
    if stem == "disk":
        raise OutputError(name=str(order.out), reason="Permission denied")
    steps = {"slow": 40, "long": 3000}.get(stem, 2)
    for done in range(steps):
        tick("render", done + 1, steps)
        time.sleep(0.02)
    part = order.out.with_name(order.out.name + ".part")
    shutil.copyfile(order.request.video, part)
    part.replace(order.out)
    facts = {"score": 87, "parts": []}
    return Take(order.out, 50, Fraction(30000, 1001), 1.67, 128, 96, "mesh 1", "cpu", {"render": 1.5}, facts, [])
