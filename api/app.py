"""The HTTP side of HeyGem: one app with all routes for programs. The page is mounted on it afterwards."""

from __future__ import annotations

import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api import (
    batches,
    compare,
    deliveries,
    detect,
    easy,
    engines,
    errors,
    events,
    health,
    jobs,
    queue,
    results,
    say,
    share,
)
from api.desk import PREFIX, Desk
from api.intake import uploads
from heygem import __version__
from heygem.jobs.job import Failure
from heygem.notify.post import Post

_ABOUT = "A voice and a face in, a talking video out. Guide: docs/api.md."

_TOKEN = [Depends(HTTPBearer(auto_error=False))]
"""For the documentation alone, which then sends one: who may come in is decided at the door."""


def _english(failure: Failure) -> str:
    return f"{failure.message} {failure.hint}"


def create(desk: Desk, explain: easy.Explain = _english) -> FastAPI:
    """The app; nothing runs before its server starts. ``app.state.closing`` is to be set before that server stops, so
    that streams of events end. explain: the words of /easy, whose clients show them to people."""
    app = FastAPIOffline(
        title="HeyGem",
        description=_ABOUT,
        version=__version__,
        redoc_url=None,
        static_url="/docs/files",
        lifespan=_lifespan,
    )
    app.state.desk, app.state.explain, app.state.closing = desk, explain, threading.Event()
    for area in (jobs, batches, detect, queue, engines, events, results, compare, deliveries, say):
        app.include_router(area.router, prefix=PREFIX, dependencies=_TOKEN)
    app.include_router(easy.router, dependencies=_TOKEN)
    app.include_router(health.router)
    app.include_router(share.router)
    app.include_router(_nothing, prefix="/api")
    errors.install(app)
    app.add_exception_handler(ClientDisconnect, _gone)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    desk: Desk = app.state.desk
    shutil.rmtree(uploads(desk.settings), ignore_errors=True)
    post = Post(desk.queue.store, desk.settings, deliveries.message(desk), easy.courier(desk.settings))
    post.start()
    try:
        yield
    finally:
        app.state.closing.set()
        post.close()


async def _gone(_: Request, __: Exception) -> Response:
    """The upload broke off: nobody reads this."""
    return Response(status_code=400)


_nothing = APIRouter()


@_nothing.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
def nothing(path: str) -> Response:
    """An address of the API that does not exist is said to be missing; it is not the page."""
    raise HTTPException(404, f"There is no /api/{path}.")
