"""Take: what came out, and the record of it beside the result."""

from __future__ import annotations

import json
from contextlib import suppress
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
    ("faces", "engine", "encoder"), and what did each part of the finish; ``gpu_mib``: the most graphics memory that it
    took."""

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

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON: the path as text, the frame rate as "30000/1001"."""
        return {**asdict(self), "path": str(self.path), "fps": str(self.fps)}


def write_record(take: Take, options: Options) -> None:
    """Writes the record beside the result; where that fails, neither stays."""
    names = {option: Path(path.name) for option, path in options.finish.files.items()}
    chosen = asdict(replace(options, finish=options.finish.moved(names)))
    record = {"heygem": __version__, **take.as_dict(), "path": take.path.name, "options": chosen}
    final = take.path.with_suffix(".take.json")
    part = final.with_name(final.name + ".part")
    try:
        part.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", "utf-8")
        part.replace(final)
    except OSError as error:
        for path in (part, take.path):
            with suppress(OSError):
                path.unlink()
        raise OutputError(name=final.name, reason=error.strerror) from error
