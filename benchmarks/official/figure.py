"""One line of a comparison with official code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """``what`` was compared; ``value``: the largest difference, met where it is at most ``aim``."""

    what: str
    value: float
    aim: float

    @property
    def met(self) -> bool:
        return self.value <= self.aim
