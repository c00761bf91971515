"""Folders: ``<outputs>/<YYYY-MM-DD>/<job id>/`` with the inputs and the result of a job, and the folder of a batch
with its results under human names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

from heygem.errors import FileMissing, JobState, OutputError, ResultGone
from heygem.jobs.job import DONE, Batch, Job, Request
from heygem.names import clean_stem, numbered

LATEST = "latest_batch"
THUMBNAIL = "thumbnail.jpg"


def settle(request: Request, outputs: Path, job: str, link: bool = True) -> tuple[Request, Path]:
    """Makes the folder of ``job`` with the inputs in it; ``link`` as in Extras, and what lies in ``outputs`` already is
    always linked. Raises FileMissing, OutputError and then leaves nothing."""
    files = request.files
    for path in files.values():
        if not path.is_file():
            raise FileMissing(name=path.name)
    folder = outputs / date.today().isoformat() / job
    try:
        with _written(folder):
            inside = {
                name: _take_in(path, folder / name, link or outputs in path.parents) for name, path in files.items()
            }
    except BaseException:
        discard(folder)
        raise
    return request.moved(inside), folder


def result_path(request: Request, folder: Path) -> Path:
    """``<video>_<audio>.mp4`` in the folder of the job."""
    return folder / f"{request.video.stem}_{request.audio.stem}.mp4"


def result_of(job: Job) -> Path:
    """Raises JobState for a job that is not done, ResultGone where the file was removed."""
    if job.state != DONE or job.take is None:
        raise JobState(state=job.state)
    if not job.take.path.is_file():
        raise ResultGone(name=job.take.path.name)
    return job.take.path


def batch_folder(outputs: Path, name: str) -> Path:
    """A new, empty folder with that name, or with the first number behind it that is free. Raises OutputError."""
    day = outputs / date.today().isoformat()
    with _written(day):
        day.mkdir(parents=True, exist_ok=True)
        for folder in map(day.joinpath, numbered(name)):
            with suppress(FileExistsError):  # another batch of this second may be made at this moment
                folder.mkdir()
                return folder
    raise AssertionError


def make_latest(folder: Path) -> None:
    """``latest_batch`` leads to this folder of a batch. The link is never missing or half made; where there can be none
    there is none, and nothing is raised."""
    outputs = folder.parents[1]
    new = outputs / f".{LATEST}.part"
    with suppress(OSError):
        new.unlink(missing_ok=True)
        new.symlink_to(folder.relative_to(outputs), target_is_directory=True)
        new.replace(outputs / LATEST)
    with suppress(OSError):
        new.unlink(missing_ok=True)


def show(job: Job, batch: Batch) -> Path:
    """The result of a finished job in the folder of its batch: a link, or a copy where links cannot be. Shown once,
    also where it is asked for again. Raises OutputError."""
    result = result_path(job.request, job.folder)
    with _written(batch.folder):
        batch.folder.mkdir(parents=True, exist_ok=True)
        for path in map(batch.folder.joinpath, numbered(result.stem, result.suffix)):
            if not path.exists():
                return _link_or_copy(result, path)
            if _same(path, result):
                return path
    raise AssertionError


def hide(job: Job, batch: Batch) -> None:
    """Removes the other name of the result, or its copy, from the folder of the batch."""
    for path in batch.folder.glob("*.mp4"):
        with suppress(FileNotFoundError):  # another job of the batch may be removed at this moment
            if job.take and _same(path, job.take.path):
                path.unlink()


def discard(folder: Path) -> None:
    """Removes a folder, and the folder of its day where that is then empty."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.parent.rmdir()
    except OSError:
        return  # other jobs of the day are in there


def discard_parts(folder: Path) -> None:
    """Removes the files and folders that a killed process left half-written, where that can be."""
    for part in folder.glob("*.part"):
        shutil.rmtree(part, ignore_errors=True)
        with suppress(OSError):
            part.unlink()


def free_bytes(folder: Path) -> int:
    """Room on the disk of ``folder``, which need not exist yet."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free


def _take_in(path: Path, folder: Path, link: bool) -> Path:
    """A link where that is enough and the file system allows one (instant, no disk used), else a copy."""
    folder.mkdir(parents=True)
    inside = folder / (clean_stem(path.name) + path.suffix.lower())
    if link:
        return _link_or_copy(path, inside)
    return Path(shutil.copyfile(path, inside))


def _link_or_copy(path: Path, to: Path) -> Path:
    try:
        os.link(path, to)
    except OSError:
        part = to.with_name(to.name + ".part")
        shutil.copyfile(path, part)
        with suppress(OSError):  # by its time a copy is known again
            os.utime(part, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        part.replace(to)
    return to


def _same(shown: Path, result: Path) -> bool:
    """Is this the result under another name, or its copy where the file system has no links?"""
    one, other = shown.stat(), result.stat()
    copied = one.st_nlink == 1 and (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)
    return copied or os.path.samestat(one, other)


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(name=str(folder), reason=error.strerror or str(error)) from error
