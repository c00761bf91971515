"""Options: everything that the user chose, down to the finish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from heygem import engines
from heygem.engines.base import Style
from heygem.errors import OptionInvalid
from heygem.finish.base import Finish
from heygem.plan import LENGTHS, RESOLUTIONS

QUALITIES = ("draft", "standard", "high")
MOST_TRIES = 6
PARTS = {"style": Style, "finish": Finish}
"""Fields of the options that have fields of their own, which users name flatly."""
FACES = "0 for the largest face, 1 for the next …"


@dataclass(frozen=True)
class Options:
    """What the user chose. Every default stands here.

    length says what follows when the sound is longer than the video: forth and back (pingpong), from the start again
    (loop), or the last frame stands (hold). A longer video is cut to the sound. face 0 is the largest. tries: where a
    take scores below ``least`` it is made again with other options, so many times at most; the best one stays.
    """

    engine: str = engines.DEFAULT
    style: Style = field(default_factory=Style)
    resolution: str = "source"
    quality: str = "standard"
    length: str = "pingpong"
    face: int = 0
    finish: Finish = field(default_factory=Finish)
    tries: int = 1
    least: float = 80.0

    def __post_init__(self) -> None:
        for option, allowed in (
            ("engine", engines.ENGINES),
            ("resolution", RESOLUTIONS),
            ("quality", QUALITIES),
            ("length", LENGTHS),
        ):
            if getattr(self, option) not in allowed:
                raise OptionInvalid(option=option, value=getattr(self, option), allowed=" or ".join(allowed))
        if self.face < 0:
            raise OptionInvalid(option="face", value=self.face, allowed=FACES)
        if not 1 <= self.tries <= MOST_TRIES:
            raise OptionInvalid(option="tries", value=self.tries, allowed=f"a number from 1 to {MOST_TRIES}")
        if not 0 <= self.least <= 100:
            raise OptionInvalid(option="least", value=self.least, allowed="a score from 0 to 100")

    @classmethod
    def of(cls, flat: Mapping[str, Any]) -> Options:
        """The options with these values by their flat names, those of style and finish among them; other names are of
        no concern. Raises OptionInvalid."""
        parts = {name: kind(**_known(kind, flat)) for name, kind in PARTS.items()}
        return cls(**_known(cls, flat), **parts)

    @property
    def flat(self) -> dict[str, Any]:
        """Every value by its flat name."""
        plain = asdict(self)
        return {**plain.pop("style"), **plain.pop("finish"), **plain}


def inputs(video: str | Path, audio: str | Path | Mapping[int, str | Path], *options: Options) -> list[Path]:
    """Every file that takes with these options read: none of them may be written to."""
    sounds = audio.values() if isinstance(audio, Mapping) else [audio]
    return [Path(video), *map(Path, sounds), *(path for one in options for path in one.finish.files.values())]


def _known(kind: type, flat: Mapping[str, Any]) -> dict[str, Any]:
    return {one.name: flat[one.name] for one in fields(kind) if one.name in flat and one.name not in PARTS}
