"""Small bodies: read with a bound, and JSON that may be anything."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request


async def bounded(request: Request, most: int) -> bytes | None:
    """The body; None, and no more of it is read, where it has more bytes than this."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return body


def json_object(text: str | bytes) -> dict[str, Any] | None:
    """None where it is no JSON object."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
