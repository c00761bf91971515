"""``heygem say``, ``heygem language`` and ``heygem lipsync --text`` as a user meets them."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from heygem import cli
from heygem.media.probe import probe, probe_sound
from tests.say.speaker import Answer, Speaker


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_text_becomes_a_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["say", "你好，世界"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert Path(said[0]) == here / "speech.wav" and said[1].endswith("s, espeak:cmn")
    assert 0.5 < probe_sound(here / "speech.wav").seconds < 2
    assert cli.main(["say", "hello", "--voice", "espeak:en-gb+m3", "--speed", "0.5", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["voice"], made["service"]) == ("espeak:en-gb+m3", "espeak") and made["seconds"] > 0.5
    assert Path(made["path"]).name == "speech (2).wav", "a default name replaces nothing"


def test_a_text_from_a_file_and_from_the_input(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "speech.txt").write_text("Bonjour tout le monde", "utf-8-sig")
    assert cli.main(["say", "--file", "speech.txt", "--out", "a.wav"]) == 0
    assert "espeak:fr-fr" in capsys.readouterr().out and (here / "a.wav").is_file()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Добрый день".encode())))
    assert cli.main(["language", "--file", "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["code"] == "ru"
    assert cli.main(["language", "你好，世界"]) == 0
    assert capsys.readouterr().out.split()[:2] == ["zh", "中文"]


def test_a_long_file_may_be_cut_within_a_sign(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "novel.txt").write_text("好" * 400_000, "utf-8")
    assert cli.main(["language", "--file", "novel.txt"]) == 0
    assert capsys.readouterr().out.split()[0] == "zh"
    (here / "cut.txt").write_bytes("你好".encode()[:-1])
    assert cli.main(["language", "--file", "cut.txt"]) == 1, "a short one was cut by somebody else"
    assert cli.main(["language", "--file", str(here)]) == 1
    assert "Is a directory" in capsys.readouterr().err


def test_the_list_of_voices(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEYGEM_TTS_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HEYGEM_TTS_VOICES", "alloy, nova")
    assert cli.main(["say", "--voices"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["service:alloy", "service:nova"]
    assert any(line.split() == ["espeak:yue", "Chinese", "(Cantonese)"] for line in lines)
    assert cli.main(["say", "--voices", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(lines)


def test_a_service_is_asked_with_its_key_which_nobody_sees(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    speaker = Speaker(Answer(), Answer(403))
    for name, value in {"URL": speaker.url, "KEY": "sk-123456789", "MODEL": "tts-9"}.items():
        monkeypatch.setenv(f"HEYGEM_TTS_{name}", value)
    assert cli.main(["say", "hello", "--voice", "service:alloy"]) == 0
    assert cli.main(["say", "hello", "--voice", "service:alloy"]) == 1
    speaker.close()
    _, headers, body = speaker.asked[0]
    assert headers["authorization"] == "Bearer sk-123456789" and body["model"] == "tts-9"
    said = capsys.readouterr()
    assert "asks for a login" in said.err and "sk-123456789" not in said.err + said.out


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("say.empty", ["say", "…"]),
        ("say.voice", ["say", "hello", "--voice", "bob"]),
        ("say.unreadable", ["say", "你好", "--voice", "espeak:en-us"]),
        ("option.invalid", ["say", "hello", "--speed", "5"]),
        ("option.invalid", ["say", "hello", "--out", "a.mp3"]),
        ("option.invalid", ["say"]),
        ("option.invalid", ["say", "hello", "--file", "a.txt"]),
        ("input.missing", ["say", "--file", "nobody.txt"]),
        ("input.unreadable", ["language", "--file", "bad.txt"]),
        ("output.failed", ["say", "hello", "--out", "nowhere/a.wav"]),
        ("option.invalid", ["lipsync", "--video", "p.mp4", "--text", "hello", "--audio", "a.wav"]),
        ("option.invalid", ["lipsync", "--video", "p.mp4", "--text", "hello", "--face", "0=a.wav"]),
        ("option.invalid", ["lipsync", "--video", "p.mp4", "--audio", "a.wav", "--voice", "espeak:cmn"]),
        ("say.voice", ["lipsync", "--video", "p.mp4", "--text", "hello", "--voice", "bob"]),
    ],
)
def test_refusals(here: Path, capsys: pytest.CaptureFixture[str], code: str, arguments: list[str]) -> None:
    (here / "bad.txt").write_bytes(b"\xff\xfe\x00caf\xe9")
    assert cli.main(arguments) == (2 if code == "option.invalid" else 1)
    said = capsys.readouterr()
    assert said.out == "" and f"[{code}]" in said.err and "hint: " in said.err
    assert [path.name for path in here.iterdir()] == ["bad.txt"]


def test_a_photo_speaks_a_text(shell, portrait: Path) -> None:
    made = shell.take("--video", portrait, "--text", "Hello everybody, how are you?", "--quality", "draft")
    found = probe(shell.folder / "portrait_text.mp4")
    assert made["path"].endswith("portrait_text.mp4") and found.sound is not None
    assert 1 < found.sound.seconds < 4 and not [name for name in shell.files() if name.endswith((".wav", ".part"))]
    assert not any("no voice" in warning for warning in made["warnings"])
