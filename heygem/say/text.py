"""Texts as they are spoken: without what nobody can say, in portions, and in signs that the voice knows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from heygem.errors import TextEmpty, TextTooLong

LONGEST = 20_000
"""Signs of a text."""
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_BREAKS = tuple(map(re.compile, (r"[。！？!?…\n]|[.;；](?=\s)", r"[，,、：:；;]", r"\s")))
"""Where a text is divided, the best places first."""

HAN, RARE_HAN, KANA = "\u3400-\u9fff\uf900-\ufaff々", "\U00020000-\U0003ffff", "\u3041-\u30fa\u30fc-\u30ff"


def clean(text: str) -> str:
    """The text in composed signs, without control characters. Raises TextEmpty, TextTooLong."""
    if len(text) > LONGEST:
        raise TextTooLong(length=len(text), most=LONGEST)
    kept = _CONTROLS.sub("", re.sub(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", text))
    kept = unicodedata.normalize("NFC", kept).strip()
    if not any(map(str.isalnum, kept)):
        raise TextEmpty()
    return kept


def portions(text: str, most: int) -> list[str]:
    """The text in parts of at most ``most`` signs, divided after sentences where there are any, else commas, blanks."""
    found = []
    while len(text) > most:
        head = text[: most + 1]  # the blank behind a full stop is seen too
        ends = ([one.end() for one in sign.finditer(head) if one.end() <= most] for sign in _BREAKS)
        end = next(filter(None, ends), [most])[-1]
        found.append(text[:end])
        text = text[end:]
    return [part.strip() for part in [*found, text] if any(map(str.isalnum, part))]


def unreadable(text: str, han: bool, kana: bool, most: int = 10) -> str:
    """The first signs of East Asia that a voice does not know and would spell as “Chinese letter”, each once.

    han, kana: those that it knows.
    """
    signs = RARE_HAN + ("" if han else HAN) + ("" if kana else KANA)
    return "".join(_once(re.findall(f"[{signs}]", text))[:most])


def _once(signs: Collection[str]) -> list[str]:
    return list(dict.fromkeys(signs))
