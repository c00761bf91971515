"""The login: a page of its own, a session in a signed cookie, a token for programs. Off until somebody sets it up."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
import re
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, quote

import anyio
from loguru import logger
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.attempts import Attempts
from api.errors import answer
from api.reading import bounded
from api.session import COOKIE, SECONDS, Seal
from api.words import say
from heygem.errors import HeyGemError, LoginMissing
from heygem.keyfile import key_of
from heygem.language import language_of
from heygem.settings import Settings
from heygem.users import Users

OPEN = ("/health",)
"""Paths that never need a login, beside those of the login itself."""
SHARED = "/share/"
"""Below this a signature in the address stands for the login."""
PROGRAMS = ("/api/", "/easy/", "/gradio_api/")
"""Below these an answer is JSON, never the login page."""
_PAGE = Path(__file__).with_name("login.html")
_LARGEST = 8192  # bytes of a filled-in form


def warning(settings: Settings) -> str | None:
    """One line for the start of a server that everybody in the network can use."""
    users = Users(settings.users)
    if users.exists() or settings.users_file or settings.api_token or _is_loopback(settings.host):
        return None
    return (
        "没有设置登录，同一网络里的任何人都能使用；运行“heygem users add 用户名”即可要求登录。"
        " No login: everybody in this network can use the page; “heygem users add NAME” asks for one."
    )


class Login:
    """Middleware. Lets nothing through but what carries a session or the token, if there is a login at all.

    The name of the user stands in ``scope["state"]["user"]``; programs with the token have the name "".
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self._settings = app, settings
        self._users = Users(settings.users)
        self._token = settings.api_token.get_secret_value() if settings.api_token else ""
        self._by_address, self._by_name = Attempts(free=20), Attempts(free=5)
        self._one = anyio.Lock()  # one password at a time: guesses cannot overtake their waits, nor fill the memory
        self._page = Template(_PAGE.read_text("utf-8"))
        self._kept: Seal | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        connection = HTTPConnection(scope)
        if scope["type"] == "http" and scope["path"] in ("/login", "/logout"):
            response = await self._door(Request(scope, receive))
            return await response(scope, receive, send)
        try:
            user = self._user(connection)
        except HeyGemError as error:
            logger.error("{} {}", error.message, error.hint)
            user = None
        if user is not None or scope["path"] in OPEN or scope["path"].startswith(SHARED):
            scope.setdefault("state", {})["user"] = user or ""
            return await self.app(scope, receive, send)
        if scope["type"] == "websocket":
            await receive()
            return await send({"type": "websocket.close", "code": 1008})
        await _refusal(connection)(scope, receive, send)

    def _user(self, connection: HTTPConnection) -> str | None:
        """The name behind a request; "" for the token and where there is no login; None: unknown."""
        if not self._is_on():
            return ""
        kind, _, token = connection.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self._is_token(token.strip()):
            return ""
        opened = self._seal().open(connection.cookies.get(COOKIE, ""))
        if opened is None:
            return None
        name, mark = opened
        return name if mark and hmac.compare_digest(mark, self._mark(name) or "") else None

    def _is_on(self) -> bool:
        return bool(self._token or self._settings.users_file) or self._users.exists()

    def _has_names(self) -> bool:
        """Without users the token is the password of the page."""
        return self._users.exists() or not self._token

    def _is_token(self, given: str) -> bool:
        return bool(self._token) and hmac.compare_digest(given.encode(), self._token.encode())

    def _mark(self, name: str) -> str | None:
        if name or self._has_names():
            return self._users.mark(name)
        return hashlib.sha256(self._token.encode()).hexdigest()[:16]

    def _seal(self) -> Seal:
        self._kept = self._kept or Seal(key_of(self._settings.home / "session.key"))
        return self._kept

    async def _door(self, request: Request) -> Response:
        """``/login`` and ``/logout``."""
        allowed = ("POST",) if request.url.path == "/logout" else ("GET", "HEAD", "POST")
        if request.method not in allowed:
            return Response(status_code=405, headers={"Allow": ", ".join(allowed)})
        try:
            if request.url.path == "/logout":
                response: Response = RedirectResponse("/login", 303)
                response.delete_cookie(COOKIE)
                return response
            if request.method == "POST":
                return await self._enter(request)
            if self._user(request) is not None:
                return RedirectResponse(_inside(request.query_params.get("next", "")), 303)
            return self._form(request, request.query_params.get("next", ""))
        except HeyGemError as error:
            logger.error("{} {}", error.message, error.hint)
            return self._form(request, "", "broken", status=500)

    async def _enter(self, request: Request) -> Response:
        form = await _form_of(request)
        if form is None:
            return Response(status_code=413)
        name, after = form.get("name", "")[:64], form.get("next", "")
        keys = ((self._by_address, request.client and request.client.host), (self._by_name, name.casefold()))
        async with self._one:
            if seconds := math.ceil(max(attempts.wait(key) for attempts, key in keys)):
                response = self._form(request, after, "wait", name, status=429, seconds=seconds)
                response.headers["Retry-After"] = str(seconds)
                return response
            if not await self._is_right(name, form.get("password", "")):
                for attempts, key in keys:
                    attempts.mistaken(key)
                logger.warning("a login from {} failed", keys[0][1])  # without the name: it may be a password
                return self._form(request, after, "wrong" if self._has_names() else "wrong_token", name, status=401)
        self._by_name.forget(name.casefold())
        name = name if self._has_names() else ""
        response = RedirectResponse(_inside(after), 303)
        secure = request.url.scheme == "https"
        value = self._seal().close(name, self._mark(name) or "")
        response.set_cookie(COOKIE, value, SECONDS, httponly=True, samesite="lax", secure=secure)
        return response

    async def _is_right(self, name: str, password: str) -> bool:
        if not self._has_names():
            return self._is_token(password)
        return await anyio.to_thread.run_sync(self._users.check, name, password)

    def _form(
        self, request: Request, after: str, problem: str = "", name: str = "", status: int = 200, seconds: int = 0
    ) -> Response:
        language = language_of(request.headers, self._settings.language)
        text = problem and say(problem, language, seconds=seconds)
        page = self._page.substitute(
            lang={"zh": "zh-CN"}.get(language, language),
            title=say("title", language),
            problem=text and f'<p class="problem" id="problem" role="alert">{escape(text)}</p>',
            next=escape(_inside(after)),
            name=_field(say("name", language), name) if self._has_names() else "",
            secret=say("password" if self._has_names() else "token", language),
            autofocus="autofocus" if name or not self._has_names() else "",
            enter=say("enter", language),
            forgotten=say("forgotten", language),
        )
        return HTMLResponse(page, status, {"Cache-Control": "no-store", "Vary": "cookie, accept-language"})


def _field(label: str, name: str) -> str:
    focus = "" if name else "autofocus"
    return (
        f'<label for="name">{label}</label><input id="name" name="name" value="{escape(name)}" autocomplete="username" '
        f'autocapitalize="none" spellcheck="false" maxlength="64" required {focus}>'
    )


async def _form_of(request: Request) -> dict[str, str] | None:
    """The fields of a small form; None where it is a large one."""
    body = await bounded(request, _LARGEST)
    if body is None:
        return None
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _refusal(connection: HTTPConnection) -> Response:
    """The way to the login page for somebody who opens a page, JSON for everything else."""
    url, wants = connection.url, connection.headers.get("accept", "")
    if connection.scope["method"] in ("GET", "HEAD") and "text/html" in wants and not url.path.startswith(PROGRAMS):
        after = f"{url.path}?{url.query}" if url.query else url.path
        return RedirectResponse("/login" if after == "/" else f"/login?next={quote(after, safe='/')}", 303)
    return answer(LoginMissing())


def _inside(after: str) -> str:
    """A path on this server, whatever somebody wrote into the link to the login page."""
    return after if re.fullmatch(r"/(?![/\\])[^\\\s\x00-\x1f]*", after) else "/"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
