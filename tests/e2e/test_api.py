"""The HTTP API as its users meet it: the examples, the documentation, and a real take."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from heygem.jobs.worker import lipsync
from tests.api.conftest import clip, send, served, sound

__all__ = ["clip", "send", "sound"]
ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
TOKEN = "a-token-of-sixteen-letters"


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """Another web server, on which somebody has put the example."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{web.server_port}"
        web.shutdown()


@pytest.mark.browser
def test_the_page_of_the_examples(chromium: Any, tmp_path: Path, clip: Path, sound: Any) -> None:
    """On the page of another site, with a token: upload, progress, preview, download, cancel, refusal."""
    with site(EXAMPLES) as web, served(tmp_path, cors_origins=web, api_token=TOKEN) as server:
        context = chromium.new_context(accept_downloads=True)
        page = context.new_page()
        page.goto(f"{web}/browser.html")
        page.fill("[name=server]", server.address)
        page.set_input_files("[name=audio]", sound("slow"))
        page.set_input_files("[name=video]", clip)
        said = page.locator("#text")
        page.click("text=Generate")
        said.filter(has_text="login").wait_for()
        page.fill("[name=token]", TOKEN)
        page.click("text=Generate")
        said.filter(has_text="render").wait_for()
        said.filter(has_text="done").wait_for()
        assert page.locator("progress").get_attribute("value") == "1"
        page.wait_for_function("document.querySelector('video').videoWidth == 128")
        with page.expect_download() as waiting:
            page.click("text=Download")
        assert waiting.value.suggested_filename == "person_slow.mp4"
        waiting.value.save_as(tmp_path / "result.mp4")
        assert (tmp_path / "result.mp4").read_bytes() == clip.read_bytes()
        page.set_input_files("[name=audio]", sound("long"))
        page.click("text=Generate")
        page.click("text=Cancel")
        said.filter(has_text="cancelled").wait_for(timeout=5000)
        page.set_input_files("[name=audio]", {"name": "letter.wav", "mimeType": "audio/wav", "buffer": b"Dear Sir"})
        page.click("text=Generate")
        said.filter(has_text="letter.wav").wait_for()
        context.close()


def client(server: Any, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, EXAMPLES / "client.py", "--server", server.address, "--out", folder, *arguments]
    return subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, check=False)


def test_the_client_of_the_examples(tmp_path: Path, clip: Path, sound: Any) -> None:
    with served(tmp_path) as server:
        one = client(server, tmp_path, "--audio", sound("slow"), clip)
        assert one.returncode == 0, one.stderr
        assert "person_slow: running render" in one.stdout and "person_slow: done" in one.stdout
        assert (tmp_path / "person_slow.mp4").read_bytes() == clip.read_bytes()
        other = tmp_path / "人.mp4"
        other.write_bytes(clip.read_bytes())
        many = client(server, tmp_path, "--audio", sound("talk"), clip, other)
        assert many.returncode == 0, many.stderr
        with zipfile.ZipFile(many.stdout.splitlines()[-1]) as archive:
            assert archive.namelist() == ["person_talk.mp4", "人_talk.mp4"] and archive.testzip() is None
        failed = client(server, tmp_path, "--audio", sound("faceless"), clip)
        assert failed.returncode == 1 and "No usable face" in failed.stdout
        refused = client(server, tmp_path, "--audio", clip, clip)
        assert refused.returncode == 1 and "has no sound" in refused.stderr


def test_a_download_that_broke_off_goes_on(tmp_path: Path, clip: Path, send: Any, monkeypatch: Any) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    from client import HeyGem  # pyright: ignore[reportMissingImports]

    with served(tmp_path) as server:
        job = server.wait(send(server).json()["id"])
        whole = clip.read_bytes()
        (tmp_path / "x.mp4.part").write_bytes(whole[:1000])
        assert HeyGem(server.address).download(job["links"]["result"], tmp_path / "x.mp4").read_bytes() == whole


@pytest.mark.browser
def test_the_documentation_needs_no_internet(chromium: Any, tmp_path: Path) -> None:
    with served(tmp_path, None) as server:
        context = chromium.new_context()
        asked: list[str] = []
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.goto(f"{server.address}/docs")
        page.locator("#operations-jobs-submit_api_v1_jobs_post").wait_for(timeout=15_000)
        context.close()
        assert len(asked) >= 4 and all(url.startswith((server.address, "data:", "blob:")) for url in asked), asked


@pytest.mark.slow
def test_a_real_take(tmp_path: Path, portrait: Path, voice: Path) -> None:
    """A real face, a real voice, the real engine: sent as files and as /easy names them."""
    with served(tmp_path, lipsync, easy_folder=tmp_path) as server:
        files = {"audio": voice.open("rb"), "video": portrait.open("rb")}
        job = server.json("POST", "/api/v1/jobs", 201, files=files, data={"quality": "draft"})
        for path in (portrait, voice):
            (tmp_path / path.name).write_bytes(path.read_bytes())
        asked = {"code": "real", "audio_url": "voice.wav", "video_url": "portrait.png"}
        assert server.json("POST", "/easy/submit", json=asked)["code"] == 10000
        job = server.wait(job["id"])
        assert job["result"]["frames"] == 50 and 0 < job["result"]["score"] <= 100
        (tmp_path / "take.mp4").write_bytes(server.client.get(job["links"]["result"]).content)
        easy = server.queue.store.by_key("easy:real")
        assert easy
        server.wait(easy.id)
        assert server.json("GET", "/easy/query?code=real")["data"]["width"] == 512
        for file in ("take.mp4", "real-r.mp4"):
            with av.open(str(tmp_path / file)) as film:
                assert film.streams.video[0].frames == 50 and film.streams.audio
        assert httpx.get(server.address + "/health", trust_env=False).json()["queue"]["running"] == 0
