"""Take: what came out, and the record of it beside the result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from heygem import __version__
from heygem.errors import OutputError
from heygem.pipeline.options import Options


@dataclass(frozen=True)
class Take:
    """What came out. ``stages`` are seconds per stage. ``quality``: facts about the result, a ``score`` 0..100 made of
    them, and its ``parts`` with the points that each fact took and why (``heygem.quality.score``); of several people
    those of the one with the least score; empty where nobody measured. ``voices``: face -> name of the recording that
    it speaks. ``device``: where the mouths were made; ``devices``: where every part of the work was done, by part
    ("faces", "engine", "decoder", "encoder"), and what did each part of the finish; ``gpu_mib``: the most graphics
    memory that it took. ``video``: name of the video."""

    path: Path
    frames: int
    fps: Fraction
    seconds: float
    width: int
    height: int
    engine: str
    device: str
    stages: dict[str, float]
    quality: dict[str, Any]
    warnings: list[str]
    voices: dict[int, str] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    gpu_mib: float = 0.0
    video: str = ""

    @property
    def record(self) -> Path:
        """Its file of facts, beside the result."""
        return self.path.with_suffix(".take.json")

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON: the path as text, the frame rate as "30000/1001"."""
        return {**asdict(self), "path": str(self.path), "fps": str(self.fps)}


@contextmanager
def all_or_nothing(take: Take) -> Iterator[None]:
    """Where the block raises, neither the result nor its record stays."""
    try:
        yield
    except BaseException:
        for path in (_part(take), take.record, take.path):
            with suppress(OSError):
                path.unlink()
        raise


def write_record(take: Take, options: Options) -> None:
    """Writes the record beside the result. Raises OutputError."""
    names = {option: Path(path.name) for option, path in options.finish.files.items()}
    chosen = asdict(replace(options, finish=options.finish.moved(names)))
    record = {"heygem": __version__, **take.as_dict(), "path": take.path.name, "options": chosen}
    text = json.dumps(record, ensure_ascii=False, indent=1) + "\n"
    try:
        _part(take).write_text(text, "utf-8", "backslashreplace")  # names of files may be no UTF-8
        _part(take).replace(take.record)
    except OSError as error:
        raise OutputError(name=take.record.name, reason=error.strerror) from error


def _part(take: Take) -> Path:
    return take.record.with_name(take.record.name + ".part")
