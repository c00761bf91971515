"""The offline voices: they really speak, Chinese too, in a program of their own that may die."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from heygem.errors import (
    Cancelled,
    OptionInvalid,
    OutputError,
    SayFailed,
    TextEmpty,
    TextUnreadable,
    ToolMissing,
    VoiceUnknown,
)
from heygem.media.probe import probe_sound
from heygem.media.sound import load_sound
from heygem.say import Spoken, chinese, espeak, say, voices
from heygem.speech.features import mel_power
from heygem.speech.motion import loudness
from heygem.speech.voice import voice_activity

GREETING = "大家好，欢迎来到我们的频道，今天聊一聊人工智能的最新进展。"


def spoken(text: str, tmp_path: Path, voice: str = "", speed: float = 1.0) -> Spoken:
    return say(text, tmp_path / "out.wav", voice, speed)


def pitch(path: Path) -> float:
    """Median of the fundamental in Hz, over loud stretches of 64 ms."""
    samples = load_sound(path).samples
    found = []
    for at in range(0, len(samples) - 1024, 1024):
        part = samples[at : at + 1024] - samples[at : at + 1024].mean()
        echo = np.correlate(part, part, "full")[1023:]
        lag = 40 + int(echo[40:266].argmax())
        if part.std() > 0.02 and echo[lag] > 0.4 * echo[0]:
            found.append(16000 / lag)
    return float(np.median(found))


@pytest.fixture(scope="module")
def phonemes() -> dict[str, str]:
    """Mandarin text -> what espeak says for it, by a program of the test's own."""
    program = """
import ctypes, json, sys
from heygem.say.espeak_child import _open
library, _ = _open()
library.espeak_SetVoiceByName(b"sit/cmn")
library.espeak_Synth(b"a", 2, 0, 1, 0, 0x101, None, None)  # from now on brackets hold phonemes
library.espeak_TextToPhonemes.restype = ctypes.c_char_p
def said(text):
    kept = ctypes.create_string_buffer(text.encode())
    at, found = ctypes.c_void_p(ctypes.addressof(kept)), []
    while at.value:
        found.append((library.espeak_TextToPhonemes(ctypes.byref(at), 1, 0) or b"").decode())
    return " ".join(found)
print(json.dumps({text: said(text) for text in json.load(sys.stdin)}))
"""
    common = bytes(byte for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF) for byte in (high, low))
    signs = common.decode("gb2312", "ignore")
    asked = [*signs, *map(chinese.sounded, signs), "你好世界", "银行行长", chinese.sounded("大熊猫"), "大熊猫"]
    done = subprocess.run([sys.executable, "-c", program], input=json.dumps(asked), capture_output=True, text=True)
    return {"signs": signs, **json.loads(done.stdout)}


def test_chinese_signs_have_their_sounds(phonemes: dict[str, str]) -> None:
    assert phonemes["你好世界"] == "ni214X'Au214_| s.'i.51_| tS;'iE51_|"
    assert phonemes["银行行长"].replace("'", "").count("XA35N") == 2, "háng, not xíng"


def test_every_common_chinese_sign_is_spoken_as_chinese(phonemes: dict[str, str]) -> None:
    """The dictionary is whole; the syllables that its rules lack are given as sounds."""
    signs = phonemes["signs"]
    assert len(signs) > 3700
    english = [sign for sign in signs if "(en)" in phonemes[sign]]
    assert {"熊", "兄", "穷", "胸"} <= set(english) <= set(chinese._SOUNDS), "else we need none of our own any more"
    wrong = [sign for sign in signs if not phonemes[chinese.sounded(sign)] or "(en)" in phonemes[chinese.sounded(sign)]]
    assert wrong == []
    assert phonemes[chinese.sounded("大熊猫")] == "t'A51_| S;j'ong35_| m'Au55_|"


def test_mandarin_is_speech_at_a_human_pace(tmp_path: Path) -> None:
    made = spoken(GREETING, tmp_path)
    assert (made.voice, made.service) == ("espeak:cmn", "espeak")
    assert 3.2 < len([sign for sign in GREETING if sign.isalpha()]) / made.seconds < 5.5
    info, sound = probe_sound(made.path), load_sound(made.path)
    assert (info.codec, info.channels, info.rate) == ("pcm_s16le", 1, 22050)
    assert sound.seconds == pytest.approx(made.seconds, abs=0.01) and 0.3 < np.abs(sound.samples).max() < 1.1
    heard = voice_activity(loudness(mel_power(sound.samples)))
    assert heard.mean() > 0.5, "our own ear takes it for a voice"


@pytest.mark.parametrize(
    ("text", "voice"),
    [
        ("你好 OK", "espeak:cmn"),
        ("Welcome to the Beijing 北京 office of our company", "espeak:cmn"),
        ("今日天氣好好，我哋去飲茶", "espeak:yue"),
        ("Hello everybody", "espeak:en-us"),
        ("Bonjour tout le monde", "espeak:fr-fr"),
        ("こんにちは、みなさん", "espeak:ja"),
        ("안녕하세요", "espeak:ko"),
        ("Добрый день", "espeak:ru"),
        ("123", "espeak:en-us"),
    ],
)
def test_without_a_voice_the_language_decides(text: str, voice: str, tmp_path: Path) -> None:
    made = spoken(text, tmp_path)
    assert made.voice == voice and 0.3 < made.seconds < 6


def test_a_language_that_nobody_speaks(tmp_path: Path) -> None:
    with pytest.raises(VoiceUnknown, match="espeak:mn"):
        spoken("Монгол улсын нийслэл Улаанбаатар хот юм.", tmp_path)


