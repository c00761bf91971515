"""The options of a take on the command line: ``heygem lipsync``, ``batch`` and ``compare`` share them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heygem.errors import OptionInvalid

if TYPE_CHECKING:
    from heygem.pipeline import Options

STYLE = {
    "strength": (float, "0..2", "how far the mouth opens: 0 closed, 1 as the voice asks, 2 twice as wide"),
    "smoothness": (float, "0..1", "0 follows every sound, 1 is calm"),
    "blinks": (float, "0..2", "photos: how often the eyes blink; 0 never, 1 as people do"),
    "sway": (float, "0..2", "photos: how far the head moves; 0 not at all, 1 a little"),
    "nod": (
        float,
        "0..2",
        "photos: how deep the head nods where the voice stresses; 0 never, 1 calmly",
    ),
    "smile": (float, "0..1", "photos: 0 as it is, 0.3 pleasant, 1 a clear, friendly smile"),
    "region": (str, "jaw|mouth", "what moves: the whole lower face, or the lips alone"),
    "device": (str, "auto|cpu|cuda", "where to compute"),
    "exact": (bool, "", "networks: as their authors' own programs render, faults included, to compare"),
}


def _face(text: str) -> tuple[int, Path | None]:
    """N or N=FILE."""
    number, _, voice = text.partition("=")
    return int(number), Path(voice) if voice else None


CHOICES = {
    "engine": (
        str,
        "mesh|loudness|wav2lip|wav2lip-gan|wav2lip-256|wav2lip-288|musetalk|musetalk-1.0|remote",
        "how the mouth is made; loudness only shows the volume, to check the sync",
    ),
    "resolution": (str, "source|720p|1080p", "size of the result"),
    "quality": (str, "draft|standard|high", "how well the result is encoded; draft is the fastest"),
    "length": (str, "pingpong|loop|hold", "what follows when the sound is longer than the video"),
    "face": (
        _face,
        "N|N=FILE",
        "which face speaks, 0 the largest; N=FILE, once for each face: every face its own voice",
    ),
    "tries": (int, "1..6", "takes at most, with other strength and smoothness while the score is below --least"),
    "least": (float, "0..100", "the score that is good enough for --tries"),
}
FINISH = {
    "background": (str, "blur|#rrggbb|FILE", "what stands behind the person: a blur, a colour, a picture or a video"),
    "cutout": (
        str,
        "person|#rrggbb",
        "how the person is cut out: found in the picture, or before a screen of this colour",
    ),
    "enhance": (float, "0..1", "how much the face is sharpened; 0 not at all"),
    "subtitles": (str, "FILE", "SRT, ASS, WebVTT, LRC or text with times"),
    "captions": (str, "burn|track", "drawn into the picture, or beside it, to be switched on in the player"),
    "font": (str, "NAME", "an installed font; default: one that has all signs"),
    "subtitle_size": (float, "0.02..0.2", "height of a line as a share of the picture's"),
    "logo": (str, "FILE", "a picture, best with transparency"),
    "logo_place": (str, "top-left|top-right|bottom-left|bottom-right", "its corner"),
    "logo_size": (float, "0.02..1", "its width as a share of the picture's"),
    "logo_opacity": (float, "0..1", "0 cannot be seen, 1 covers"),
}
"""Option -> type, allowed values, help. The defaults stand in Options, Style and Finish alone."""
_ALL = {**CHOICES, **STYLE, **FINISH}
ONCE = {name: row for name, row in _ALL.items() if name not in ("tries", "least")}
"""The same without what makes a take again."""


def add(parser: argparse.ArgumentParser, table: Mapping[str, tuple[Any, str, str]] = _ALL) -> None:
    """All of a table. What is not given is not in the arguments."""
    for name, (kind, values, text) in table.items():
        known: dict[str, Any] = {"help": text, "default": argparse.SUPPRESS, "action": "store_true"}
        if kind is not bool:
            known |= {"type": kind, "metavar": values, "action": "append" if name == "face" else "store"}
        parser.add_argument(f"--{name.replace('_', '-')}", **known)


def of(args: argparse.Namespace) -> Options:
    """Raises OptionInvalid."""
    given = vars(args)
    known = {name: given[name] for name in _ALL if name in given}
    if "face" in known:
        known["face"] = known["face"][0][0]
    return _options(known)


def of_one(args: argparse.Namespace) -> Options:
    """The same where one face speaks one voice. Raises OptionInvalid."""
    faces = getattr(args, "face", [])
    if len(faces) > 1 or any(voice for _, voice in faces):
        raise OptionInvalid(option="face", value="several, or N=FILE", allowed="one number")
    return of(args)


def changed(options: Options, text: str) -> Options:
    """The options with what a set like "strength=0.8,region=mouth" says. Raises OptionInvalid."""
    known = options.flat
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, value = (word.strip() for word in part.partition("="))
        kind, values, _ = ONCE.get(name, (None, "", ""))
        if kind is None or name == "face":
            raise OptionInvalid(option="set", value=f"“{part}”", allowed="options like strength=0.8,region=mouth")
        try:
            known[name] = value.lower() in ("", "1", "true", "yes") if kind is bool else kind(value)
        except ValueError:
            raise OptionInvalid(option=name, value=f"“{value}”", allowed=values) from None
    return _options(known)


def _options(known: dict[str, Any]) -> Options:
    from heygem.pipeline import Options

    return Options.of(known)
