"""The report of many takes: one line for each, as JSON for programs or CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from heygem.errors import OptionInvalid, OutputError

DONE, FAILED, SKIPPED = "done", "failed", "skipped"
SUFFIXES = (".csv", ".json")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # cells that spreadsheets would run


@dataclass(frozen=True)
class Line:
    """What became of one pair. state: "done", "failed" or "skipped"; of a job, its own. video, audio, result: paths, of
    a job names; result is empty where there is none. score: 0 to 100, None where nobody measured. seconds: length of
    the result, None without one. code, message: of the error, or why it was skipped."""

    name: str
    state: str
    video: str
    audio: str
    result: str = ""
    score: float | None = None
    seconds: float | None = None
    code: str = ""
    message: str = ""


def check_report(out: Path) -> None:
    """Can a report become this file? Raises OptionInvalid."""
    if out.suffix.lower() not in SUFFIXES:
        raise OptionInvalid(option="report", value=out.name, allowed="a file name that ends in .csv or .json")


def write_report(lines: Sequence[Line], out: Path) -> Path:
    """Writes a JSON list or, by the suffix of ``out``, CSV in UTF-8 with the mark by which spreadsheets know it; what
    was there is replaced by the whole report or stays. Raises OptionInvalid, OutputError."""
    check_report(out)
    text = (as_csv if out.suffix.lower() == ".csv" else _json)(lines)
    part = out.with_name(out.name + ".part")
    try:
        part.write_text(text, "utf-8", "backslashreplace", newline="")  # names of files may be no UTF-8
        part.replace(out)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise OutputError(name=out.name, reason=error.strerror or str(error)) from error
    return out


def _json(lines: Sequence[Line]) -> str:
    return json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=1) + "\n"


def as_csv(lines: Sequence[Line]) -> str:
    """A ``sheet`` with a column for each field."""
    return sheet([[field.name for field in fields(Line)], *(asdict(line).values() for line in lines)])


def sheet(rows: Iterable[Iterable[object]]) -> str:
    """CSV with the mark by which spreadsheets know UTF-8; the first row names the columns. No cell is taken for a
    formula."""
    text = io.StringIO("\ufeff", newline="")
    text.seek(0, io.SEEK_END)
    csv.writer(text, lineterminator="\r\n").writerows(map(_cell, row) for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
