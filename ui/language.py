"""Tells gradio which language a browser gets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from heygem.language import language_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCALES = {"zh": "zh-CN", "en": "en"}
"""Our languages as gradio calls them."""


class LanguageDoor:
    """Middleware: tells the page, before any of its scripts runs, which language its reader has.

    Gradio asks ``navigator.language`` and has no setting for it, and its own ``head`` comes too late.
    """

    def __init__(self, app: ASGIApp, default: str = "auto") -> None:
        self.app, self.default = app, default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            return await self.app(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        page: list[Message] = []

        async def hold(message: Message) -> None:
            page.append(message)

        await self.app(scope, receive, hold)
        await _send_page(page, language_of(headers, self.default), send)


async def _send_page(page: list[Any], language: str, send: Send) -> None:
    start, body = page[0], b"".join(message.get("body", b"") for message in page[1:])
    locale = json.dumps(LOCALES[language])
    script = f'<script>Object.defineProperty(navigator, "language", {{get: () => {locale}}})</script>'
    body = body.replace(b"<head>", b"<head>" + script.encode(), 1)
    kept = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    length = (b"content-length", str(len(body)).encode())
    await send({**start, "headers": [*kept, length, (b"vary", b"cookie, accept-language")]})
    await send({"type": "http.response.body", "body": body})
