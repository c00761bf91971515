"""What every storage does: takes finished videos, gives links to them that end, and removes them."""

from __future__ import annotations

import hashlib
import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from heygem.errors import OptionInvalid
from heygem.finding import Finding

MOST_SECONDS = 604_800
"""Signature v4 allows no link to work for longer: seven days."""
DEAD_DAYS = 3
"""An upload that was begun so long ago is given up."""

Progress = Callable[[int, int], None]
"""``progress(bytes that are there, bytes in all)``, at least every second. It may raise ``Cancelled``."""


def silent(done: int, total: int) -> None:
    """A progress for callers who do not watch."""


@dataclass(frozen=True)
class Meta:
    """name: of the download, in any language. kind: content type."""

    name: str
    kind: str = "video/mp4"


@dataclass(frozen=True)
class Item:
    """What the store says it has. size: bytes. checksum: SHA-256 in hex, where it is known."""

    key: str
    size: int
    checksum: str | None


@dataclass(frozen=True)
class Link:
    """expires: when it really ends, in seconds since the epoch: temporary credentials may end it early. capped: it ends
    before what was asked for."""

    url: str
    expires: float
    capped: bool = False


class Storage(Protocol):
    """All methods raise StorageRefused, StorageUnreachable, or OptionInvalid for a key that is none."""

    @property
    def name(self) -> str:
        """ "local" or "s3"."""
        ...

    def put(self, file: Path, key: str, meta: Meta, progress: Progress = silent) -> Item:
        """Goes on with what a killed process began. What it returns is verified: size and checksum.

        Raises FileMissing, StorageDamaged, and Cancelled when ``progress`` does; then nothing stays there.
        """
        ...

    def link(self, key: str, meta: Meta, seconds: int) -> Link:
        """A new link; ``seconds`` above seven days count as seven days. Nothing is asked of the store."""
        ...

    def exists(self, key: str) -> Item | None:
        """None where there is no such object."""
        ...

    def delete(self, key: str) -> None:
        """Every link to it ends. Also of something that is not there, or not yet whole."""
        ...

    def check(self) -> Iterator[Finding]:
        """Tries everything that is needed, in words for people. Holds no secret."""
        ...

    def sweep(self) -> int:
        """Gives up uploads that are dead (older than three days). How many those were."""
        ...


def checked(key: str) -> str:
    """The key itself. Raises OptionInvalid for one that could lead somewhere else."""
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", key) or ".." in key or len(key.encode()) > 900:
        raise OptionInvalid(option="the key", value=f"“{key}”", allowed="letters, digits and . _ - with / between them")
    return key


def key_of(prefix: str, folder: str, token: str, name: str) -> str:
    """``prefix/2026-11-21/folder/token-name.mp4``: ASCII, so that links survive every chat program."""
    plain = unicodedata.normalize("NFKD", Path(name).stem).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "video"
    return f"{prefix}/{date.today().isoformat()}/{folder}/{token}-{slug}.mp4"


def disposition(name: str) -> str:
    """Content-Disposition with a name in any language, and one in ASCII for old programs."""
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode())
    stem, dot, end = plain.rpartition(".")
    plain = plain if re.search(r"[A-Za-z0-9]", stem) else f"video{dot}{end}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def ends(seconds: int) -> tuple[float, int]:
    """(when a link for so many seconds ends at the latest, the seconds that are allowed)."""
    allowed = min(max(seconds, 1), MOST_SECONDS)
    return time.time() // 1 + allowed, allowed


def short_hash(*words: str) -> str:
    """32 hex digits that stand for these words."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]
