"""What is told (Notice), who tells it (Channel), and how long texts are made to fit."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from heygem.log import redact
from heygem.settings import Settings

Language = Literal["zh", "en"]


@dataclass(frozen=True)
class Item:
    """One line of the list in a notice: a result with its link, or a note, for example why there is none."""

    name: str
    link: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Notice:
    """facts: pairs of label and value. items: the results of a batch. key: the same notice is sent once. at: when it
    happened, seconds since the epoch. bad: something has failed. caption: what the link leads to."""

    kind: Literal["job", "batch", "test"]
    language: Language
    title: str
    text: str
    link: str | None
    thumbnail: Path | None
    facts: tuple[tuple[str, str], ...]
    key: str
    items: tuple[Item, ...] = ()
    at: float = field(default_factory=time.time)
    bad: bool = False
    caption: str = ""

    @property
    def uid(self) -> str:
        """32 letters and digits that stay the same over all tries, by which receivers know a repetition."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:32]


class Channel(Protocol):
    name: str
    title: str
    """What people call it."""
    per_minute: int
    """Notices that it takes in a minute."""

    @classmethod
    def open(cls, settings: Settings) -> Channel | None:
        """None where it is not set. Raises OptionInvalid where something that it needs is missing or wrong."""
        ...

    @property
    def target(self) -> str:
        """Where the notices go, for people; without anything secret."""
        ...

    def send(self, notice: Notice) -> None:
        """Raises NotifyRefused (never again) or NotifyFailed (later again)."""
        ...


class LinkPending(Exception):
    """The result is on its way to where its link will lead: ask again later."""


def hidden(answer: str, settings: Settings) -> str:
    """What the other side said, in one short line and without the secrets that it may repeat."""
    return clip(redact(" ".join(answer.split()), [one for one in settings.secrets if len(one) >= 4]), 300)


def size(text: str) -> int:
    return len(text.encode())


def clip(text: str, most: int) -> str:
    """At most so many bytes of UTF-8, with … where something was cut off."""
    return text if size(text) <= most else text.encode()[: most - 3].decode(errors="ignore") + "…"


def fit(lines: Sequence[str], room: int, more: Callable[[int], str]) -> list[str]:
    """As many whole lines as fit into so many bytes with their line ends; ``more(n)`` says how many are missing."""
    if sum(size(line) + 1 for line in lines) <= room:
        return list(lines)
    room -= size(more(len(lines))) + 1
    kept: list[str] = []
    for line in lines:
        room -= size(line) + 1
        if room < 0:
            break
        kept.append(line)
    return [*kept, more(len(lines) - len(kept))]
