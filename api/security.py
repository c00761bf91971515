"""What every request and every answer passes, before and after the routes. Plain ASGI: streams stay streams."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import answer
from api.login import Login
from heygem.errors import OriginRefused
from heygem.settings import Settings

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
"""Nothing is fetched from or sent to other sites. Inline scripts and eval are what gradio is made of."""
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "content-security-policy": POLICY,
}
_SAFE = ("GET", "HEAD", "OPTIONS")


def secure(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The whole server behind its door: login, no requests from foreign pages, CORS, headers."""
    app = OwnPages(Login(app, settings), settings.cors_origins)
    if settings.cors_origins:
        app = CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["*"],
            expose_headers=["Content-Disposition", "Location", "Retry-After"],
        )
    elsewhere = settings.storage == "s3" and settings.keep_local == "remove"
    return SafeHeaders(app, media="https: http:" if elsewhere else "")


class SafeHeaders:
    """Middleware: adds the headers above to every answer that does not set its own. media: where players may fetch
    from beside this server, for results that lie in the storage alone."""

    def __init__(self, app: ASGIApp, media: str = "") -> None:
        self.app = app
        policy = POLICY.replace("media-src 'self'", f"media-src 'self' {media}") if media else POLICY
        self._headers = {**HEADERS, "content-security-policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)


class OwnPages:
    """Middleware: pages of other sites cannot act in the name of who looks at them, nor read answers.

    A request that changes something must come from a page of this server, of a trusted origin, or from no browser at
    all. Requests with a token are left alone: a browser does not add one by itself.
    """

    def __init__(self, app: ASGIApp, trusted: tuple[str, ...] = ()) -> None:
        self.app, self._trusted = app, trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        if scope.get("method") not in _SAFE and not self._is_own(headers):
            return await _refuse(scope, receive, send, headers.get("origin", ""))
        # Gradio would let every origin read what its reader may read, credentials included.
        kept = [(name, value) for name, value in scope["headers"] if name != b"origin"]
        await self.app({**scope, "headers": kept}, receive, send)

    def _is_own(self, headers: Headers) -> bool:
        origin, site = headers.get("origin", ""), headers.get("sec-fetch-site")
        if origin.lower() in self._trusted or headers.get("authorization", "").lower().startswith("bearer "):
            return True
        if site is not None:
            return site in ("same-origin", "none")
        hosts = (headers.get("host"), headers.get("x-forwarded-host"))  # behind a proxy the latter is what one typed
        return not origin or origin.partition("://")[2] in hosts


async def _refuse(scope: Scope, receive: Receive, send: Send, origin: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        return await send({"type": "websocket.close", "code": 1008})
    await answer(OriginRefused(origin=origin or "another site"))(scope, receive, send)
