"""Who may log in: a file of names and argon2 hashes, ``{"ann": "$argon2id$…"}``, for its owner's eyes only."""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from heygem.errors import OptionInvalid, UsersUnusable

LEAST, MOST = 8, 256
"""Characters of a password."""


class Users:
    """The file is read anew when it has changed, so that a running server follows it.

    Every method raises UsersUnusable where the file is damaged or out of reach.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash("")  # what an unknown name is compared with: takes as long as a known one
        self._seen: tuple[int, ...] = ()
        self._hashes: dict[str, str] = {}

    def exists(self) -> bool:
        """Whether there is a file, even one without a user or one that cannot be read."""
        try:
            return self.file.exists()
        except OSError:
            return True

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._read())

    def set(self, name: str, password: str) -> bool:
        """A new user (True), or a new password for a known one (False). Raises OptionInvalid."""
        name = _one_form(name)
        if not re.fullmatch(r"[\w.@+-]{1,64}", name):
            raise OptionInvalid(option="the name", value=f"“{name}”", allowed="1 to 64 letters, digits and . _ @ + -")
        if not LEAST <= len(password) <= MOST:
            allowed = f"{LEAST} to {MOST} characters"
            raise OptionInvalid(option="the password", value=f"{len(password)} characters long", allowed=allowed)
        known = self._read()
        self._write({**known, name: self._hasher.hash(_normal(password))})
        return name not in known

    def remove(self, name: str) -> None:
        """Raises OptionInvalid where there is no such user. Their sessions end at once."""
        known = dict(self._read())
        if known.pop(_one_form(name), None) is None:
            raise OptionInvalid(option="the name", value=f"“{name}”", allowed=", ".join(known) or "add a user first")
        self._write(known)

    def check(self, name: str, password: str) -> bool:
        """Is this the password? Slow on purpose, and as slow for names that do not exist."""
        known = self._read().get(_one_form(name))
        try:
            return self._hasher.verify(known or self._nobody, _normal(password)) and known is not None
        except (VerificationError, InvalidHashError):
            return False

    def mark(self, name: str) -> str | None:
        """A short text that changes with the password; None for an unknown name. It says nothing about the password."""
        known = self._read().get(_one_form(name))
        return known and hashlib.sha256(known.encode()).hexdigest()[:16]

    def _read(self) -> dict[str, str]:
        try:
            state = self.file.stat()
            seen = (state.st_mtime_ns, state.st_size, state.st_ino)
            if seen != self._seen:
                self._hashes, self._seen = _parsed(self.file), seen
        except FileNotFoundError:
            self._hashes, self._seen = {}, ()
        except OSError as error:
            raise UsersUnusable(name=str(self.file), reason=error.strerror or error) from error
        return self._hashes

    def _write(self, hashes: dict[str, str]) -> None:
        part = self.file.with_name(self.file.name + ".part")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as sink:
                json.dump(hashes, sink, ensure_ascii=False, indent=1)
            part.replace(self.file)
        except OSError as error:
            raise UsersUnusable(name=str(self.file), reason=error.strerror or error) from error


def _parsed(file: Path) -> dict[str, str]:
    reason = "it is not a list of names and hashed passwords"
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError:
        raise UsersUnusable(name=str(file), reason=reason) from None
    if not isinstance(found, dict) or not all(isinstance(one, str) and one[:1] == "$" for one in found.values()):
        raise UsersUnusable(name=str(file), reason=reason)
    return {_one_form(name): known for name, known in found.items()}


def _one_form(name: str) -> str:
    """Upper and lower case, wide and narrow letters are the same name."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)
