"""What all errors have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class HeyGemError(Exception):
    """Base of all errors that a user may read.

    ``details`` are the values inside the sentence (a file name, a number): the page uses them to say the same in
    another language, looked up by ``code``. ``message`` and ``hint`` are templates in English over these details.
    """

    code: ClassVar[str] = "error"
    template: ClassVar[str] = "{reason}"
    remedy: ClassVar[str] = ""

    def __init__(self, **details: object) -> None:
        # A lone surrogate, which JSON and file names may hold, could be neither sent nor stored.
        self.details = {name: str(value).encode(errors="replace").decode() for name, value in details.items()}
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """One English sentence: what went wrong and why."""
        return self.template.format_map(_Blank(self.details))

    @property
    def hint(self) -> str:
        """One English sentence: what to do now. May be empty."""
        return self.remedy.format_map(_Blank(self.details))

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.details)


class _Blank(dict[str, str]):
    """A detail that was not given reads as nothing instead of raising inside an error."""

    def __missing__(self, key: str) -> str:
        return ""


def error_of(code: str, details: Mapping[str, str]) -> HeyGemError:
    """The error of this code; the general one where no error has it."""
    kinds, found = [HeyGemError], HeyGemError
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
        found = kind if kind.code == code else found
    return found(**details)


def _rebuild(kind: type[HeyGemError], details: dict[str, str]) -> HeyGemError:
    return kind(**details)
