"""Options: everything that the user chose, down to the finish."""

from __future__ import annotations

from dataclasses import dataclass, field

from heygem import engines
from heygem.engines.base import Style
from heygem.errors import OptionInvalid
from heygem.finish.base import Finish
from heygem.plan import LENGTHS, RESOLUTIONS

QUALITIES = ("draft", "standard", "high")
MOST_TRIES = 6
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
