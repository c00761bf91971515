"""The HTTP API from Python: one voice, one video or many; uploads, shows progress, downloads.

    python client.py --server http://localhost:7860 --audio voice.wav person.mp4                -> person_voice.mp4
    python client.py --server http://localhost:7860 --audio voice.wav a.mp4 b.mp4 c.mp4          -> a ZIP file

Needs httpx. A token, if the server wants one, comes from HEYGEM_API_TOKEN.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

FINAL = ("done", "failed", "cancelled")


class HeyGem:
    """A small client; every error is a SystemExit with the words of the server."""

    def __init__(self, server: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = httpx.Timeout(30, write=None)  # an upload takes as long as it takes
        self._http = httpx.Client(base_url=server, headers=headers, timeout=timeout, follow_redirects=True)

    def submit(self, audio: Path, video: Path, **options: Any) -> dict[str, Any]:
        """Queues one job."""
        return self._send("/api/v1/jobs", [("audio", audio), ("video", video)], options)

    def submit_batch(self, audio: Path, videos: list[Path], **options: Any) -> dict[str, Any]:
        """Queues a job for every video."""
        return self._send("/api/v1/batches", [("audio", audio), *(("videos", video) for video in videos)], options)

    def watch(self, what: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """("job" or "batch", its state) whenever something changes. A stream that breaks off is opened again."""
        while True:
            try:
                with self._http.stream("GET", what["links"]["events"]) as stream:
                    self._check(stream)
                    event = ""
                    for line in stream.iter_lines():
                        if line.startswith("event:"):
                            event = line[6:].strip()
                        elif line.startswith("data:"):
                            yield event, json.loads(line[5:])
                    return
            except httpx.TransportError:
                time.sleep(2)

    def download(self, address: str, to: Path) -> Path:
        """Writes to ``to``; goes on where an earlier download broke off."""
        part = to.with_name(to.name + ".part")
        have = part.stat().st_size if part.is_file() else 0
        with self._http.stream("GET", address, headers={"Range": f"bytes={have}-"} if have else {}) as answer:
            self._check(answer)
            with part.open("ab" if answer.status_code == 206 else "wb") as file:
                for chunk in answer.iter_bytes():
                    file.write(chunk)
        return part.replace(to)

    def _send(self, path: str, files: list[tuple[str, Path]], options: dict[str, Any]) -> dict[str, Any]:
        key = {"Idempotency-Key": uuid.uuid4().hex}  # so that a second try makes no second job
        for last in (False, False, True):
            with ExitStack() as opened:
                parts = [(name, (file.name, opened.enter_context(file.open("rb")))) for name, file in files]
                try:
                    answer = self._http.post(path, files=parts, data=options, headers=key)
                except httpx.TransportError as error:
                    if last:
                        sys.exit(f"The server cannot be reached: {error}")
                    time.sleep(2)
                    continue
            if answer.status_code != 429 or last:  # 429: the queue is full
                return self._check(answer).json()
            time.sleep(int(answer.headers["Retry-After"]))
        raise AssertionError

    def _check(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            answer.read()
            error = answer.json()["error"]
            sys.exit(f"{error['message']} {error['hint']}")
        return answer


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes videos speak a recording, on a HeyGem server.")
    parser.add_argument("--server", default="http://localhost:7860")
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(), help="folder for what comes out")
    parser.add_argument("--quality", default="standard", help="draft, standard or high")
    parser.add_argument("videos", type=Path, nargs="+")
    given = parser.parse_args()
    heygem = HeyGem(given.server, os.environ.get("HEYGEM_API_TOKEN", ""))
    if len(given.videos) == 1:
        sent = heygem.submit(given.audio, given.videos[0], quality=given.quality)
    else:
        sent = heygem.submit_batch(given.audio, given.videos, quality=given.quality)
    failed = False
    for kind, now in heygem.watch(sent):
        if kind == "job":
            print(f"{now['name']}: {now['state']} {now['stage']} {100 * now['progress']:.0f} %", flush=True)
            failed |= now["state"] in FINAL[1:]
            if now["state"] == "failed":
                print(f"  {now['error']['message']} {now['error']['hint']}")
    if len(given.videos) > 1:
        print(heygem.download(sent["links"]["zip"], given.out / f"{sent['name']}.zip"))
    elif not failed:
        print(heygem.download(sent["links"]["result"], given.out / f"{sent['name']}.mp4"))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
