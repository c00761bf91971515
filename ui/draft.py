"""The list of chosen videos, before they are sent: what each of them is, and whether it will work."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

from heygem.jobs.preflight import BAD, GOOD, WARN, Verdict
from ui.desk import Desk
from ui.files import shown_name, url
from ui.words import WORDS, duration, explain, say

LOOKING = "looking"
_LABELS = ("draft_all", "draft_chosen", "draft_remove", "draft_clear", "draft_clear_sure")
LEVELS = (GOOD, WARN, BAD, LOOKING)


def show_draft(paths: list[str], desk: Desk, language: str) -> dict[str, Any]:
    """The value of the list. ``counts``: level -> files."""
    rows = [_row(Path(path), desk, language) for path in paths]
    counts = Counter(row["level"] for row in rows)
    about = [say(f"draft_level_{level}_about", language) for level in (BAD, LOOKING) if counts[level]]
    found = [say(f"draft_level_{level}", language, n=counts[level]) for level in LEVELS if counts[level]]
    return {
        "rows": rows,
        "counts": dict(counts),
        "summary": [say("draft_count", language, n=len(rows)), *found],
        "about": about,
        "words": {label: say(label, language) for label in _LABELS},
    }


def row_id(path: str) -> str:
    """How a browser names an upload."""
    return hashlib.sha256(path.encode()).hexdigest()[:12]


def sentence(finding: tuple[str, dict[str, str]], language: str) -> str:
    """What a look at a video found, in words."""
    key, details = finding
    if key in WORDS:
        return say(key, language, **details)
    shown = {name: shown_name(Path(value)) if name == "name" else value for name, value in details.items()}
    return " ".join(explain(key, shown, language))


def judged(verdict: Verdict | None, language: str) -> dict[str, Any]:
    """A verdict in words; None: it is not yet known."""
    level = verdict.level if verdict else LOOKING
    lines = [sentence(finding, language) for finding in verdict.findings] if verdict else []
    return {"level": level, "word": say(f"preflight_{level}", language), "lines": lines}


def _row(path: Path, desk: Desk, language: str) -> dict[str, Any]:
    verdict = desk.preflight.ask(path)
    row = {"id": row_id(str(path)), "name": shown_name(path), **judged(verdict, language)}
    if verdict:
        row |= {"facts": _facts(verdict, language), "poster": _poster(path, verdict.poster)}
    return row


def _facts(verdict: Verdict, language: str) -> list[str]:
    if not verdict.width:
        return []
    length = say("photo", language) if verdict.still else duration(verdict.seconds, language)
    return [length, f"{verdict.width} × {verdict.height}"]


def poster_path(path: Path) -> Path:
    """Beside the upload, whose folder no other upload shares."""
    return path.with_name(f"{path.stem}.poster.jpg")


def _poster(path: Path, jpeg: bytes) -> str:
    """The address of the first picture: a file, so that it travels once and not with every look."""
    file = poster_path(path)
    if jpeg and not file.exists():
        part = file.with_name(file.name + ".part")
        part.write_bytes(jpeg)
        part.replace(file)
    return url(file) if jpeg else ""
