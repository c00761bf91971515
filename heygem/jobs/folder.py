"""The folder of a job: ``<outputs>/<YYYY-MM-DD>/<job id>/`` with the inputs in it and room for the result."""

from __future__ import annotations

import os
import shutil
import unicodedata
from dataclasses import replace
from datetime import date
from pathlib import Path

from heygem.errors import FileMissing, OutputError
from heygem.jobs.job import Request

_RESERVED = set('<>:"/\\|?*')
_LONGEST = 80  # bytes of a stem in UTF-8: two of them and a suffix stay below the 255 of every file system


def clean_stem(name: str) -> str:
    """The stem of a file name made harmless: no separators, controls or direction marks; emoji and spaces may stay."""
    kept = "".join(
        " " if sign in _RESERVED or unicodedata.category(sign) in ("Zl", "Zp") else sign
        for sign in unicodedata.normalize("NFC", Path(name).stem)
        if unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    short = " ".join(kept.split()).strip(". ").encode()[:_LONGEST].decode(errors="ignore").strip(". ")
    return short or "file"


def settle(request: Request, outputs: Path, job: str) -> tuple[Request, Path]:
    """Makes the folder of ``job`` with the inputs in it. Raises FileMissing, OutputError and then leaves nothing."""
    for path in (request.video, request.audio):
        if not path.is_file():
            raise FileMissing(name=path.name)
    folder = outputs / date.today().isoformat() / job
    try:
        video, audio = (
            _take_in(path, folder / kind) for kind, path in (("video", request.video), ("audio", request.audio))
        )
    except OSError as error:
        discard(folder)
        raise OutputError(name=str(folder), reason=error.strerror or str(error)) from error
    return replace(request, video=video, audio=audio), folder


def result_path(request: Request, folder: Path) -> Path:
    """``<video>_<audio>.mp4`` in the folder of the job."""
    return folder / f"{request.video.stem}_{request.audio.stem}.mp4"


def discard(folder: Path) -> None:
    """Removes the folder of a job, and the folder of its day where that is then empty."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.parent.rmdir()
    except OSError:
        return  # other jobs of the day are in there


def discard_parts(folder: Path) -> None:
    """Removes what a killed process left half-written."""
    for part in folder.glob("*.part"):
        part.unlink(missing_ok=True)


def _take_in(path: Path, folder: Path) -> Path:
    """A link where the file system allows one (instant, no disk used), else a copy."""
    folder.mkdir(parents=True)
    inside = folder / (clean_stem(path.name) + path.suffix.lower())
    try:
        os.link(path, inside)
    except OSError:
        shutil.copyfile(path, inside)
    return inside
