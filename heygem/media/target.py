"""The file that a result becomes: what can be wrong with its place, before the work and during it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC, EROFS
from pathlib import Path
from tempfile import mkdtemp

from heygem.errors import OptionInvalid, OutputError

_DISK = (ENOSPC, EDQUOT, EROFS, EFBIG)
_BESIDE, _LONGEST = ".take.json.part", 255  # the longest suffix beside a result; bytes of a name, on most file systems


def check_target(out: Path, inputs: Sequence[Path], suffixes: Sequence[str] = (".mp4",), option: str = "out") -> None:
    """Refuses before the work what would fail after it. option: what the user calls the place. Raises OptionInvalid,
    OutputError."""
    if out.suffix.lower() not in suffixes:
        raise OptionInvalid(option=option, value=out.name, allowed=f"a file name that ends in {' or '.join(suffixes)}")
    try:
        reason = _unfit(out, inputs)
    except OSError as error:  # of a folder that nobody may enter, say
        reason = error.strerror or str(error)
    if reason:
        raise OutputError(name=out.name, reason=reason)


def _unfit(out: Path, inputs: Sequence[Path]) -> str:
    """Why this cannot become the result; "" where it can. Raises OSError."""
    if len(os.fsencode(out.with_suffix(_BESIDE).name)) > _LONGEST:
        return "its name is too long"
    if not out.parent.is_dir():
        return f"the folder {out.parent} does not exist"
    if not os.access(out.parent, os.W_OK):
        return f"the folder {out.parent} is not writable"
    if out.is_dir():
        return "it is a folder"
    return "it is one of the inputs" if any(_same(out, path) for path in inputs) else ""


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return False


@contextmanager
def disk_errors(out: Path) -> Iterator[None]:
    """A disk that is full or read-only, wherever the work meets it (result, temporary files), is an OutputError."""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK:
            raise
        raise OutputError(name=out.name, reason=error.strerror) from error


@contextmanager
def beside(out: Path) -> Iterator[Path]:
    """A private folder on the disk of ``out``, for files that become it; gone after the block."""
    folder = Path(mkdtemp(prefix=f".{out.stem[:20]}.", suffix=".part", dir=out.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
