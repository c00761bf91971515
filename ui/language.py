"""Which language a browser gets: its own, or the one chosen on the page. The server decides, from the headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any

from ui.words import LANGUAGES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "heygem_language"
LOCALES = {"zh": "zh-CN", "en": "en"}
"""Our languages as gradio calls them."""


def language_of(headers: Mapping[str, str], default: str = "auto") -> str:
    """ "zh" or "en". A choice made on the page (cookie) wins over the setting, the setting over the browser."""
    try:
        chosen = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        chosen = None
    if chosen is not None and chosen.value in LANGUAGES:
        return chosen.value
    if default in LANGUAGES:
        return default
    for wish in headers.get("accept-language", "").lower().split(","):
        if (language := wish.strip()[:2]) in LANGUAGES:
            return language
    return LANGUAGES[0]


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
