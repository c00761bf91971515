"""A row of the database as a Job, and back."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from heygem.engines.base import Style
from heygem.errors import OptionInvalid
from heygem.finish.base import Finish
from heygem.jobs.job import Batch, Delivery, Failure, Job, Request
from heygem.pipeline import Options, Take

Kind = TypeVar("Kind", Style, Finish, Options)
AS_THEY_ARE = (
    *("id", "batch", "state", "priority", "created", "started", "ended", "not_before", "attempts", "interruptions"),
    *("stage", "done", "total", "fps", "seconds_left", "hook", "hook_state", "key"),
)
"""Columns that are the fields of the same name."""
_SAME = ("job", "name", "state", "storage", "key", "size", "sent", "speed", "tries", "next", "made", "ended")
_PAIRS = ", ".join(f"'{name}', deliveries.{name}" for name in (*_SAME, "verified", "error"))
WITH_DELIVERY = f"""*, (SELECT json_object({_PAIRS}) FROM deliveries WHERE job = jobs.id) delivery,
    (SELECT expires FROM links WHERE job = jobs.id AND revoked IS NULL ORDER BY links.seq DESC LIMIT 1) link_expires"""
"""All columns of jobs, and what is known of their deliveries."""


def job_of(row: sqlite3.Row, root: Path) -> Job:
    """root: the folder of results."""
    folder = root / row["folder"]
    options = options_of(json.loads(row["options"]))
    placed = {option: folder / path for option, path in options.finish.files.items()}
    if placed:
        options = replace(options, finish=options.finish.moved(placed))
    request = Request(folder / row["video"], folder / row["audio"], options)
    return Job(
        request=request,
        folder=folder,
        stopping=bool(row["stopping"]),
        pinned=bool(row["pinned"]),
        error=Failure(**json.loads(row["error"])) if row["error"] else None,
        take=_take_of(json.loads(row["take"]), folder) if row["take"] else None,
        deliver=bool(row["deliver"]),
        delivery=delivery_of(json.loads(row["delivery"])) if row["delivery"] else None,
        link_expires=row["link_expires"],
        **{name: row[name] for name in AS_THEY_ARE},
    )


def values_of(job: Job, root: Path) -> dict[str, Any]:
    """What a new row holds."""
    request, finish = job.request, job.request.options.finish
    inside = {option: path.relative_to(job.folder) for option, path in finish.files.items()}
    return {
        "id": job.id,
        "batch": job.batch,
        "name": job.name,
        "folder": str(job.folder.relative_to(root)),
        "video": str(request.video.relative_to(job.folder)),
        "audio": str(request.audio.relative_to(job.folder)),
        "options": text(asdict(replace(request.options, finish=finish.moved(inside)))),
        "priority": job.priority,
        "created": job.created,
        "key": job.key,
        "hook": job.hook,
        "deliver": int(job.deliver),
    }


def delivery_of(row: sqlite3.Row | dict[str, Any]) -> Delivery:
    error = Failure(**json.loads(row["error"])) if row["error"] else None
    return Delivery(**{name: row[name] for name in _SAME}, verified=bool(row["verified"]), error=error)


def batch_of(row: sqlite3.Row, counts: dict[str, int], root: Path) -> Batch:
    return Batch(row["id"], row["name"], root / row["folder"], row["created"], counts)


def options_of(plain: dict[str, Any]) -> Options:
    """What another version wrote and this one does not know or allow is left out: no row may be unreadable."""
    style = _allowed(Style, _known(Style, plain.get("style", {})))
    finish = _allowed(Finish, _known(Finish, plain.get("finish", {})))
    return _allowed(Options, {**_known(Options, plain), "style": style, "finish": finish})


def error_text(error: Failure | None) -> str | None:
    return text(asdict(error)) if error else None


def take_text(take: Take | None) -> str | None:
    return text({**take.as_dict(), "path": take.path.name}) if take else None


def text(plain: Any) -> str:
    return json.dumps(plain, ensure_ascii=False)


def _take_of(plain: dict[str, Any], folder: Path) -> Take:
    voices = {int(face): name for face, name in plain.get("voices", {}).items()}
    exact = {"path": folder / plain["path"], "fps": Fraction(plain["fps"]), "voices": voices}
    return Take(**{**_known(Take, plain), **exact})


def _allowed(kind: type[Kind], values: dict[str, Any]) -> Kind:
    while True:
        try:
            return kind(**values)
        except OptionInvalid as error:
            del values[error.details["option"]]


def _known(kind: type, plain: dict[str, Any]) -> dict[str, Any]:
    return {field.name: plain[field.name] for field in fields(kind) if field.name in plain}
