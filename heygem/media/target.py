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


def check_target(out: Path, inputs: Sequence[Path], suffix: str = ".mp4") -> None:
    """Refuses before the work what would fail after it. Raises OptionInvalid, OutputError."""
    if out.suffix.lower() != suffix:
        raise OptionInvalid(option="out", value=out.name, allowed=f"a file name that ends in {suffix}")
    if not out.parent.is_dir():
        raise OutputError(name=out.name, reason=f"the folder {out.parent} does not exist")
    if not os.access(out.parent, os.W_OK):
        raise OutputError(name=out.name, reason=f"the folder {out.parent} is not writable")
    if any(path.exists() and out.exists() and path.samefile(out) for path in inputs):
        raise OutputError(name=out.name, reason="it is one of the inputs")


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
