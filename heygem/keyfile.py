"""Keys of this server: random bytes in a file that only its owner may read, made when they are first needed."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from heygem.errors import OutputError

_BYTES = 32


def key_of(file: Path) -> bytes:
    """The key in this file, made on the first call, with mode 600. Raises OutputError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            with tempfile.NamedTemporaryFile(
                dir=file.parent, prefix=f"{file.name}.", suffix=".part"
            ) as part:  # mode 600
                part.write(secrets.token_bytes(_BYTES))
                part.flush()
                with suppress(FileExistsError):  # another process was faster; its key counts
                    os.link(part.name, file)
        key = file.read_bytes()
    except OSError as error:
        raise OutputError(name=str(file), reason=error.strerror or error) from error
    if len(key) < _BYTES:
        raise OutputError(name=str(file), reason="the file is cut short; remove it")
    return key
