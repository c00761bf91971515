"""The folder that HeyGem and the service share: files go in under names that tell nothing, and leave again."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import IO

from loguru import logger

from heygem.engines.remote.watch import Watch
from heygem.errors import RemoteFolderUnusable
from heygem.media.reader import VideoReader
from heygem.media.writer import VideoWriter

DATA = "/code/data/temp"
"""What the service calls the folder."""
STALE = 24 * 3600
"""Seconds after which what a killed process, or a service that worked on for nobody, has left is removed."""
STILL = 2
"""Seconds of the film that a photo becomes."""
_BLOCK = 1 << 20
_OURS = re.compile(r"heygem-[0-9a-f]{16}[-_.].*")


class Corner:
    """What one task has in the folder: everything whose name begins with ``code``. A context manager: it is all removed
    at the end, however that comes. Raises RemoteFolderUnusable."""

    def __init__(self, folder: Path, watch: Watch) -> None:
        self.code = f"heygem-{secrets.token_hex(8)}"
        self.result = f"{self.code}-r.mp4"  # the name that every version of the service gives
        self._folder, self._watch = folder, watch

    def __enter__(self) -> Corner:
        if not self._folder.is_dir():
            raise RemoteFolderUnusable(reason="it is no folder")
        _sweep(self._folder)
        return self

    def __exit__(self, *_: object) -> None:
        for path in self._folder.glob(f"{self.code}*"):
            _remove(path)

    def put(self, source: Path, role: str) -> str:
        """Copies a file; returns what the service calls it. Only the suffix of its name comes along, where harmless."""
        suffix = source.suffix.lower() if re.fullmatch(r"\.[A-Za-z0-9]{1,5}", source.suffix) else ""
        path = self._folder / f"{self.code}-{role}{suffix}"
        with _as_folder_error(), source.open("rb") as given, path.open("xb") as taken:
            copy(given, taken, self._watch)
        return f"{DATA}/{path.name}"

    def put_still(self, photo: Path, role: str) -> str:
        """A photo as a film that stands still: the service takes films alone."""
        path = self._folder / f"{self.code}-{role}.mp4"
        with _as_folder_error(), VideoReader(photo) as reader:
            info = reader.info
            with VideoWriter(path, info.fps, (info.width, info.height), "high", device="cpu") as writer:
                for frame in reader.frames(repeat(0, int(STILL * info.fps))):
                    writer.write(frame)
                    self._watch.beat()
        return f"{DATA}/{path.name}"

    def there(self, name: str) -> bool:
        """A plain file of this name lies in the folder: no link, which could lead out of it."""
        path = self._folder / name
        return path.is_file() and not path.is_symlink()

    def take(self, name: str, to: Path) -> None:
        """Copies a file out of the folder."""
        with _as_folder_error():
            given = (self._folder / name).open("rb")
        with given, to.open("wb") as taken:
            copy(given, taken, self._watch)


def copy(given: IO[bytes], taken: IO[bytes], watch: Watch) -> None:
    """To the end of the file, in blocks, with a tick after each."""
    while block := given.read(_BLOCK):
        taken.write(block)
        watch.beat()


def _sweep(folder: Path) -> None:
    for path in folder.glob("heygem-*"):
        try:
            if _OURS.fullmatch(path.name) and time.time() - path.lstat().st_mtime > STALE:
                _remove(path)
        except FileNotFoundError:
            continue  # another one swept


def _remove(path: Path) -> None:
    """Files of the service may be another user's: what cannot be removed stays, and says so."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("{} stays in the folder shared with the remote service: {}", path.name, error.strerror)


@contextmanager
def _as_folder_error() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RemoteFolderUnusable(reason=error.strerror or str(error)) from error
