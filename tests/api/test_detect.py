"""Faces over HTTP, through the child process that the page uses, too."""

from __future__ import annotations

import base64
import io
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.api.conftest import Server, served
from tests.notify.receiver import until


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without workers, with a folder of inputs."""
    folder = tmp_path_factory.mktemp("looking")
    (folder / "inputs").mkdir()
    with served(folder, None, input_folder=folder / "inputs") as server:
        yield server


def test_a_face_and_where_it_is(looking: Server, portrait: Path) -> None:
    with portrait.open("rb") as file:
        found = looking.json("POST", "/api/v1/detect", files={"video": ("人.png", file)})
    assert (found["has_face"], found["count"], found["coverage"], found["still"]) == (True, 1, 1.0, True)
    assert (found["width"], found["height"]) == (512, 512) and found["preview"] is None
    [frame] = found["frames"]
    [face] = frame["faces"]
    x0, y0, x1, y1 = face["box"]
    assert x0 < 225 < x1 and y0 < 118 < y1 and face["usable"] and face["why"] == ""
    assert set(found["findings"]) <= {"narrow"}
    assert [*(looking.desk.settings.home / "uploads" / "api").glob("*")] == [], "nothing is kept"


def test_a_picture_only_where_it_is_asked_for(looking: Server, portrait: Path) -> None:
    inputs = looking.desk.settings.input_folder
    assert inputs is not None
    (inputs / "ann.png").write_bytes(portrait.read_bytes())
    found = looking.json("POST", "/api/v1/detect?preview=true", json={"video": "ann.png"})
    kind, _, data = found["preview"].partition(",")
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert kind == "data:image/jpeg;base64" and (picture.format, picture.size) == ("JPEG", (512, 512))
    x0, y0, _, y1 = map(round, found["frames"][0]["faces"][0]["box"])
    side = np.asarray(picture.convert("RGB"))[y0 + 20 : y1 - 20, x0 : x0 + 2]
    red, green, _ = side.mean(axis=(0, 1))
    assert green > red + 50, "the box is green"
    assert looking.json("POST", "/api/v1/detect", json={"video": "ann.png"})["preview"] is None


def test_many_looks_leave_threads_to_others(looking: Server, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, go = looking.desk.settings.input_folder, threading.Event()
    assert inputs is not None
    (inputs / "clip.mp4").write_bytes(clip.read_bytes())
    waiting: list[Path] = []

    def wait(video: Path, *_: object) -> None:
        waiting.append(video)
        go.wait(20)

    monkeypatch.setattr(looking.desk.preflight, "wait", wait)
    with ThreadPoolExecutor(12) as pool:
        try:
            asked = [pool.submit(looking.client.post, "/api/v1/detect", json={"video": "clip.mp4"}) for _ in range(12)]
            until(lambda: len(waiting) >= 4)
            time.sleep(0.5)  # the others arrive
            assert len(waiting) == 4
        finally:
            go.set()
        assert {one.result().json()["error"]["code"] for one in asked} == {"job.stalled"} and len(waiting) == 12


def test_a_film_without_a_face_is_an_answer_and_no_error(looking: Server, clip: Path) -> None:
    with clip.open("rb") as file:
        found = looking.json("POST", "/api/v1/detect", files={"video": ("clip.mp4", file)})
    assert (found["has_face"], found["count"], found["coverage"]) == (False, 0, 0.0)
    assert len(found["frames"]) == 8 and found["findings"][0] == "no_face"


@pytest.mark.parametrize(
    ("content", "status", "code"), [(b"no film " * 99, 422, "input.unreadable"), (b"", 422, "input.empty")]
)
def test_what_cannot_be_read_is_refused_with_its_reason(
    looking: Server, content: bytes, status: int, code: str
) -> None:
    error = looking.json("POST", "/api/v1/detect", status, files={"video": ("bad.mp4", content)})["error"]
    assert error["code"] == code and "bad.mp4" in error["message"] and error["hint"]


def test_a_request_without_a_file(looking: Server) -> None:
    error = looking.json("POST", "/api/v1/detect", 422, json={})["error"]
    assert error["code"] == "option.invalid" and "video" in error["message"]