def test_speed(tmp_path: Path) -> None:
    slow, normal, fast = (spoken(GREETING, tmp_path, speed=speed).seconds for speed in (0.5, 1, 2))
    assert 1.7 < slow / normal < 2.4 and 1.7 < normal / fast < 2.5


@pytest.mark.parametrize("speed", [0.49, 2.1, float("nan")])
def test_speeds_that_are_none(speed: float, tmp_path: Path) -> None:
    with pytest.raises(OptionInvalid):
        spoken("hello", tmp_path, speed=speed)


def test_a_woman_speaks_higher(tmp_path: Path) -> None:
    man, woman = (pitch(spoken(GREETING, tmp_path, f"espeak:cmn{who}").path) for who in ("", "+f3"))
    assert 70 < man < 130 < 150 < woman < 260


def test_every_voice_of_the_list_can_speak() -> None:
    listed = voices()
    names = {voice.name for voice in listed}
    assert len(names) == len(listed) > 200 and len({voice.language for voice in listed}) * 2 == len(listed)
    assert {"espeak:cmn", "espeak:cmn+f3", "espeak:yue", "espeak:en-us", "espeak:en-gb", "espeak:ja"} <= names
    for voice in listed:
        espeak.Espeak().check("hello", voice.name.partition(":")[2])


@pytest.mark.parametrize("voice", ["espeak:", "espeak:xx", "espeak:cmn+nobody", "espeak:cmn+f3+f3", "cmn", "../../x:y"])
def test_voices_that_are_none(voice: str, tmp_path: Path) -> None:
    with pytest.raises(VoiceUnknown):
        spoken("hello", tmp_path, voice)


@pytest.mark.parametrize(("voice", "text"), [("espeak:en-us", "你好"), ("espeak:ja", "東京は"), ("espeak:cmn", "ひと")])
def test_signs_that_would_be_spelled_are_refused(voice: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(TextUnreadable) as refused:
        spoken(text, tmp_path, voice)
    assert refused.value.details["voice"] == voice and set(refused.value.details["signs"]) <= set(text)
    assert list(tmp_path.iterdir()) == []


def test_markup_is_text(tmp_path: Path) -> None:
    plain = spoken("long pause", tmp_path, "espeak:en-us").seconds
    assert spoken('long <break time="9s"/> pause', tmp_path, "espeak:en-us").seconds < plain + 5
    assert spoken("你好[[a b c d e f g]]", tmp_path).seconds > spoken("你好", tmp_path).seconds + 0.5, "letters"


def test_the_text_is_no_option_and_no_path(tmp_path: Path) -> None:
    assert spoken("-v en --help /etc/passwd $(reboot); `ls`", tmp_path).seconds > 1


def test_no_text(tmp_path: Path) -> None:
    with pytest.raises(TextEmpty):
        spoken("\x00 …", tmp_path)


def test_places_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(OptionInvalid, match=r"out\.mp4"):
        say("hello", tmp_path / "out.mp4")
    with pytest.raises(OutputError):
        say("hello", tmp_path / "nowhere" / "out.wav")


def test_a_full_disk_is_said_and_leaves_nothing(disk, tmp_path: Path) -> None:
    small = disk("64k")
    with pytest.raises(OutputError, match="No space left"):
        say(GREETING * 5, Path(small.path) / "out.wav")
    assert list(Path(small.path).glob("out*")) == []


def test_a_stop_ends_the_program_and_leaves_nothing(tmp_path: Path) -> None:
    def tick(*_: object) -> None:
        raise Cancelled()

    begin = time.monotonic()
    with pytest.raises(Cancelled):
        say("好" * 20_000, tmp_path / "out.wav", tick=tick)
    assert time.monotonic() - begin < 2 and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os; os.abort()", "the speech program ended unexpectedly"),
        ("import time; time.sleep(60)", "it took too long"),
        ("import sys; sys.exit(0)", "the voice made no sound"),
    ],
    ids=["crash", "hang", "silence"],
)
def test_a_program_that_fails(program: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    voices()  # the list is there already
    child = tmp_path / "child.py"
    child.write_text(program)
    monkeypatch.setattr(espeak, "_CHILD", child)
    monkeypatch.setattr(espeak, "_SECONDS", 0.5)
    with pytest.raises(SayFailed) as failed:
        spoken("hello", tmp_path)
    assert failed.value.details["reason"] == reason and list(tmp_path.iterdir()) == [child]


def test_it_sees_nothing_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    voices()
    child = tmp_path / "child.py"
    child.write_text("import os, sys; sys.stderr.write(repr(sorted(os.environ))); sys.exit(7)")
    monkeypatch.setattr(espeak, "_CHILD", child)
    monkeypatch.setenv("HEYGEM_API_TOKEN", "a-token-of-16-signs")
    said: list[str] = []
    monkeypatch.setattr(espeak.logger, "warning", lambda *words: said.append(str(words)))
    with pytest.raises(SayFailed):
        spoken("hello", tmp_path)
    seen = re.findall(r"'(\w+)'", said[0].partition("[")[2])
    assert set(seen) <= {"LC_CTYPE", *espeak._KEPT}


def test_the_library_may_be_a_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')  # no folder of packages is known
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    assert spoken("hello", tmp_path).seconds > 0.2


def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "find_spec", lambda name: None)
    with pytest.raises(ToolMissing, match="espeakng-loader"):
        spoken("hello", tmp_path)


def test_the_program_imports_nothing_of_ours() -> None:
    """The library is under the GPL: what is loaded beside it in one process is none of HeyGem."""
    probe = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='probe'); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", probe, str(espeak._CHILD)],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        check=True,
    )
    assert not [name for name in done.stdout.split() if name.split(".")[0] in ("heygem", "api", "ui", "storage")]
