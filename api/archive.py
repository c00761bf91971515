"""A ZIP file that is made while it is sent: no second copy on the disk, a few buffers in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP64_LIMIT, ZIP_FILECOUNT_LIMIT, ZIP_STORED, ZipFile, ZipInfo

from heygem.names import numbered

CHUNK = 1 << 20
_LOCAL, _CENTRAL, _END, _END64 = 30, 46, 22, 76  # bytes of the records without their variable parts


@dataclass(frozen=True)
class Member:
    """A file under the name that it has in the archive. Videos do not shrink: they are stored as they are."""

    name: str
    path: Path
    size: int

    @property
    def large(self) -> bool:
        """Does ``zipfile`` write sizes of 64 bits for it?"""
        return self.size * 1.05 > ZIP64_LIMIT

    def info(self) -> ZipInfo:
        info = ZipInfo.from_file(self.path, self.name, strict_timestamps=False)
        info.file_size, info.compress_type = self.size, ZIP_STORED
        return info


def members(files: Iterable[Path]) -> list[Member]:
    """Equal names, in whatever case, are numbered. Files that are not there are left out."""
    found: dict[str, Member] = {}
    for path in files:
        try:
            size = path.stat().st_size
        except OSError:
            continue
        name = next(name for name in numbered(path.stem, path.suffix) if name.casefold() not in found)
        found[name.casefold()] = Member(name, path, size)
    return [*found.values()]


def length(files: Iterable[Member]) -> int:
    """Bytes of the archive, known before the first is read."""
    offset = directory = number = 0
    for file in files:
        name = len(file.name.encode())
        wide = 2 * (file.size > ZIP64_LIMIT) + (offset > ZIP64_LIMIT)
        directory += _CENTRAL + name + (4 + 8 * wide if wide else 0)
        offset += _LOCAL + name + file.size + (20 + 24 if file.large else 16)
        number += 1
    wide = number > ZIP_FILECOUNT_LIMIT or offset > ZIP64_LIMIT or directory > ZIP64_LIMIT
    return offset + directory + _END + (_END64 if wide else 0)


def stream(files: Iterable[Member]) -> Iterator[bytes]:
    """The archive in pieces."""
    pipe = _Pipe()
    with ZipFile(pipe, "w") as archive:  # pyright: ignore
        for file in files:
            with file.path.open("rb") as source, archive.open(file.info(), "w") as target:
                while chunk := source.read(CHUNK):
                    target.write(chunk)
                    yield pipe.take()
    yield pipe.take()


class _Pipe:
    """What ``zipfile`` takes for a file that cannot be rewound."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def take(self) -> bytes:
        """All that was written since."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
