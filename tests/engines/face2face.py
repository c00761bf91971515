"""A face2face service with the habits of the original, as a real server: it says once how a task ended."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

DATA = "/code/data/temp/"
BEFORE = ("busy", "unlisted", "redirect", "refused", "login", "nothing", "overloaded")
"""Mischief instead of the work; all other ("broken", "hanging", "garbled", "foreign") comes behind it."""


class Face2Face:
    """folder: what it knows as /code/data/temp. film: what it makes. mischief: what goes wrong with the next requests
    to an address, by its last word, one after the other. told: progress that it tells, one value for each question,
    before it is done."""

    def __init__(self, folder: Path, film: bytes) -> None:
        self.folder, self.film = folder, film
        self.mischief: dict[str, deque[str]] = {"submit": deque(), "query": deque()}
        self.told: list[Any] = [0, 10, 20]
        self.fails, self.result = "", "/{code}-r.mp4"
        self.served: dict[str, bytes] = {}  # files at addresses
        self.tasks: dict[str, list[Any]] = {}
        self.begun: list[dict[str, Any]] = []
        self.found: list[bool] = []  # did the files of a task lie in the folder?
        self.paths: list[str] = []

    def submit(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["code"] in self.tasks:
            return reply(10005, "任务已存在，正在执行中")
        self.begun.append(asked)
        names = [asked[name].removeprefix(DATA) for name in ("audio_url", "video_url")]
        self.found.append(all((self.folder / name).is_file() for name in names))
        self.tasks[asked["code"]] = list(self.told)
        return reply(10000, "成功", {"code": asked["code"]})

    def query(self, code: str) -> dict[str, Any]:
        if code not in self.tasks:
            return reply(10004, "任务不存在")
        if self.tasks[code]:
            said = {"status": 1, "progress": self.tasks[code].pop(0), "result": "", "msg": ""}
            return reply(10000, "", {"code": code, **said})
        del self.tasks[code]
        if self.fails:
            return reply(10000, "", {"code": code, "status": 3, "progress": 20, "result": "", "msg": self.fails})
        if self.film:
            (self.folder / f"{code}-r.mp4").write_bytes(self.film)
        done = {"status": 2, "progress": 100, "result": self.result.format(code=code), "msg": "任务完成"}
        return reply(10000, "", {"code": code, **done})


def reply(code: int, msg: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"code": code, "success": True, "msg": msg, "data": data or {}}


class Stage:
    """The server: ``service`` is who answers, ``address`` where."""

    def __init__(self) -> None:
        self.service: Face2Face
        self.address = ""
        self.app = FastAPI()
        self.app.post("/easy/submit")(self.submit)
        self.app.get("/easy/query")(self.query)
        self.app.get("/{path:path}")(self.file)

    async def submit(self, request: Request) -> Response:
        asked = json.loads(await request.body())
        return await answer(self.service, "submit", lambda service: service.submit(asked))

    async def query(self, code: str) -> Response:
        return await answer(self.service, "query", lambda service: service.query(code))

    def file(self, path: str) -> Response:
        self.service.paths.append(f"/{path}")
        for end, content in self.service.served.items():
            if f"/{path}".endswith(end):
                return Response(content, media_type="video/mp4")
        return Response(status_code=404)


async def answer(service: Face2Face, word: str, work: Callable[[Face2Face], dict[str, Any]]) -> Response:
    service.paths.append(f"/easy/{word}")
    waiting = service.mischief[word]
    mischief = waiting.popleft() if waiting else ""
    body = "" if mischief in BEFORE else json.dumps(work(service), ensure_ascii=False)
    match mischief:
        case "busy":
            body = json.dumps(reply(10001, "忙碌中"))
        case "unlisted":
            body = json.dumps(reply(10004, "任务不存在"))
        case "refused":
            body = json.dumps(reply(10002, "video_url参数缺失"))
        case "redirect":
            return RedirectResponse("http://127.0.0.1:1/easy/submit", 302)
        case "login" | "nothing" | "overloaded":
            return Response(status_code={"login": 401, "nothing": 404, "overloaded": 503}[mischief])
        case "broken":
            return StreamingResponse(broken(body), headers={"content-length": "5000"})
        case "hanging":
            await asyncio.sleep(30)
        case "garbled":
            body = body[:-9]
        case "foreign":
            body = "<html>502 Bad Gateway</html>"
    return HTMLResponse(body)  # not JSON: so does the original


async def broken(body: str) -> AsyncIterator[str]:
    yield body[:20]
    raise ConnectionAbortedError


@contextmanager
def serving() -> Iterator[Stage]:
    stage = Stage()
    server = uvicorn.Server(uvicorn.Config(stage.app, "127.0.0.1", 0, log_level="critical", log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    stage.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield stage
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
