"""Text instead of a recording, and which language it is in."""

from __future__ import annotations

from typing import Any

from .. import sockets
from ..compat import io
from ..inputs import number, result, schema, text
from ..running import Bar, made, plain_words


class TextToSpeech(io.ComfyNode):
    NEEDS = ("av", "espeakng_loader")

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemTextToSpeech",
            "HeyGem text to speech",
            "Speaks a text: offline with espeak-ng, or by a service that HeyGem's settings name.",
            [
                text("text", "", "what is said", multiline=True),
                text("voice", "", "like espeak:cmn or espeak:en-us+f3; empty: one that fits the language"),
                number("speed", 1.0, 0.5, 2, "1 as usual, 2 twice as fast"),
            ],
            [
                result(io.Audio, "audio", "the voice"),
                result(io.Float, "seconds", "how long it is"),
                result(io.String, "voice", "who spoke"),
            ],
            search_aliases=["TTS", "语音合成"],
        )

    @classmethod
    def execute(cls, text: str, voice: str, speed: float) -> Any:
        from heygem.say import say

        with plain_words(), made(".wav") as out:
            bar = Bar()
            spoken = say(text, out, voice, speed, bar)
            bar.done()
        return io.NodeOutput(sockets.FileAudio(spoken.path), spoken.seconds, spoken.voice)


class DetectLanguage(io.ComfyNode):
    NEEDS = ()

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemDetectLanguage",
            "HeyGem detect language",
            "Which language a text is in. What is said in a recording is not heard.",
            [text("text", "", "the text", multiline=True)],
            [
                result(io.String, "code", "like zh or en; und where it cannot be told"),
                result(io.String, "name", "its own name"),
                result(io.Float, "sureness", "0 to 1"),
            ],
            search_aliases=["language", "语言检测"],
        )

    @classmethod
    def execute(cls, text: str) -> Any:
        from heygem.say import language_of

        with plain_words():
            found = language_of(text)
        return io.NodeOutput(found.code, found.name, float(found.sureness))


NODES = [TextToSpeech, DetectLanguage]
