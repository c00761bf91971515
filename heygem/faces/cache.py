"""A folder of finished analyses: one folder per key, complete or not there at all, the least recently used go first."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

MOST = 4 << 30
"""Bytes that the cache may take."""
_MANIFEST = "entry.json"
_ABANDONED = 24 * 3600  # seconds after which a half-written entry belongs to nobody any more

_in_use: WeakValueDictionary[str, Entry] = WeakValueDictionary()


class Entry:
    """A complete entry: its ``folder`` and the ``facts`` it was kept with. Alive, it is not evicted by this process."""

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self.folder, self.facts = folder, facts
        _in_use[str(folder)] = self


def content_key(path: Path) -> str:
    """sha256 of a file's content, hexadecimal, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Cache:
    """Entries in ``root``. Safe for several processes: an entry appears under its name by one rename."""

    def __init__(self, root: Path, most: int = MOST) -> None:
        self._root, self._most = root, most

    def find(self, key: str) -> Entry | None:
        """The entry of ``key``; None where there is none or where it is damaged, which removes it."""
        folder = self._root / key
        try:
            manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
            whole = all((folder / name).stat().st_size == size for name, size in manifest["files"].items())
            facts = manifest["facts"]
        except FileNotFoundError:
            whole, facts = False, {}
        except (ValueError, KeyError, TypeError, AttributeError):
            whole, facts = False, {}
        if not whole:
            self.remove(key)
            return None
        os.utime(folder)  # used now
        return _in_use.get(str(folder)) or Entry(folder, facts)

    @contextmanager
    def workshop(self) -> Iterator[Path]:
        """A folder to build an entry in; gone afterwards unless it was kept."""
        self._root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(suffix=".part", dir=self._root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, key: str, workshop: Path, facts: dict[str, Any]) -> Entry:
        """Makes ``workshop`` the entry of ``key``. Where another process was faster, its entry is taken instead."""
        files = {path.name: path.stat().st_size for path in workshop.iterdir() if path.is_file()}
        (workshop / _MANIFEST).write_text(json.dumps({"files": files, "facts": facts}), "utf-8")
        while True:
            try:
                workshop.rename(self._root / key)
                entry = Entry(self._root / key, facts)
                break
            except OSError:
                theirs = self.find(key)  # removes it if it is damaged, and the rename is tried again
                if theirs is not None:
                    entry = theirs
                    break
                if not workshop.is_dir() or (self._root / key).exists():
                    raise
        self._evict()
        return entry

    def remove(self, key: str) -> None:
        """Removes an entry, by a rename first, so that nobody finds half of it."""
        folder = self._root / key
        if folder.exists():
            trash = Path(tempfile.mkdtemp(suffix=".part", dir=self._root))
            try:
                folder.rename(trash / "entry")
            except FileNotFoundError:  # another process was faster
                pass
            finally:
                shutil.rmtree(trash, ignore_errors=True)

    def _evict(self) -> None:
        entries = []
        for folder in self._root.iterdir():
            try:
                used = folder.stat().st_mtime
                if folder.suffix != ".part":
                    entries.append((used, folder, sum(path.stat().st_size for path in folder.iterdir())))
                elif time.time() - used > _ABANDONED:
                    shutil.rmtree(folder, ignore_errors=True)
            except FileNotFoundError:  # another process removed it
                continue
        total = sum(size for _, _, size in entries)
        for _, folder, size in sorted(entries, key=lambda entry: entry[0]):
            if total <= self._most:
                return
            if str(folder) not in _in_use:
                self.remove(folder.name)
                total -= size
