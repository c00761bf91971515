"""The cookie that says who has logged in: signed with a key of this server, for a week, readable by nobody's script."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from heygem.errors import OutputError

COOKIE = "heygem_session"
SECONDS = 7 * 86400
_KEY = 32


class Seal:
    """Signs ``(name, mark)``. The mark changes with the password, so that a new password ends the old sessions."""

    def __init__(self, key: bytes) -> None:
        options = {"digest_method": hashlib.sha256}
        self._signer = URLSafeTimedSerializer(key, salt=COOKIE, signer_kwargs=options)

    def close(self, name: str, mark: str) -> str:
        """The value of the cookie."""
        return str(self._signer.dumps([name, mark]))

    def open(self, value: str) -> tuple[str, str] | None:
        """(name, mark) where the cookie is ours, whole and not too old."""
        try:
            name, mark = self._signer.loads(value, max_age=SECONDS)
        except (BadData, ValueError):
            return None
        return name, mark


def key_of(home: Path) -> bytes:
    """The key in the file ``session.key``, made on the first call, with mode 600. Raises OutputError."""
    file = home / "session.key"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            with tempfile.NamedTemporaryFile(dir=home, prefix="session.key.", suffix=".part") as part:  # mode 600
                part.write(secrets.token_bytes(_KEY))
                part.flush()
                with suppress(FileExistsError):  # another process was faster; its key counts
                    os.link(part.name, file)
        key = file.read_bytes()
    except OSError as error:
        raise OutputError(name=str(file), reason=error.strerror or error) from error
    if len(key) < _KEY:
        raise OutputError(name=str(file), reason="the file is cut short; remove it")
    return key
