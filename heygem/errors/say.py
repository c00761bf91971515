"""Texts that are to be spoken, and who speaks them."""

from __future__ import annotations

from heygem.errors.base import HeyGemError
from heygem.errors.inputs import InputError


class TextEmpty(InputError):
    code = "say.empty"
    template = "There is nothing in the text that could be spoken."
    remedy = "Write at least one word."


class TextTooLong(InputError):
    code = "say.too_long"
    template = "The text has {length} signs; the most is {most}."
    remedy = "Divide it, and let the parts be spoken one after the other."


class VoiceUnknown(InputError):
    code = "say.voice"
    template = "There is no voice “{voice}”."
    remedy = "Choose one of the list: “heygem say --voices” prints it."


class TextUnreadable(InputError):
    """signs: of the text, the first few that the voice would only spell."""

    code = "say.unreadable"
    template = "The voice “{voice}” cannot read “{signs}”."
    remedy = "Choose a voice of the language of the text; for the offline Japanese voice write kana instead of kanji."


class SayFailed(HeyGemError):
    """service: what was to speak. A later try may succeed."""

    code = "say.failed"
    template = "The text was not spoken by “{service}”: {reason}."
    remedy = "Try again, or choose another voice; “heygem doctor” tries the offline one, HEYGEM_TTS_… set up a service."


class SayBusy(HeyGemError):
    code = "say.busy"
    template = "The server speaks {most} texts already."
    remedy = "Try again in a few seconds."
