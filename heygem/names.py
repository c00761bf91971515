"""Names of files that strangers chose, made harmless."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

_RESERVED = set('<>:"/\\|?*')
_LONGEST = 80  # bytes of a stem in UTF-8: two of them and a suffix stay below the 255 of every file system


def clean_stem(name: str) -> str:
    """The stem of a file name made harmless."""
    return clean(Path(name).stem)


def clean(text: str) -> str:
    """A text as a harmless name: no separators, controls or direction marks; emoji and spaces may stay."""
    kept = "".join(
        " " if sign in _RESERVED or unicodedata.category(sign) in ("Zl", "Zp") else sign
        for sign in unicodedata.normalize("NFC", text)
        if unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    short = " ".join(kept.split()).strip(". ").encode()[:_LONGEST].decode(errors="ignore").strip(". ")
    return short or "file"


def numbered(stem: str, suffix: str = "") -> Iterator[str]:
    """stem, stem (2), stem (3) … with the suffix behind each."""
    yield stem + suffix
    for n in count(2):
        yield f"{stem} ({n}){suffix}"


def distinct(names: Iterable[str]) -> Iterator[str]:
    """The names; one that came before, in whatever case, gets a number: name, name (2), name (3) …"""
    taken: set[str] = set()
    for name in names:
        free = next(one for one in numbered(name) if one.casefold() not in taken)
        taken.add(free.casefold())
        yield free


def free(path: Path) -> Path:
    """The path, or the first of “name (2)”, “name (3)” … that does not exist: a default name replaces nothing."""
    others = map(path.with_name, numbered(path.stem, path.suffix))
    return next(other for other in others if not other.exists())
