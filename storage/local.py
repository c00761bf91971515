"""This server itself: links to results on its disk, signed with a key of its own, that end.

Nothing is copied: what is shared is a pointer, so a result that is removed takes its links with it.
"""

from __future__ import annotations

import hmac
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from heygem.errors import FileMissing, LinkExpired, LinkRefused, OptionInvalid, OutputError, ResultGone
from heygem.finding import Finding
from heygem.keyfile import key_of
from heygem.settings import Settings
from storage.base import Item, Link, Meta, Progress, checked, ends, silent

PATH = "/share/"
"""Where the links lead to on this server."""


class Local:
    """Links are ``<public_url>/share/<key>?name=…&kind=…&expires=…&signature=…``."""

    name = "local"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def put(self, file: Path, key: str, meta: Meta, progress: Progress = silent) -> Item:
        if not file.is_file():
            raise FileMissing(name=file.name)
        pointer = self._pointer(key)
        part = pointer.with_name(f"{pointer.name}.part")
        try:
            pointer.parent.mkdir(parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            part.symlink_to(file.absolute())
            part.replace(pointer)
        except OSError as error:
            raise OutputError(name=str(pointer), reason=error.strerror or error) from error
        size = file.stat().st_size
        progress(size, size)
        return Item(key, size, None)

    def link(self, key: str, meta: Meta, seconds: int) -> Link:
        expires, allowed = ends(seconds)
        said = {"name": meta.name, "kind": meta.kind, "expires": f"{expires:.0f}"}
        query = urlencode({**said, "signature": self._signature(checked(key), said)}, quote_via=quote)
        return Link(f"{self._settings.public_url or ''}{PATH}{quote(key)}?{query}", expires, allowed < seconds)

    def open_link(self, path_and_query: str) -> tuple[Path, Meta]:
        """What a link of ours leads to. Raises LinkRefused, LinkExpired, ResultGone."""
        link = urlsplit(path_and_query)
        given = {name: values[-1] for name, values in parse_qs(link.query).items()}
        signature = given.pop("signature", "")
        try:
            key = checked(unquote(link.path).partition(PATH)[2])
            said = {name: given[name] for name in ("name", "kind", "expires")}
        except (OptionInvalid, KeyError):
            raise LinkRefused from None
        if not hmac.compare_digest(signature.encode(), self._signature(key, said).encode()):
            raise LinkRefused
        if float(said["expires"]) <= time.time():
            raise LinkExpired
        pointer = self._pointer(key)
        if not pointer.is_file():
            raise ResultGone(name=said["name"])
        return pointer.resolve(), Meta(said["name"], said["kind"])

    def exists(self, key: str) -> Item | None:
        pointer = self._pointer(key)
        return Item(key, pointer.stat().st_size, None) if pointer.is_file() else None

    def delete(self, key: str) -> None:
        pointer = self._pointer(key)
        pointer.unlink(missing_ok=True)
        self._tidy(pointer.parent)

    def check(self) -> Iterator[Finding]:
        folder = self._settings.shared
        try:
            folder.mkdir(parents=True, exist_ok=True)
            key_of(self._key_file)
        except (OSError, OutputError) as error:
            yield Finding("links", "missing", str(error), "Give the user of HeyGem the right to write there.")
        else:
            state = "ok" if os.access(folder, os.W_OK) else "missing"
            yield Finding("links", state, f"this server shares its results itself; {folder}")
        if self._settings.public_url:
            yield Finding("address", "ok", self._settings.public_url)
        else:
            remedy = "Set HEYGEM_PUBLIC_URL, so that links also work in messages."
            yield Finding("address", "note", "links begin with the address that the browser shows", remedy)

    def sweep(self) -> int:
        """Removes pointers to results that are gone."""
        dead = [path for path in self._settings.shared.rglob("*") if path.is_symlink() and not path.exists()]
        for path in dead:
            path.unlink(missing_ok=True)
            self._tidy(path.parent)
        return len(dead)

    @property
    def _key_file(self) -> Path:
        return self._settings.home / "share.key"

    def _signature(self, key: str, said: dict[str, str]) -> str:
        text = json.dumps([key, *said.values()])
        return hmac.digest(key_of(self._key_file), text.encode(), "sha256").hex()

    def _pointer(self, key: str) -> Path:
        return self._settings.shared / checked(key)

    def _tidy(self, folder: Path) -> None:
        """Removes folders that are empty now."""
        with suppress(OSError):
            while folder != self._settings.shared:
                folder.rmdir()
                folder = folder.parent
