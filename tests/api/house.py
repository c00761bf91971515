"""A small house behind the real door: FastAPI routes and a gradio page, secured as app.py does it, on a real server."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from starlette.responses import StreamingResponse

from api import errors
from api.security import secure
from heygem import settings
from heygem.errors import FileMissing
from heygem.users import Users


def config(home: Path, **more: Any) -> settings.Settings:
    return settings.load(home=home, host="127.0.0.1", **more)


def add(config: settings.Settings, name: str = "ann", password: str = "correct horse") -> Users:
    users = Users(config.users)
    users.set(name, password)
    return users


def house() -> FastAPI:
    app = FastAPI()
    errors.install(app)

    @app.get("/health")
    def health() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/api/v1/jobs")
    @app.post("/api/v1/jobs")
    def jobs(request: Request) -> dict[str, str]:
        return {"user": request.state.user}

    @app.get("/api/v1/jobs/{id}")
    def job(id: int) -> None:
        raise FileMissing(name=f"{id}.mp4")

    @app.get("/api/v1/gone")
    def gone() -> None:
        raise HTTPException(410, "It was removed.", {"Retry-After": "9"})

    @app.get("/api/v1/broken")
    def broken() -> None:
        raise ZeroDivisionError("a secret")

    @app.get("/api/v1/events")
    def events() -> StreamingResponse:
        async def ticks() -> AsyncIterator[str]:
            for n in range(3):
                yield f"data: {n}\n\n"
                await asyncio.sleep(0.2)

        return StreamingResponse(ticks(), media_type="text/event-stream")

    @app.post("/easy/submit")
    def submit() -> dict[str, int]:
        return {"code": 10000}

    return gr.mount_gradio_app(app, page(), "/", footer_links=[], show_error=False)


def page() -> gr.Blocks:
    with gr.Blocks(title="House", analytics_enabled=False) as blocks:
        name, file, out = gr.Textbox(label="Name", elem_id="name"), gr.File(elem_id="file"), gr.Textbox(elem_id="out")
        look = gr.HTML(elem_id="look", js_on_load="element.dataset.ran = 'yes'")

        def greet(name: str) -> Iterator[str]:
            for end in (".", "..", "..."):
                yield f"Hello {name}{end}"
                time.sleep(0.1)

        gr.Button("Greet", elem_id="greet").click(greet, name, out, api_name="greet")
        file.upload(lambda path: f"{Path(path).stat().st_size} bytes", file, out, api_name="size")
        name.submit(lambda name: f"<b>{len(name)}</b>", name, look)
    return blocks


@contextmanager
def served(config: settings.Settings, app: Any = None) -> Iterator[str]:
    """The address of the secured house, on a free port."""
    guarded = secure(app or house(), config)
    server = uvicorn.Server(uvicorn.Config(guarded, host="127.0.0.1", port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
