"""Webhooks against a real server on this machine, which ``private=True`` allows."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from heygem.errors import AddressRefused, AddressUnknown, WebhookFailed
from heygem.notify import guard, webhook
from heygem.notify.webhook import Message

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@dataclass
class Receiver:
    port: int = 0
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    body: Callable[[Any], None] = lambda stream: None

    def url(self, path: str = "/hook?key=1", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            state.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, content))
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.end_headers()
            state.body(self.wfile)

        def do_GET(self) -> None:
            state.got.append((self.path, {}, b""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02}).start()
    yield state
    server.shutdown()
    server.server_close()


def test_the_message_arrives_exactly_and_its_signature_holds(receiver: Receiver) -> None:
    at = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    message = Message("job.done", {"job": "a1", "name": "早安.mp4"}, id="msg_7", at=at)
    webhook.send(receiver.url(), message, SECRET, private=True)
    [(path, headers, content)] = receiver.got
    assert path == "/hook?key=1" and headers["host"] == f"127.0.0.1:{receiver.port}"
    assert headers["content-type"] == "application/json" and headers["webhook-id"] == "msg_7"
    assert content.decode() == (
        '{"type":"job.done","timestamp":"2026-03-01T08:30:00+00:00","data":{"job":"a1","name":"早安.mp4"}}'
    )
    assert Webhook(SECRET).verify(content, headers) == json.loads(content)
    signed = f"msg_7.{headers['webhook-timestamp']}.".encode() + content
    expected = base64.b64encode(hmac.digest(bytes(range(32)), signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 5


def test_without_a_secret_it_goes_out_unsigned_and_every_message_has_its_own_id(receiver: Receiver) -> None:
    for _ in range(2):
        webhook.send(receiver.url(), Message("job.done", {}), private=True)
    (_, first, _), (_, second, _) = receiver.got
    assert "webhook-signature" not in first and first["webhook-id"] != second["webhook-id"]


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 307, {"Location": receiver.url("/inside")}
    with pytest.raises(WebhookFailed, match="HTTP 307"):
        webhook.send(receiver.url(), Message("job.done", {}), SECRET, private=True)
    assert [path for path, *_ in receiver.got] == ["/hook?key=1"]


def test_a_refusal_of_the_receiver_is_an_error_that_keeps_the_query_to_itself(receiver: Receiver) -> None:
    receiver.status = 500
    with pytest.raises(WebhookFailed) as caught:
        webhook.send(receiver.url("/hook?key=secret"), Message("job.done", {}), private=True)
    assert "HTTP 500" in caught.value.message and "secret" not in caught.value.message


def test_private_addresses_are_not_called(receiver: Receiver) -> None:
    for host in ("127.0.0.1", "localhost", "2130706433"):
        with pytest.raises(AddressRefused):
            webhook.send(receiver.url(host=host), Message("job.done", {}), SECRET)
    assert receiver.got == []


def test_a_name_that_changes_its_address_after_the_check_gains_nothing(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the name stands for an allowed address, then for another one: only the first is ever connected to.

    The resolver is patched, since the name server of an attacker is what is played here; 127.0.0.1 is the allowed one.
    """
    replies, real = iter(["127.0.0.1", "127.0.0.2", "127.0.0.2"]), socket.getaddrinfo

    def resolve(host: Any, *more: Any, **options: Any) -> Any:
        host = host.decode() if isinstance(host, bytes) else host
        return real(next(replies) if host == "rebind.example" else host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    webhook.send(receiver.url(host="rebind.example"), Message("job.done", {}), private=True)
    assert next(replies) == "127.0.0.2", "the name was looked up once"
    assert receiver.got[0][1]["host"] == f"rebind.example:{receiver.port}"


def test_the_next_address_is_tried_where_the_first_is_not_reached(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "check", lambda *_: ["127.0.0.3", "127.0.0.1"])  # nobody listens on the first
    webhook.send(receiver.url(host="two.example"), Message("job.done", {}))
    assert len(receiver.got) == 1


def certificate(folder: Path, name: str) -> Path:
    """Key and certificate in one PEM file, signed by itself."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    made, key = folder / "made.pem", folder / "key.pem"
    options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    extension = ["-addext", f"subjectAltName=DNS:{name}"]
    command = ["openssl", "req", *options, *extension, "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    made.write_text(made.read_text() + key.read_text())
    return made


def test_the_certificate_is_that_of_the_name_although_the_address_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "check", lambda *_: ["127.0.0.1"])
    pem, names = certificate(tmp_path, "hook.example"), []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.sni_callback = lambda _, name, __: names.append(name)

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with context.wrap_socket(self.request, server_side=True) as stream:
                while not stream.recv(65536).endswith(b"}"):
                    pass
                stream.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        with pytest.raises(WebhookFailed, match="certificate"):
            webhook.send(f"https://hook.example:{port}/", Message("job.done", {}))
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        webhook.send(f"https://hook.example:{port}/", Message("job.done", {}))
        with pytest.raises(WebhookFailed, match="certificate"):
            webhook.send(f"https://other.example:{port}/", Message("job.done", {}))
        server.shutdown()
    assert names == ["hook.example", "hook.example", "other.example"]


def test_a_silent_server_and_a_dripping_one_end_in_time(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT", 0.6)
    released = threading.Event()

    class Drip(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(b"HTTP/1.1 200 OK\r\n")
            while not released.wait(0.05):
                self.request.sendall(b"x-drip: 1\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Drip) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        receiver.port = server.server_address[1]
        began = time.monotonic()
        with pytest.raises(WebhookFailed, match="in time"):
            webhook.send(receiver.url(), Message("job.done", {}), private=True)
        assert 0.5 < time.monotonic() - began < 2
        released.set()
        server.shutdown()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection, says nothing
        receiver.port = silent.getsockname()[1]
        with pytest.raises(WebhookFailed, match="in time"):
            webhook.send(receiver.url(), Message("job.done", {}), private=True)


def test_an_endless_answer_is_not_read(receiver: Receiver) -> None:
    sent, ended = [0], threading.Event()

    def endless(stream: Any) -> None:
        try:
            while sent[0] < 1 << 30:
                stream.write(bytes(1 << 16))
                sent[0] += 1 << 16
        except OSError:
            ended.set()

    receiver.status, receiver.body = 200, endless
    webhook.send(receiver.url(), Message("job.done", {}), private=True)
    assert ended.wait(5) and sent[0] < 32 << 20, "what fits into the buffers of the sockets, and no more"


def test_nobody_there_and_no_such_name_may_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(WebhookFailed, match="connection failed"):
        webhook.send(f"http://127.0.0.1:{port}/", Message("job.done", {}), private=True)
    with pytest.raises(AddressUnknown):
        webhook.send("http://no-such-host.invalid/", Message("job.done", {}))


def test_five_tries_within_about_an_hour_and_never_at_the_same_moment() -> None:
    waits = [[webhook.next_try(attempt) or 0 for _ in range(50)] for attempt in range(1, 5)]
    assert webhook.next_try(5) is None
    assert 0.8 * 3435 <= sum(map(max, waits)) <= 1.2 * 3435
    for pause, drawn in zip(webhook.PAUSES, waits, strict=True):
        assert 0.8 * pause <= min(drawn) < max(drawn) <= 1.2 * pause
