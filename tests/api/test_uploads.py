"""Uploads: names that mean harm, uploads that break off, and what memory they take. Names instead of uploads."""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from starlette.requests import Request

from api.reading import bounded
from tests.api.conftest import Server, served


def strays(server: Server) -> list[Path]:
    home, outputs = server.desk.settings.home, server.desk.settings.outputs
    arrived = [Path(folder, name) for folder, inside, files in os.walk(home / "uploads") for name in (*inside, *files)]
    return [path for path in (*arrived, *outputs.glob("*/*")) if path.name != "api"]  # os.walk: folders may vanish


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../../../tmp/x.mp4", "x.mp4"),
        ("C:\\clips\\x.mp4", "x.mp4"),
        ("/etc/cron.d/x.mp4", "x.mp4"),
        ("..", "file"),
        ("a\u202eb\u0007.mp4", "ab.mp4"),
        ("人物 1.MP4", "人物 1.mp4"),
        ("🙂.mp4", "🙂.mp4"),
        ("x" * 300 + ".mp4", "x" * 80 + ".mp4"),
        ("x.mp4;rm -rf", "x"),
        ("x.m$p4", "x"),
        ("con?.mp4", "con.mp4"),
    ],
)
def test_a_name_is_only_a_name(idle, clip, sound, given, kept):
    # By hand: clients clean names before they send them.
    part = b'--B\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\nContent-Type: video/mp4\r\n\r\n%b\r\n'
    body = part % (b"video", given.replace("\\", "\\\\").encode(), clip.read_bytes())
    body += part % (b"audio", b"voice.wav", sound().read_bytes()) + b"--B--\r\n"
    kind = {"content-type": "multipart/form-data; boundary=B"}
    answer = idle.client.post("/api/v1/jobs", content=body, headers=kind)
    assert answer.status_code == 201, answer.text
    job = idle.queue.need(answer.json()["id"])
    assert answer.json()["video"] == kept
    assert job.request.video.is_relative_to(idle.desk.settings.outputs)
    assert job.request.video.read_bytes() == clip.read_bytes()
    assert job.request.audio.read_bytes() == sound().read_bytes()


def test_an_upload_that_breaks_off_leaves_nothing(idle, clip):
    host, port = urlsplit(idle.address).hostname, urlsplit(idle.address).port
    with socket.create_connection((host, port)) as line:
        head = "POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\n"
        line.sendall(f"{head}Content-Length: 900000\r\n\r\n".encode())
        part = '--B\r\nContent-Disposition: form-data; name="video"; filename="p.mp4"\r\n\r\n'
        line.sendall(part.encode() + clip.read_bytes())
        deadline = time.monotonic() + 5
        while not strays(idle) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert strays(idle), "it is on the disk while it arrives"
    deadline = time.monotonic() + 5
    while strays(idle) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert strays(idle) == []
    assert idle.json("GET", "/api/v1/jobs")["total"] == 0


@pytest.mark.parametrize(("most", "whole"), [(24, False), (30, True)])
def test_a_small_body_is_read_no_further_than_allowed(most: int, whole: bool) -> None:
    chunks = [{"type": "http.request", "body": b"x" * 10, "more_body": left > 0} for left in range(3)]

    async def receive():
        return chunks.pop()

    assert asyncio.run(bounded(Request({"type": "http"}, receive), most)) == (b"x" * 30 if whole else None)
    chunks = [{"type": "http.request", "body": b"x" * 10, "more_body": True}] * 9
    assert asyncio.run(bounded(Request({"type": "http"}, receive), 24)) is None and len(chunks) == 6


def test_what_a_dead_server_left_is_gone_after_the_start(tmp_path):
    left = tmp_path / "home" / "uploads" / "api" / "x"
    left.mkdir(parents=True)
    (left / "half.mp4").write_bytes(b"half")
    with served(tmp_path, None):
        assert not left.exists()


def test_a_large_upload_stays_out_of_memory(tmp_path, sound):
    """300 MB of nonsense: refused by its content, after it went to the disk."""
    with served(tmp_path, None) as server:
        line = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=60)
        head = b'--B\r\nContent-Disposition: form-data; name="video"; filename="p.mp4"\r\n\r\n'
        size = 300 << 20
        before = psutil.Process().memory_info().rss
        line.putrequest("POST", "/api/v1/jobs")
        line.putheader("Content-Type", "multipart/form-data; boundary=B")
        line.putheader("Content-Length", str(len(head) + size + 9))
        line.endheaders()
        line.send(head)
        chunk, most = os.urandom(1 << 20), 0
        for _ in range(300):
            line.send(chunk)
            most = max(most, psutil.Process().memory_info().rss)
        line.send(b"\r\n--B--\r\n")
        assert line.getresponse().status == 422
        assert most - before < 64 << 20
        assert strays(server) == []


def test_a_file_above_the_limit_is_cut_off_while_it_arrives(tmp_path, clip):
    with served(tmp_path, None, max_upload_mb=1) as server:
        files = {"video": ("p.mp4", b"x" * (40 << 20)), "audio": ("v.wav", b"x")}
        answer = server.client.post("/api/v1/jobs", files=files)
        assert answer.status_code == 413 and "HEYGEM_MAX_UPLOAD_MB" in answer.json()["error"]["hint"]
        assert strays(server) == []


def test_a_job_by_the_names_of_files(server, clip, sound: Callable[..., Path]):
    inputs = server.desk.settings.input_folder
    (inputs / "sub").mkdir()
    (inputs / "sub" / "人.mp4").write_bytes(clip.read_bytes())
    (inputs / "voice.wav").write_bytes(sound().read_bytes())
    names = {"video": "sub/人.mp4", "audio": "voice.wav"}
    job = server.json("POST", "/api/v1/jobs", 201, json={**names, "options": {"strength": 0.4}, "quality": "draft"})
    assert job["options"]["strength"] == 0.4 and job["name"] == "人_voice"
    server.wait(job["id"])
    kept = server.queue.need(job["id"]).request.audio
    assert not kept.samefile(inputs / "voice.wav"), "the user may change his file"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.mp4",
        "/etc/passwd",
        "sub/../../secret.mp4",
        "link.mp4",
        "way/secret.mp4",
        "circle.mp4",
        "",
        ".",
        "a\0b",
        "..%2fsecret.mp4",
        "~/secret.mp4",
        "x" * 5000,
        "none.mp4",
    ],
)
def test_names_do_not_lead_out_of_the_folder(server, clip, name):
    inputs = server.desk.settings.input_folder
    (inputs.parent / "secret.mp4").write_bytes(clip.read_bytes())
    for link, to in (("link.mp4", inputs.parent / "secret.mp4"), ("way", inputs.parent), ("circle.mp4", "circle.mp4")):
        if not (inputs / link).is_symlink():
            (inputs / link).symlink_to(to)
    answer = server.client.post("/api/v1/jobs", json={"video": name, "audio": name})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "option.invalid")
    assert str(inputs) not in answer.text


def test_names_are_refused_where_no_folder_is_set(idle):
    answer = idle.client.post("/api/v1/jobs", json={"video": "a.mp4", "audio": "a.wav"})
    assert answer.status_code == 422 and "HEYGEM_INPUT_FOLDER" in answer.json()["error"]["hint"]
