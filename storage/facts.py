"""What is known of a file before it is sent, and of its upload: kept in a small file beside, so that a further process
goes on where a killed one stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from heygem.errors import FileMissing, OutputError

MOST_PARTS = 10_000
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Facts:
    """size, part: bytes. changed: nanoseconds. sha256: of the whole file, md5s: of its parts, in hex. upload: its id in
    the store. opaque: the store's ETags say nothing about the content."""

    size: int
    changed: int
    part: int
    sha256: str
    md5s: list[str]
    upload: str | None = None
    opaque: bool = False

    def length(self, number: int) -> int:
        """Bytes of a part; parts count from 1."""
        return min(self.part, self.size - (number - 1) * self.part)

    def fit(self, file: Path) -> bool:
        """Is it still that file?"""
        try:
            state = file.stat()
        except OSError:
            return False
        return (state.st_size, state.st_mtime_ns) == (self.size, self.changed)


def read(file: Path, part: int, beat: Callable[[], None]) -> Facts:
    """Reads the file once. part: bytes; more where there would be too many. Raises FileMissing."""
    try:
        state = file.stat()
        part = max(part, -(-state.st_size // MOST_PARTS // _BLOCK) * _BLOCK)
        whole, md5s = hashlib.sha256(), []
        with file.open("rb") as stream:
            for _ in range(max(1, -(-state.st_size // part))):
                md5 = hashlib.md5(usedforsecurity=False)
                for block in _blocks(stream, part):
                    whole.update(block)
                    md5.update(block)
                    beat()
                md5s.append(md5.hexdigest())
    except OSError as error:
        raise FileMissing(name=file.name) from error
    return Facts(state.st_size, state.st_mtime_ns, part, whole.hexdigest(), md5s)


def _blocks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Up to ``size`` bytes, in blocks."""
    for at in range(0, size, _BLOCK):
        block = stream.read(min(_BLOCK, size - at))
        if not block:
            return
        yield block


class Card:
    """The small file: whole or not there."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> Facts | None:
        """None where there is none, or none that can be read."""
        try:
            return Facts(**json.loads(self._file.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, facts: Facts) -> None:
        """Raises OutputError."""
        part = self._file.with_suffix(".part")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(asdict(facts)), "utf-8")
            part.replace(self._file)
        except OSError as error:
            raise OutputError(name=str(self._file), reason=error.strerror or error) from error

    def remove(self) -> None:
        self._file.unlink(missing_ok=True)
