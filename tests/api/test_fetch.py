"""Inputs by their address."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.api.conftest import served
from tests.api.test_easy import submit


@contextmanager
def files(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            if self.path.startswith("/away"):
                self.send_response(302)
                self.send_header("location", "/person.mp4")
                self.end_headers()
            else:
                super().do_GET()

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{web.server_port}"
        web.shutdown()


def test_inputs_by_their_address(tmp_path, clip, sound):
    (tmp_path / "person.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "big.mp4").write_bytes(b"x" * (3 << 20))
    (tmp_path / "声音.wav").write_bytes(sound().read_bytes())
    with files(tmp_path) as web, served(tmp_path / "p", None, easy_fetch="private", max_upload_mb=2) as server:
        assert submit(server, "web", f"{web}/声音.wav?token=1", f"{web}/person.mp4")["code"] == 10000
        job = server.queue.store.by_key("easy:web")
        assert job and job.name == "person_声音" and job.request.video.read_bytes() == clip.read_bytes()
        for path, says in (("none.mp4", "404"), ("away.mp4", "302"), ("big.mp4", "2 MB")):
            answer = submit(server, "bad", f"{web}/声音.wav", f"{web}/{path}")
            assert answer["code"] == 10002 and says in answer["msg"], answer
        for none in ("http://127.0.0.1:9/x.wav", "http://[", "http://host:port/a.wav", "http://xn--0/a.wav"):
            assert submit(server, "bad", none, "x.mp4")["code"] == 10002
        assert not [*(server.desk.settings.home / "uploads").rglob("*.*")]
    with files(tmp_path) as web, served(tmp_path / "q", None, easy_fetch="public") as server:
        answer = submit(server, "web", f"{web}/声音.wav", f"{web}/person.mp4")
        assert answer["code"] == 10002 and "private" in answer["msg"]


def test_a_disk_that_takes_no_inputs(tmp_path, clip):
    (tmp_path / "person.mp4").write_bytes(clip.read_bytes())
    with files(tmp_path) as web, served(tmp_path / "p", None, easy_fetch="private") as server:
        (server.desk.settings.home / "uploads").write_text("a file where a folder should be")
        answer = submit(server, "web", f"{web}/person.mp4", f"{web}/person.mp4")
        assert answer["code"] == 9999 and "uploads" in answer["msg"]
