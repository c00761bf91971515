"""What is made for one answer: a file in a private folder, which is gone before the answer has been read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from api.intake import uploads
from heygem.errors import OutputError
from heygem.settings import Settings

_BLOCK = 1 << 20  # bytes that are sent at once


@contextmanager
def own_folder(settings: Settings) -> Iterator[Path]:
    """A private folder for the time of the block. Raises OutputError."""
    folder = uploads(settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        own = TemporaryDirectory(dir=folder)
    except OSError as error:
        raise OutputError(name=folder.name, reason=error.strerror or str(error)) from error
    with own as path:
        yield Path(path)


def sent(path: Path, kind: str, disposition: str) -> Response:
    """The content of a file that may be removed now: it stays open until it is sent, whatever becomes of the answer."""
    file = path.open("rb")
    headers = {"Content-Length": str(path.stat().st_size), "Content-Disposition": disposition}
    headers["Cache-Control"] = "private, no-store"
    blocks = iter(lambda: file.read(_BLOCK), b"")
    return StreamingResponse(blocks, headers=headers, media_type=kind, background=BackgroundTask(file.close))
