"""What the tabs of the page work with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from heygem.jobs.queue import Queue
from heygem.settings import Settings

if TYPE_CHECKING:
    from heygem.jobs.fleet import Fleet
    from heygem.jobs.preflight import Preflight


@dataclass(frozen=True)
class Desk:
    """log: the file of the log. language: the setting: auto, zh or en."""

    queue: Queue
    fleet: Fleet
    preflight: Preflight
    settings: Settings
    log: Path
    language: str = "auto"
