"""The fonts of this machine: which of them have the signs of a text."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from heygem.errors import FontMissing

BOLD, REGULAR = 700, 400
_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
)
_OTHERS = ("Noto Sans", "Arial", "Liberation Sans", "DejaVu Sans")
_FOLDERS = {
    "win32": ("{WINDIR}/Fonts", "{LOCALAPPDATA}/Microsoft/Windows/Fonts"),
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
}
_UNIX = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
_WEIGHTS = {0: 100, 40: 200, 50: 300, 80: 400, 100: 500, 180: 600, 200: 700, 205: 800, 210: 900}
"""Weight in fontconfig -> in OpenType."""
_FIELDS = r"%{file}\t%{index}\t%{family}\t%{fullname}\t%{weight}\t%{slant}\n"
_MOST_SIGNS = 4000  # in one question to fontconfig: an argument has room for 128 KB
_SECONDS = 60
_MOST_NAMED = 10  # signs in a message


@dataclass(frozen=True)
class Face:
    """One face of a font file. names: families and full names in lower case; weight: 400 regular, 700 bold."""

    path: Path
    index: int
    family: str
    names: frozenset[str]
    weight: int
    slanted: bool

    @property
    def advances(self) -> dict[int, float]:
        """Code point -> width of the sign as a share of the height of a line. Empty where it cannot be drawn."""
        return _advances(self.path, self.index)

    def has(self, signs: Iterable[str]) -> bool:
        return all(ord(sign) in self.advances for sign in signs)


def face_for(text: str, name: str = "", weight: int = REGULAR) -> Face:
    """A face that has all signs of ``text``: of the font of this name, else of the most readable one; of a family, the
    one next to ``weight``. Symbols and emoji may be lacking. Raises FontMissing."""
    needed = signs(text)
    face = _best(needed, name, weight)
    if face is not None:
        return face
    if name:
        face = _best(frozenset(), name, weight)
        if face is None:
            raise FontMissing(reason="this font is not installed", what=name)
        lacking = lacked(needed, [face])
        raise FontMissing(reason="this font lacks signs of it", what=f"{name}: {_listed(lacking)}")
    raise FontMissing(
        reason="no installed font has all its signs", what=_listed(_together(needed, weight)[1] or needed)
    )


def faces_for(text: str, name: str = "", weight: int = REGULAR) -> list[Face]:
    """One face that has all signs, or several that have them together. Raises FontMissing."""
    try:
        return [face_for(text, name, weight)]
    except FontMissing:
        found, lacking = _together(signs(text), weight)
        if name or lacking:
            raise
        return found


def faces_named(names: Iterable[str]) -> dict[str, list[Face]]:
    """Each name in lower case, and the faces whose family or full name it is."""
    installed = _installed(frozenset())
    return {name: [face for face in installed if name in face.names] for name in map(str.casefold, names)}


def lacked(wanted: Iterable[str], faces: Iterable[Face]) -> set[str]:
    """The signs that none of the faces has. One face after the other: only a few of them stay in memory."""
    left = set(wanted)
    for face in faces:
        if not left:
            break
        left = {sign for sign in left if not face.has(sign)}
    return left


def signs(text: str) -> frozenset[str]:
    """The signs of a text that a font must have. It may lack symbols and emoji."""
    return frozenset(sign for sign in text if not dispensable(sign))


def dispensable(sign: str) -> bool:
    """May it be left out where no font has it: a symbol, an emoji, or nothing that is seen?"""
    return unicodedata.category(sign) in ("So", "Sk", "Me", "Zs", "Zl", "Zp", "Cc", "Cf", "Cn", "Co", "Cs") or (
        "\ufe00" <= sign <= "\ufe0f"  # they choose between text and emoji
    )


def _best(needed: frozenset[str], name: str, weight: int) -> Face | None:
    """Of the faces that have the signs (and the name), the one that reads best."""
    favourites = [family.casefold() for family in _favourites(needed)]

    def rank(face: Face) -> tuple[object, ...]:
        place = next((n for n, family in enumerate(favourites) if family in face.names), len(favourites))
        return place, face.slanted, abs(face.weight - weight), str(face.path), face.index

    faces = (face for face in _installed(needed) if not name or name.casefold() in face.names)
    return next((face for face in sorted(faces, key=rank) if face.has(needed)), None)


def _favourites(needed: Iterable[str]) -> Iterator[str]:
    """Families for these signs, the best first."""
    names = " ".join(unicodedata.name(sign, "") for sign in needed if sign > "\u10ff")
    region = "JP" if "HIRAGANA" in names or "KATAKANA" in names else "KR" if "HANGUL" in names else ""
    if not any(script in names for script in ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO")):
        yield from _OTHERS
    if region:
        yield from (f"{family} {region}" for family in ("Noto Sans CJK", "Noto Sans", "Source Han Sans"))
    yield from _CHINESE
    yield from _OTHERS


def _together(needed: Iterable[str], weight: int) -> tuple[list[Face], set[str]]:
    """Faces that have the signs together, and (the first) signs that none has."""
    found: list[Face] = []
    left, lacking = set(needed), set()
    while left and len(lacking) <= _MOST_NAMED:
        face = _best(frozenset(min(left)), "", weight)
        if face is None:
            lacking.add(min(left))
            left -= lacking
        else:
            found.append(face)
            left = lacked(left, [face])
    return found, lacking


def _listed(lacking: Iterable[str]) -> str:
    first = sorted(lacking)
    return "".join(first[:_MOST_NAMED]) + ("…" if len(first) > _MOST_NAMED else "")


def _installed(needed: frozenset[str]) -> list[Face]:
    """The faces that may have these signs, and one that comes with a library, for machines without any."""
    program = shutil.which("fc-list")
    found = _asked(program, needed) if program else None
    if found is None:
        files = (path for folder in _folders() for path in sorted(folder.rglob("*")))
        found = [face for path in files if path.suffix.lower() in _SUFFIXES for face in _faces_of(path)]
    return [*found, *_spare()]


def _asked(program: str, needed: frozenset[str]) -> list[Face] | None:
    """What fontconfig knows, which is quick; None where it does not work."""
    codes = " ".join(f"{ord(sign):x}" for sign in sorted(needed)[:_MOST_SIGNS])
    pattern = ":outline=true:color=false" + (f":charset={codes}" if codes else "")
    try:
        done = subprocess.run(
            [program, "--format", _FIELDS, pattern], capture_output=True, check=True, timeout=_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found: dict[tuple[Path, int], Face] = {}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        file, index, family, full, weight, slant = line.split("\t")
        place = Path(file), int(index) & 0xFFFF  # above: instances of a variable font
        if place[0].suffix.lower() in _SUFFIXES and place not in found:
            names = frozenset(name.strip().casefold() for name in (*family.split(","), *full.split(",")))
            first = family.split(",")[0].strip()
            found[place] = Face(*place, first, names, _WEIGHTS.get(_number(weight), REGULAR), _number(slant) > 0)
    return list(found.values())


def _number(text: str) -> int:
    """A variable font has a range instead of a number; it counts as 0."""
    try:
        return round(float(text))
    except ValueError:
        return 0


def _folders() -> list[Path]:
    named = (os.path.expandvars(folder.replace("{", "${")) for folder in _FOLDERS.get(sys.platform, _UNIX))
    return [folder for name in named if (folder := Path(name).expanduser()).is_dir()]


def _spare() -> list[Face]:
    """DejaVu Sans from matplotlib, which other libraries need: Latin, Greek, Cyrillic, Arabic."""
    spec = find_spec("matplotlib")
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" if spec and spec.origin else Path()
    files = (folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf")
    return [face for path in files if path.is_file() for face in _faces_of(path)]


@cache
def _faces_of(path: Path) -> tuple[Face, ...]:
    """The faces of a file; none where it is damaged."""
    from fontTools.ttLib import TTCollection, TTFont, TTLibError

    try:
        if path.suffix.lower() in (".ttc", ".otc"):
            with TTCollection(path, lazy=True) as collection:
                return tuple(_face(path, index, font) for index, font in enumerate(collection.fonts))
        with TTFont(path, lazy=True) as font:
            return (_face(path, 0, font),)
    except (OSError, TTLibError, KeyError, ValueError, AssertionError):
        return ()


def _face(path: Path, index: int, font: Any) -> Face:
    names, style = font["name"], font["OS/2"]
    known = frozenset(one.toUnicode("replace").casefold() for one in names.names if one.nameID in (1, 4, 16))
    family = names.getBestFamilyName() or path.stem
    return Face(path, index, family, known, style.usWeightClass, bool(style.fsSelection & 1))


@lru_cache(maxsize=8)
def _advances(path: Path, index: int) -> dict[int, float]:
    from fontTools.ttLib import TTFont, TTLibError

    try:
        font: Any
        with TTFont(path, fontNumber=index, lazy=True) as font:
            if not any(table in font for table in ("glyf", "CFF ", "CFF2")):
                return {}  # pictures instead of outlines
            style, wide = font["OS/2"], font["hmtx"].metrics
            height = style.usWinAscent + style.usWinDescent or font["head"].unitsPerEm * 1.2
            return {code: wide[glyph][0] / height for code, glyph in (font.getBestCmap() or {}).items()}
    except (OSError, TTLibError, KeyError, ValueError, AssertionError):
        return {}
