"""A speech service on this machine, which behaves as a test wants: it answers with a tone of a known length."""

from __future__ import annotations

import io
import json
import threading
import time
import wave
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

RATE = 24000


def tone(seconds: float, rate: int = RATE, channels: int = 1) -> bytes:
    """A WAV file of 440 Hz."""
    samples = (8000 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(np.repeat(samples, channels).tobytes())
    return file.getvalue()


@dataclass(frozen=True)
class Answer:
    """sent: how many bytes of the body really go out; wait: seconds before the answer."""

    status: int = 200
    body: bytes = field(default_factory=lambda: tone(0.5))
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None
    wait: float = 0.0


class Speaker:
    """asked: what came, with its headers in lower case. Gives the answers in their order, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self._answers = list(answers) or [Answer()]
        self._lock = threading.Lock()
        mine = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with mine._lock:
                    mine.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                    answer = mine._answers.pop(0) if len(mine._answers) > 1 else mine._answers[0]
                time.sleep(answer.wait)
                self.send_response(answer.status)
                for name, value in {"content-length": str(len(answer.body)), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body[: answer.sent])

            def log_message(self, *_: object) -> None: ...

        self._web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._web.serve_forever, args=(0.02,), daemon=True).start()
        self.host = f"127.0.0.1:{self._web.server_port}"
        self.url = f"http://{self.host}/v1"

    def close(self) -> None:
        self._web.shutdown()
        self._web.server_close()
