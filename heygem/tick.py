"""The one callback for progress, heartbeat and cancel."""

from __future__ import annotations

from collections.abc import Callable

STAGES = ("probe", "analyse", "listen", "render", "finish")
"""Stages of a job in their order."""

COUNTED = ("analyse", "render")
"""The stages that count frames; the others count steps and have no speed."""

Tick = Callable[[str, int, int], None]
"""``tick(stage, done, total)``. It may raise ``Cancelled``: the work then stops and leaves nothing behind."""


def show(tick: Tick, frame: object) -> None:
    """Hands a frame of the result to a tick that has a method ``show`` for it, which must be quick."""
    if (shown := getattr(tick, "show", None)) is not None:
        shown(frame)


def silent(stage: str, done: int, total: int) -> None:
    """A tick for callers who do not watch."""
