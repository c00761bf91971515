"""The cookie that says who has logged in: signed with a key of this server, for a week, readable by nobody's script."""

from __future__ import annotations

import hashlib

from itsdangerous import BadData, URLSafeTimedSerializer

COOKIE = "heygem_session"
SECONDS = 7 * 86400


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
