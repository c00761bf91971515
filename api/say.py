"""Texts: spoken by a voice of this server, and which language they are in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, Field

from api.desk import At, Closing
from api.once import own_folder, sent
from heygem.say import language_of, voices
from heygem.say.turn import in_turn

router = APIRouter(tags=["say"])
_SOUND: dict[int | str, dict[str, Any]] = {200: {"content": {"audio/wav": {}}}}


class Wish(BaseModel):
    """A text that is to be spoken."""

    text: str = Field(description="plain text, up to 20000 signs")
    voice: str = Field("", description="a name of /voices; empty: an offline voice of the language of the text")
    speed: float = Field(1.0, description="0.5 to 2; 1: as people speak")


class VoiceReply(BaseModel):
    """A voice."""

    name: str
    language: str = Field(description="of an offline voice; empty: any")
    title: str
    service: str = Field(description="espeak (on this server), or service (the one that its administrator has set)")


class Voices(BaseModel):
    """All that can speak here."""

    items: list[VoiceReply]


class LanguageReply(BaseModel):
    """The language of a text."""

    code: str = Field(description="ISO 639; “und” for a text without letters")
    name: str = Field(description="in the language itself, where it is a common one")
    sureness: float = Field(description="0 to 1, an estimate")


@router.post("/say", response_class=Response, responses=_SOUND)
def say(wish: Wish, desk: At, closing: Closing) -> Response:
    """The text as speech: a WAV file. It can be sent as the ``audio`` of a job."""
    with own_folder(desk.settings) as folder:
        made = in_turn(wish.text, folder / "speech.wav", wish.voice, wish.speed, desk.settings, closing.is_set)
        return sent(made.path, "audio/wav", 'inline; filename="speech.wav"')


@router.get("/voices")
def show_voices(desk: At) -> Voices:
    """All voices, those of the speech service first. Behind the language of an offline one may stand another speaker:
    “+f2”, “+m3” …"""
    return Voices(items=[VoiceReply(**vars(voice)) for voice in voices(desk.settings)])


@router.post("/language")
def language(text: Annotated[str, Body(embed=True)]) -> LanguageReply:
    """Which language a text is in. Recordings are not heard."""
    return LanguageReply(**vars(language_of(text)))
