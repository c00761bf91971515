"""Breaks the text of a subtitle into lines: as few as there is room for, of like length, where a reader would."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

_OPENING = set("「『（《〈【〔｛“‘([{")
_CLOSING = set(
    "。，、！？；：…—～·」』）》〉】〕｝”’%％℃!?,.:;)]}ーヽヾゝゞ々〻ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ"
)
_STOPS = set("。，、！？；：…—”」』）》!?,.:;)")
_WIDE = re.compile(
    "[\u2e80-\u303f\u3040-\u30ff\u3100-\u31bf\u31f0-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uff65]|[^\u0000-\U0001ffff]"
)
_PARTS = re.compile(r"(?<!\\)\{\\[^{}]*\}|\\[{}]|.", re.DOTALL)
_ODD_BREAK = 0.4  # what a break in the middle of a phrase costs, against the square of how uneven the lines become
_LINE = 100.0  # so many unevennesses are better than one line more


@dataclass
class _Piece:
    """What stays together, and the space before it."""

    text: str
    width: float
    space: str = ""
    gap: float = 0.0  # width of the space


def broken(text: str, width: Callable[[str], float], room: float) -> list[str]:
    """The lines of an ASS text with breaks ``\\N``. width: of one sign; room: for a line, in the same unit."""
    return [line for part in text.split("\\N") for line in _fitted(_pieces(part, width, room), room)]


def _pieces(text: str, width: Callable[[str], float], room: float) -> list[_Piece]:
    """Words and Chinese signs, with tags and the marks that must not begin or end a line. Longer words are cut."""
    pieces = [_Piece("", 0.0)]
    before = space = ""
    for part in _PARTS.findall(text):
        if part.startswith("{\\"):
            pieces[-1].text += part
        elif part.isspace():
            space += part
        else:
            sign = part[-1]
            wide = width(sign)
            may = not unicodedata.category(sign).startswith("M") and bool(before)
            if may and (space or _breakable(before, sign) or pieces[-1].width + wide > room):
                pieces.append(_Piece(part, wide, space, sum(map(width, space))))
            else:
                pieces[-1].text += space + part
                pieces[-1].width += wide
            before, space = sign, ""
    return pieces


def _breakable(before: str, after: str) -> bool:
    if after in _CLOSING or before in _OPENING:
        return False
    return bool(_WIDE.match(before) or _WIDE.match(after))


def _fitted(pieces: list[_Piece], room: float) -> list[str]:
    """The breaks that cost least, by dynamic programming."""
    total = sum(piece.gap + piece.width for piece in pieces)
    target = total / max(-(-total // room), 1.0) or 1.0
    best: list[tuple[float, int]] = [(0.0, 0)]  # of the first n pieces: cost, and where their last line begins
    for end in range(1, len(pieces) + 1):
        odd = end < len(pieces) and not pieces[end].space and pieces[end - 1].text[-1:] not in _STOPS
        options: list[tuple[float, int]] = []
        filled = 0.0
        for start in range(end - 1, -1, -1):
            filled += pieces[start].width + (pieces[start + 1].gap if start + 1 < end else 0.0)
            if filled > room and options:
                break
            options.append((best[start][0] + _LINE + (1 - filled / target) ** 2 + _ODD_BREAK * odd, start))
        best.append(min(options))
    lines: list[str] = []
    end = len(pieces)
    while end:
        start = best[end][1]
        lines.append(pieces[start].text + "".join(piece.space + piece.text for piece in pieces[start + 1 : end]))
        end = start
    return lines[::-1]
