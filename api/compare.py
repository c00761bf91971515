"""Results side by side in one film."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from api.desk import At, Closing, Desk
from api.models import disposition
from api.once import own_folder, sent
from heygem.finish.compare import FEWEST, MOST
from heygem.jobs.comparison import in_turn

router = APIRouter(tags=["results"])
INTERVAL = 0.5
"""Seconds between two looks at whether somebody still waits."""
_VIDEO: dict[int | str, dict[str, Any]] = {200: {"content": {"video/mp4": {}}}}
Label = Annotated[str, Field(max_length=200)]


class Wish(BaseModel):
    """Results that are to be shown side by side."""

    jobs: list[str] = Field(min_length=FEWEST, max_length=MOST, description="done ones; the sound is that of the first")
    labels: list[Label] | None = Field(None, description="one for each; left out: score and name; empty: none")


@router.post("/compare", response_class=Response, responses=_VIDEO)
async def compare(request: Request, desk: At, closing: Closing, wish: Wish) -> Response:
    """The results in step in one video, made while the request waits, one at a time; nothing is kept."""
    async with _watched(request, closing) as stopped:
        return await run_in_threadpool(_made, desk, wish, stopped)


def _made(desk: Desk, wish: Wish, stopped: Callable[[], bool]) -> Response:
    jobs = [desk.queue.need(id) for id in wish.jobs]
    desk.queue.check_room()
    with own_folder(desk.settings) as folder:
        out = in_turn(jobs, wish.labels, folder / "compare.mp4", stopped)
        return sent(out, "video/mp4", disposition("attachment", out.name))


@asynccontextmanager
async def _watched(request: Request, closing: threading.Event) -> AsyncIterator[Callable[[], bool]]:
    """Says whether nobody waits any more: the client has gone, or the server closes."""
    gone = threading.Event()

    async def watch() -> None:
        while not await request.is_disconnected():
            await asyncio.sleep(INTERVAL)
        gone.set()

    task = asyncio.create_task(watch())
    try:
        yield lambda: gone.is_set() or closing.is_set()
    finally:
        task.cancel()
