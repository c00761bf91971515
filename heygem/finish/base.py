"""Finish: what the user wants done to the pictures after the mouth. Effect: one such thing, frame by frame."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from heygem.errors import OptionInvalid
from heygem.media.frame import Frame

BLUR = "blur"
PERSON = "person"
CAPTIONS = ("burn", "track")
PLACES = ("top-left", "top-right", "bottom-left", "bottom-right")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
FILES = ("background", "subtitles", "logo")
"""Options that may name a file of the user."""
_SHARES = {
    "enhance": (0.0, 1.0),
    "logo_size": (0.02, 1.0),
    "logo_opacity": (0.0, 1.0),
    "subtitle_size": (0.02, 0.2),
}


@dataclass(frozen=True)
class Finish:
    """Every default leaves the pictures as they are.

    background: "" keeps it, "blur" blurs it, "#rrggbb" is a colour, else the path of a picture or a video (which goes
    on from its start where it is too short). cutout: how the person is told from the old background: "person" finds
    people in the picture, "#rrggbb" takes away that colour (a green screen).
    enhance: 0 leaves the face alone, 1 sharpens it fully.
    subtitles: path of an SRT, ASS, WebVTT or text file with times. captions: "burn" draws them into the picture,
    "track" puts them beside it, to be switched on in the player. subtitle_size: height of a line as a share of the
    height of the picture; ASS files keep their own. font: name of an installed one; "" takes one that has all signs.
    logo: path of a picture, best with transparency. logo_place: a corner. logo_size: its width as a share of the
    picture's. logo_opacity: 0 cannot be seen, 1 covers.
    """

    background: str = ""
    cutout: str = PERSON
    enhance: float = 0.0
    subtitles: str = ""
    captions: str = "burn"
    subtitle_size: float = 0.065
    font: str = ""
    logo: str = ""
    logo_place: str = "top-right"
    logo_size: float = 0.15
    logo_opacity: float = 1.0

    def __post_init__(self) -> None:
        for option, (least, most) in _SHARES.items():
            if not least <= getattr(self, option) <= most:
                raise OptionInvalid(
                    option=option, value=getattr(self, option), allowed=f"a number from {least:g} to {most:g}"
                )
        for option, allowed in (("captions", CAPTIONS), ("logo_place", PLACES)):
            if getattr(self, option) not in allowed:
                raise OptionInvalid(option=option, value=getattr(self, option), allowed=" or ".join(allowed))
        if self.cutout != PERSON and not COLOUR.fullmatch(self.cutout):
            raise OptionInvalid(option="cutout", value=self.cutout, allowed="person or a colour like #00ff00")
        if self.background.startswith("#") and not COLOUR.fullmatch(self.background):
            raise OptionInvalid(
                option="background", value=self.background, allowed="blur, a colour like #ffffff, or a file"
            )

    @property
    def files(self) -> dict[str, Path]:
        """Option -> file, of those that name one."""
        named = {option: getattr(self, option) for option in FILES}
        return {option: Path(name) for option, name in named.items() if is_file(name)}

    def moved(self, files: Mapping[str, Path]) -> Finish:
        """The same with other files in their places."""
        return self if not files else replace(self, **{option: str(path) for option, path in files.items()})

    @property
    def tracked(self) -> bool:
        """Do subtitles go beside the picture?"""
        return bool(self.subtitles) and self.captions == "track"

    @property
    def changes(self) -> bool:
        """Is there anything to be done?"""
        return bool(self.background or self.enhance or self.subtitles or self.logo)


def is_file(value: str) -> bool:
    """Does this value of one of ``FILES`` name a file?"""
    return bool(value) and value != BLUR and not value.startswith("#")


class Effect(Protocol):
    """Changes the frames of one film, in their order. name and note go into the record of the take: what did the work,
    in a few words, e.g. "background": "MediaPipe selfie segmentation"."""

    name: str
    note: str

    def __call__(self, number: int, frame: Frame) -> Frame:
        """The frame ``number`` (0, 1, 2 …), changed in place or new, of the same size."""
        ...

    def close(self) -> None:
        """Frees what it holds: readers, processes, models. Safe to call twice."""
        ...
