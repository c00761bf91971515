"""Texts over HTTP: spoken into a WAV file, voices, languages, and what happens when too many ask."""

from __future__ import annotations

import io
import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from api.intake import uploads
from heygem.errors import Cancelled
from heygem.say import turn
from tests.api.conftest import Server, served
from tests.notify.receiver import until
from tests.say.speaker import Answer, Speaker


def left(server: Server) -> list[Path]:
    return list(uploads(server.desk.settings).glob("*"))


def test_a_text_becomes_a_sound_that_a_job_takes(server: Server, clip: Path) -> None:
    answer = server.client.post("/api/v1/say", json={"text": "你好，世界", "voice": "espeak:cmn+f3", "speed": 1.5})
    assert answer.status_code == 200 and answer.headers["content-type"] == "audio/wav"
    assert int(answer.headers["content-length"]) == len(answer.content)
    with wave.open(io.BytesIO(answer.content)) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
        assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
        assert 0.4 < len(samples) / sound.getframerate() < 2 and np.abs(samples).max() > 5000
    assert left(server) == [], "nothing stays on the disk"
    files = {"audio": ("speech.wav", answer.content), "video": clip.open("rb")}
    assert server.json("POST", "/api/v1/jobs", 201, files=files)["state"] in ("queued", "running", "done")


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"text": " "}, 422, "say.empty"),
        ({"text": "好" * 20_001}, 422, "say.too_long"),
        ({"text": "hello", "voice": "espeak:xx"}, 422, "say.voice"),
        ({"text": "hello", "voice": "service:alloy"}, 422, "say.voice"),
        ({"text": "東京", "voice": "espeak:ja"}, 422, "say.unreadable"),
        ({"text": "hello", "speed": 3}, 422, "option.invalid"),
        ({"words": "hello"}, 422, "request.invalid"),
    ],
)
def test_what_cannot_be_spoken(server: Server, wish: dict, status: int, code: str) -> None:
    assert server.json("POST", "/api/v1/say", status, json=wish)["error"]["code"] == code
    assert left(server) == []


def test_the_voices(server: Server) -> None:
    items = server.json("GET", "/api/v1/voices")["items"]
    assert {"name": "espeak:yue", "language": "yue", "title": "Chinese (Cantonese)", "service": "espeak"} in items
    assert all(item["service"] == "espeak" for item in items), "no service is set"


def test_the_language_of_a_text(server: Server) -> None:
    found = server.json("POST", "/api/v1/language", json={"text": "Guten Tag, wie geht es Ihnen?"})
    assert (found["code"], found["name"]) == ("de", "Deutsch") and found["sureness"] > 0.8
    assert server.json("POST", "/api/v1/language", json={"text": ""})["code"] == "und"


def test_a_service_speaks_where_it_is_set_and_its_key_stays_here(tmp_path: Path) -> None:
    speaker = Speaker(Answer(), Answer(401, b"wrong key sk-123456789"))
    try:
        with served(tmp_path, None, tts_url=speaker.url, tts_key="sk-123456789", tts_voices="alloy") as server:
            assert server.json("GET", "/api/v1/voices")["items"][0]["name"] == "service:alloy"
            wish = {"text": "hello", "voice": "service:alloy"}
            assert server.client.post("/api/v1/say", json=wish).status_code == 200
            refused = server.client.post("/api/v1/say", json=wish)
    finally:
        speaker.close()
    assert refused.status_code == 502 and refused.json()["error"]["code"] == "say.failed"
    assert "asks for a login" in refused.text and "sk-123456789" not in refused.text


def test_no_more_than_two_at_once(tmp_path: Path) -> None:
    speaker = Speaker(Answer(wait=1.0))
    answers: list[int] = []
    try:
        with served(tmp_path, None, tts_url=speaker.url) as server:
            wish = {"text": "hello", "voice": "service:alloy"}

            def ask() -> None:
                answers.append(server.client.post("/api/v1/say", json=wish).status_code)

            threads = [threading.Thread(target=ask) for _ in range(2)]
            for thread in threads:
                thread.start()
            until(lambda: len(speaker.asked) == 2)
            busy = server.client.post("/api/v1/say", json=wish)
            for thread in threads:
                thread.join()
            again = server.client.post("/api/v1/say", json={"text": "hello"})
    finally:
        speaker.close()
    assert busy.status_code == 503 and busy.headers["retry-after"] == "5"
    assert busy.json()["error"]["code"] == "say.busy"
    assert answers == [200, 200] and again.status_code == 200, "places are free again"


def test_nothing_takes_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "SECONDS", 0.3)
    speaker = Speaker(Answer(wait=3))
    try:
        with served(tmp_path, None, tts_url=speaker.url) as server:
            late = server.json("POST", "/api/v1/say", 502, json={"text": "hello", "voice": "service:alloy"})
            assert "took too long" in late["error"]["message"] and left(server) == []
            with pytest.raises(Cancelled):
                turn.in_turn("hello", tmp_path / "o.wav", "", 1.0, server.desk.settings, stopped=lambda: True)
    finally:
        speaker.close()


def test_a_server_with_a_login_lets_nobody_speak(tmp_path: Path) -> None:
    with served(tmp_path, None, api_token="a-token-of-16-signs") as server:
        for method, path in (("POST", "/api/v1/say"), ("GET", "/api/v1/voices"), ("POST", "/api/v1/language")):
            assert server.json(method, path, 401, json={"text": "hello"})["error"]["code"] == "login.missing"
