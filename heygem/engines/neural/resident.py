"""Networks that stay in memory from one take to the next: those of one engine, at one place."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from torch import nn

from heygem.engines.neural.place import Place

T = TypeVar("T")
_lock = threading.Lock()
_held: dict[str, Any] = {}
_whose: tuple[str, Place] | None = None


def resident(engine: str, place: Place, part: str, load: Callable[[], T]) -> T:
    """``part`` of the networks of ``engine`` at ``place``, loaded when it is not there. Those of another engine, or of
    the same one elsewhere, leave the memory first."""
    global _whose
    with _lock:
        if _whose != (engine, place):
            _held.clear()
            _whose = engine, place
        if part not in _held:
            _held[part] = load()
        return _held[part]


def modules() -> list[nn.Module]:
    """The networks that are held, for whoever keeps books of memory."""
    with _lock:
        return [part for part in _held.values() if isinstance(part, nn.Module)]


def release() -> None:
    """Lets go of all networks; takes under way keep theirs until they are done."""
    global _whose
    with _lock:
        _held.clear()
        _whose = None
