"""A folder of finished analyses: one folder per key, complete or not there at all, the least recently used go first."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from errno import EEXIST, ENOTEMPTY
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import numpy as np
from filelock import FileLock, Timeout
from loguru import logger

T = TypeVar("T")
Arrays = dict[str, np.ndarray]
Beat = Callable[[], None]
"""A sign of life during long work. It may raise: the work then stops and leaves nothing behind."""

MOST = 4 << 30
"""Bytes that the cache may take."""
PATIENCE = 1.0
"""Seconds between two beats of one who waits."""
_MANIFEST, _ARRAYS = "entry.json", "found.npz"
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


def reserve(path: Path) -> None:
    """Gives a file that is going to be written through a map its room on the disk. Raises OSError where there is too
    little, which the system would answer by killing the process."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


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
        with suppress(OSError):  # a read-only folder may be read all the same
            os.utime(folder)  # used now
        return _in_use.get(str(folder)) or Entry(folder, facts)

    @contextmanager
    def workshop(self, key: str, beat: Beat) -> Iterator[Path]:
        """An empty folder to build entries in, gone afterwards: for one process and thread at a time per ``key``.

        The others wait and call ``beat`` every second; afterwards they look whether the entry is there by now. The
        system ends the wait when the process that works is killed.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        folder = self._root / f"{key}.part"
        with _locked(self._root / f"{key}.lock", beat):
            shutil.rmtree(folder, ignore_errors=True)  # of one who was killed
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def keep(self, key: str, built: Path, facts: dict[str, Any]) -> Entry:
        """Makes the folder ``built`` the entry of ``key``. Where another process was faster, its entry is taken."""
        files = {path.name: path.stat().st_size for path in built.iterdir() if path.is_file()}
        (built / _MANIFEST).write_text(json.dumps({"files": files, "facts": facts}), "utf-8")
        while True:
            try:
                built.rename(self._root / key)
                entry = Entry(self._root / key, facts)
                break
            except OSError as error:
                theirs = self.find(key)  # removes it if it is damaged, and the rename is tried again
                if theirs is not None:
                    entry = theirs
                    break
                if error.errno not in (EEXIST, ENOTEMPTY) or (self._root / key).exists():
                    raise
        self._evict()
        return entry

    def entry(self, key: str, fill: Callable[[Path], None], beat: Beat) -> Entry:
        """The entry of ``key``; where there is none, ``fill`` puts its files into a folder, once for all who ask."""
        entry = self.find(key)
        if entry is None:
            with self.workshop(key, beat) as folder:
                entry = self.find(key)
                if entry is None:
                    fill(folder)
                    entry = self.keep(key, folder, {})
        return entry

    def arrays(self, key: str, find: Callable[[], Arrays], beat: Beat) -> Arrays:
        """The arrays that ``find`` finds: once, and then shared with all who ask for ``key``."""

        def fill(folder: Path) -> None:
            np.savez(folder / _ARRAYS, allow_pickle=False, **find())

        def load(store: Cache) -> Arrays:
            with np.load(store.entry(key, fill, beat).folder / _ARRAYS) as found:
                return dict(found)

        return self.attempt(load)

    def attempt(self, work: Callable[[Cache], T]) -> T:
        """``work`` with this cache. Where its folder fails (full, read-only, not there), once more with a cache in the
        temporary folder, which is gone afterwards: files have to be open or mapped by then."""
        try:
            return work(self)
        except OSError as error:
            logger.warning("the cache cannot be used, so the work is done without it: {}", error)
        with tempfile.TemporaryDirectory(prefix="heygem-", ignore_cleanup_errors=True) as folder:
            return work(Cache(Path(folder), sys.maxsize))

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

    def forget(self, unused: float) -> int:
        """Removes the entries that nobody used for ``unused`` seconds. How many those were."""
        keys = [path.parent.name for path in self._root.glob(f"*/{_MANIFEST}")]
        old = [key for key in keys if self._idle(key) > unused and str(self._root / key) not in _in_use]
        for key in old:
            self.remove(key)
        return len(old)

    def _idle(self, key: str) -> float:
        try:
            return time.time() - (self._root / key).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _evict(self) -> None:
        entries = []
        for folder in self._root.iterdir():
            try:
                used = folder.stat().st_mtime
                if folder.suffix not in (".part", ".lock"):
                    entries.append((used, folder, sum(path.stat().st_size for path in folder.iterdir())))
                elif time.time() - used > _ABANDONED:
                    shutil.rmtree(folder, ignore_errors=True) if folder.is_dir() else folder.unlink()
            except FileNotFoundError:  # another process removed it
                continue
        total = sum(size for _, _, size in entries)
        for _, folder, size in sorted(entries, key=lambda entry: entry[0]):
            if total <= self._most:
                return
            if str(folder) not in _in_use:
                self.remove(folder.name)
                total -= size


@contextmanager
def _locked(path: Path, beat: Beat) -> Iterator[None]:
    """One at a time. The kernel lets go of the lock when the process dies, however it does."""
    lock = FileLock(path)
    while True:
        try:
            lock.acquire(timeout=PATIENCE)
            break
        except Timeout:
            beat()
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # first: who waits for a file without a name begins anew
        lock.release()
