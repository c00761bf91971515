"""A speech service over HTTP, against a real server that answers well, badly, late and not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from loguru import logger

from heygem import settings
from heygem.errors import Cancelled, SayFailed, VoiceUnknown
from heygem.media.probe import probe_sound
from heygem.media.sound import load_sound
from heygem.say import Spoken, say, service, voices
from heygem.settings import Settings
from tests.say.speaker import RATE, Answer, Speaker, tone

KEY = "sk-very-secret-0123456789"
Open = Callable[..., Speaker]


@pytest.fixture
def speaker() -> Iterator[Open]:
    opened: list[Speaker] = []

    def speaker(*answers: Answer) -> Speaker:
        opened.append(Speaker(*answers))
        return opened[-1]

    yield speaker
    for one in opened:
        one.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "WAITS", (0.01, 0.02))
    monkeypatch.setattr(service, "_LONGEST_WAIT", 0.05)


def configured(one: Speaker, **more: object) -> Settings:
    return settings.load(tts_url=one.url, tts_key=KEY, tts_voices="alloy, 晓晓", **more)


def spoken(one: Speaker, out: Path, text: str = "hello", **more: object) -> Spoken:
    return say(text, out, "service:alloy", settings=configured(one), **more)  # pyright: ignore[reportArgumentType]


def test_it_is_asked_as_openai_is_and_its_sound_becomes_the_file(speaker: Open, tmp_path: Path) -> None:
    one = speaker(Answer(body=tone(1.5, channels=2)))
    out = tmp_path / "out.wav"
    made = say("你好", out, "service:晓晓", 1.25, settings=configured(one, tts_model="gpt-voice"))
    path, headers, body = one.asked[0]
    assert path == "/v1/audio/speech" and headers["authorization"] == f"Bearer {KEY}"
    assert body == {
        **{"model": "gpt-voice", "input": "你好", "voice": "晓晓"},
        **{"speed": 1.25, "response_format": "wav"},
    }
    assert made == Spoken(out, 1.5, "service:晓晓", "service")
    info = probe_sound(out)
    assert (info.codec, info.rate, info.channels) == ("pcm_s16le", RATE, 1)
    assert 0.15 < np.sqrt(np.mean(load_sound(out).samples ** 2)) < 0.19, "the tone, as loud as it was"


def test_its_voices_come_first_and_only_where_it_is_set(speaker: Open) -> None:
    found = [voice.name for voice in voices(configured(speaker()))]
    assert found[:2] == ["service:alloy", "service:晓晓"] and "espeak:cmn" in found
    assert all(voice.service == "espeak" for voice in voices(settings.load()))
    with pytest.raises(VoiceUnknown):
        say("hello", Path("out.wav"), "service:alloy", settings=settings.load())


def test_a_voice_that_it_does_not_have_is_not_asked_for(speaker: Open, tmp_path: Path) -> None:
    one = speaker()
    with pytest.raises(VoiceUnknown):
        say("hello", tmp_path / "out.wav", "service:nova", settings=configured(one))
    assert one.asked == []


def test_nothing_is_asked_without_a_voice_of_its_own(speaker: Open, tmp_path: Path) -> None:
    one = speaker()
    assert say("hello", tmp_path / "out.wav", settings=configured(one)).service == "espeak"
    assert one.asked == [], "the offline voice is the default: no text leaves the server by itself"


def test_long_texts_go_in_portions_and_come_back_with_pauses(
    speaker: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LONGEST", 20)
    one = speaker(Answer(body=tone(0.4)), Answer(body=tone(0.6, 48000)), Answer(body=tone(0.2, 8000)))
    ticks: list[tuple[str, int, int]] = []
    made = spoken(
        one,
        tmp_path / "o.wav",
        "第一句话在这里。第二句话也在这里！第三句。Finally this.",
        tick=lambda *at: ticks.append(at),
    )
    assert [body["input"] for _, _, body in one.asked] == [
        "第一句话在这里。第二句话也在这里！",
        "第三句。Finally this.",
    ]
    assert made.seconds == pytest.approx(0.4 + service.PAUSE + 0.6, abs=0.01)
    samples = load_sound(tmp_path / "o.wav").samples
    assert np.abs(samples[round(16000 * 0.42) : round(16000 * 0.53)]).max() < 0.01, "the pause"
    assert ticks[0] == ("say", 0, 2) and ("say", 1, 2) in ticks and ticks[-1] == ("say", 2, 2)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again(speaker: Open, tmp_path: Path, status: int) -> None:
    one = speaker(Answer(status, b"busy", {"Retry-After": "9"}), Answer())
    assert spoken(one, tmp_path / "out.wav").seconds == 0.5
    assert len(one.asked) == 2


def test_it_is_not_asked_for_ever(speaker: Open, tmp_path: Path) -> None:
    one = speaker(Answer(503, b""))
    with pytest.raises(SayFailed, match="HTTP 503"):
        spoken(one, tmp_path / "out.wav")
    assert len(one.asked) == 1 + len(service.WAITS)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(401, b'{"error": "no such key"}'), "it asks for a login"),
        (Answer(404, b"nothing"), "it does not know this address, model or voice"),
        (Answer(200, b"<html>not a sound</html>" * 50), "its answer is no sound"),
        (Answer(200, b""), "its answer is no sound"),
        (Answer(200, tone(0.02)), "its answer is no sound"),
        (Answer(307, b"", {"Location": "http://127.0.0.1:9/elsewhere"}), "it redirects to another address"),
    ],
    ids=["key", "address", "garbage", "empty", "a click", "redirect"],
)
def test_what_will_not_get_better_fails_at_once_and_leaves_nothing(
    speaker: Open, tmp_path: Path, answer: Answer, reason: str
) -> None:
    one = speaker(answer)
    said: list[str] = []
    sink = logger.add(said.append, level="TRACE")
    with pytest.raises(SayFailed) as failed:
        spoken(one, tmp_path / "out.wav")
    logger.remove(sink)
    assert failed.value.details == {"service": one.host, "reason": reason}
    assert len(one.asked) == 1 and list(tmp_path.iterdir()) == []
    trail = [failed.value, failed.value.__cause__, failed.value.__context__, failed.value.hint, *said]
    assert KEY not in "".join(map(repr, trail)) and KEY not in str(configured(one))


def test_an_answer_cut_short_is_not_taken(speaker: Open, tmp_path: Path) -> None:
    one = speaker(Answer(sent=5000))
    with pytest.raises(SayFailed, match="the connection broke off"):
        spoken(one, tmp_path / "out.wav")
    assert len(one.asked) == 3 and list(tmp_path.iterdir()) == []
    again = speaker(Answer(sent=5000), Answer())
    assert spoken(again, tmp_path / "out.wav").seconds == 0.5, "the next answer is whole"


def test_an_answer_without_end_is_not_taken(speaker: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LARGEST", 10_000)
    with pytest.raises(SayFailed, match="too large"):
        spoken(speaker(), tmp_path / "out.wav")


def test_a_slow_service_is_given_up(speaker: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "WHOLE", 0.2)
    monkeypatch.setattr(service, "WAITS", ())
    with pytest.raises(SayFailed, match="did not answer in time"):
        spoken(speaker(Answer(wait=2)), tmp_path / "out.wav")


def test_nobody_there(speaker: Open, tmp_path: Path) -> None:
    one = speaker()
    one.close()
    with pytest.raises(SayFailed, match="cannot be reached"):
        spoken(one, tmp_path / "out.wav")


def test_a_stop_is_heard_while_it_thinks(speaker: Open, tmp_path: Path) -> None:
    begin = time.monotonic()

    def tick(*_: object) -> None:
        if time.monotonic() > begin + 0.2:
            raise Cancelled()

    with pytest.raises(Cancelled):
        spoken(speaker(Answer(wait=3)), tmp_path / "out.wav", tick=tick)
    assert time.monotonic() < begin + 1.5 and list(tmp_path.iterdir()) == []
