"""Files of subtitles: SRT, WebVTT, ASS, SSA, LRC and texts with times, in the encodings that they come in."""

from __future__ import annotations

import codecs
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from pysubs2 import SSAEvent, SSAFile
from pysubs2.exceptions import Pysubs2Error

from heygem.errors import SubtitlesUnusable

MOST_BYTES = 5 << 20
_MOST_SIGNS = 2000  # of one text
_LAST_MS = 4000  # how long the last line of an LRC file stays

_TIME = r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,3}))?"
_GAP = r"\s{0,9}"  # without a limit, hostile lines would be tried for hours
_ARROW, _RANGE = (
    re.compile(rf"[\[(【（]?{_GAP}{_TIME}{_GAP}(?:{to}){_GAP}{_TIME}{_GAP}[\])】）]?[\s:：|]*(.*)")
    for to in ("-->", "-->|->|[-–—~～→至到]")
)
_SRT = re.compile(rf"\d{{1,3}}:\d\d:\d\d[.,]\d{{3}}{_GAP}-->{_GAP}\d{{1,3}}:\d\d:\d\d[.,]\d{{3}}")
_SETTING = re.compile(r"(?:align|line|position|size|region|vertical):.+|[XY][12]:\d+")
_LRC = re.compile(rf"((?:\[{_TIME}\]{_GAP})+)(.*)")
_LRC_TIME = re.compile(rf"\[{_TIME}\]")
_LRC_SHIFT = re.compile(r"\[offset:\s{0,9}([+-]?\d{1,6})\s{0,9}\]")
_TAG = re.compile(rf"<{_GAP}(/?){_GAP}([ibus]){_GAP}>", re.IGNORECASE)
_OTHER_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>|<[\d:.]{5,15}>")
_KEPT = re.compile(r"\{(?:\\(?:an?\d{1,2}|[ibus][01]|pos\([\d., -]{1,30}\)))+\}")
_OVERRIDE = re.compile(r"\\([{}])|\{[^{}]*\}")  # or a brace that is text
_TAGS = re.compile(r"(\{[^{}]*\})")
_DRAWING = re.compile(r"\\p(\d)")
_ASS_LINE = re.compile(
    r"\W{0,3}\[[^\[\]]{1,40}\]\s*$|(?:Style|Dialogue):|"
    r"(?:PlayRes[XY]|LayoutRes[XY]|WrapStyle|ScaledBorderAndShadow|Collisions):.{1,40}$"
)


@dataclass(frozen=True)
class Captions:
    """What a file says and when: ``subs.events``, none without text. plain: it has no styles of its own;
    then the texts hold no more markup than ``{\\i1}`` and its like."""

    subs: SSAFile
    plain: bool

    @property
    def text(self) -> str:
        """All that is shown."""
        return "\n".join(bare(event.text) for event in self.subs.events)


def read(path: Path) -> Captions:
    """Raises SubtitlesUnusable."""
    try:
        if not path.exists():
            raise SubtitlesUnusable(name=path.name, reason="there is no such file")
        if not path.is_file():
            raise SubtitlesUnusable(name=path.name, reason="it is not a file")
        if path.stat().st_size > MOST_BYTES:
            raise SubtitlesUnusable(name=path.name, reason="it is larger than 5 MB")
        data = path.read_bytes()
    except OSError as error:
        raise SubtitlesUnusable(name=path.name, reason=error.strerror) from error
    text = decoded(data)
    if text is None:
        raise SubtitlesUnusable(name=path.name, reason="it is not a text")
    if not text.strip():
        raise SubtitlesUnusable(name=path.name, reason="it is empty")
    text = unicodedata.normalize("NFC", text.lstrip("\ufeff"))
    styled = re.search(r"^\W{0,3}\[(?:script info|v4\+? styles)\]", text, re.IGNORECASE | re.MULTILINE)
    subs = _substation(path, text) if styled else SSAFile()
    if not styled:  # in ASS the order of the file says what lies above what
        events = _timed(path, [line.strip() for line in text.splitlines()])
        subs.events = sorted(events, key=attrgetter("start"))
    subs.events = [event for event in subs.events if event.end > event.start and bare(event.text).strip()]
    if not subs.events:
        raise SubtitlesUnusable(name=path.name, reason="no line in it has a text and a time")
    return Captions(subs, not styled)


def bare(text: str) -> str:
    """The text of an event without markup."""
    text = _OVERRIDE.sub(lambda found: found[1] or "", text)
    return text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")


def spoken(text: str) -> list[str]:
    """The lines of an event without markup, and without the shapes that ASS draws from ``{\\p1}`` to ``{\\p0}``."""
    kept, drawing = "", False
    for part in _TAGS.split(text):
        if levels := _DRAWING.findall(part) if part.startswith("{") else []:
            drawing = levels[-1] != "0"
        kept += "" if drawing else part
    lines = (line.strip() for line in bare(kept).splitlines())
    return [line for line in lines if line]


def decoded(data: bytes) -> str | None:
    """The text of a file in Unicode, or in one of the older encodings that Chinese and Western files still have."""
    marks = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    marked = next((encoding for mark, encoding in marks.items() if data.startswith(mark)), None)
    if marked or b"\0" in data:
        big = data[::2].count(0) > data[1::2].count(0)
        return _try(data, marked or ("utf-16-be" if big else "utf-16-le"))
    text = _try(data, "utf-8")
    if text is not None:
        return text
    # These two read nearly everything, so the commonest signs tell: GB 2312 up to its first level, Big5 likewise.
    for encoding, last, share in (("gb18030", 0xD7, 0.8), ("big5", 0xC6, 0.95)):
        text = _try(data, encoding)
        if text is not None and _common(text, encoding, last) >= share:
            return text
    from charset_normalizer import from_bytes

    best = from_bytes(data, cp_isolation=["gb18030", "big5", "cp1252", "cp1251", "shift_jis"]).best()
    return str(best) if best else _try(data, "gb18030")


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _common(text: str, encoding: str, last: int) -> float:
    """Share of the foreign signs whose code has two bytes and begins with 0xA1 to ``last``."""
    codes = [sign.encode(encoding) for sign in text if sign > "\x7f"]
    low = 0xA1 if encoding == "gb18030" else 0x40
    return sum(len(c) == 2 and 0xA1 <= c[0] <= last and c[1] >= low for c in codes) / max(len(codes), 1)


def _substation(path: Path, text: str) -> SSAFile:
    """Styles and lines, without comments, embedded files and what other programs keep there."""
    kept = "\n".join(line for line in text.splitlines() if _ASS_LINE.match(line))
    old = re.search(r"\[v4 styles\]", kept, re.IGNORECASE)
    try:
        return SSAFile.from_string(kept, format_="ssa" if old else "ass")
    except (Pysubs2Error, ValueError, TypeError, IndexError, KeyError) as error:
        raise SubtitlesUnusable(name=path.name, reason="it is no whole ASS file") from error


def _timed(path: Path, lines: list[str]) -> Iterator[SSAEvent]:
    web = lines[0].startswith("WEBVTT")
    strict = web or any(_SRT.fullmatch(line) for line in lines)  # then “9:00-17:00 open” is a text
    times = _ARROW if strict else _RANGE
    ranges = any(times.match(line) for line in lines)
    for start, end, said in _ranges(lines, times, web) if ranges else _lyrics(lines):
        where = f" ({_clock(start)})"
        if end < start:
            raise SubtitlesUnusable(name=path.name, reason="a line ends before it begins", where=where)
        if len(said) > _MOST_SIGNS:
            raise SubtitlesUnusable(name=path.name, reason="a text is too long to be shown", where=where)
        yield SSAEvent(start, end, _marked(said, web))


def _ranges(lines: Iterable[str], time: re.Pattern[str], web: bool) -> Iterator[tuple[int, int, str]]:
    """Start and end (ms) and text of each line of time. In WebVTT an empty line ends a text; what then stands before
    the next time is a name or a note. Elsewhere texts are numbered where the first one is."""
    times: tuple[int, int] | None = None
    said: list[str] = []
    ended = numbered = False
    number = 0
    for line in lines:
        found = time.match(line)
        if found:
            if times:
                yield *times, _without_number(said, number + 1) if numbered else "\n".join(said).strip()
            else:
                numbered = not web and next(filter(None, reversed(said)), "").isdecimal()
            *stamps, rest = found.groups()
            times, ended, number = (_ms(stamps[:4]), _ms(stamps[4:])), False, number + 1
            said = [] if all(_SETTING.match(word) for word in rest.split()) else [rest]
        elif web and not line:
            ended = True
        elif not ended:
            said.append(line)
    if times:
        yield *times, "\n".join(said).strip()


def _without_number(said: list[str], following: int) -> str:
    """The text without the number of the next one."""
    text = "\n".join(said).rstrip().split("\n")
    if text[-1].strip().isdecimal() and (not "".join(text[-2:-1]).strip() or text[-1].strip() == str(following)):
        text.pop()
    return "\n".join(text).strip()


def _lyrics(lines: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    """LRC: each line goes on until a later one begins; one may stand at several times, and two languages at one."""
    starts: dict[int, list[str]] = {}
    shift = 0
    for line in lines:
        if moved := _LRC_SHIFT.match(line):
            shift = int(moved[1])
        if found := _LRC.match(line):
            for one in _LRC_TIME.findall(found[1]):
                starts.setdefault(_ms(one), []).append(found.groups()[-1])
    times = sorted(starts)
    ends = times[1:] + [start + _LAST_MS for start in times[-1:]]
    for start, end in zip(times, ends, strict=True):
        yield max(start - shift, 0), max(end - shift, 0), "\n".join(starts[start]).strip()


def _ms(stamp: Iterable[str]) -> int:
    hours, minutes, seconds, part = (one or "0" for one in stamp)
    return (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1000 + int(part.ljust(3, "0"))


def _clock(ms: int) -> str:
    return f"{ms // 3_600_000}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def _marked(text: str, web: bool) -> str:
    """As ASS has it: markup that it knows becomes its own, other markup goes, and what looks like markup is text. web:
    signs may be written as in HTML."""
    text = _TAG.sub(lambda tag: f"{{\\{tag[2].lower()}{0 if tag[1] else 1}}}", text)
    text = _OTHER_TAG.sub("", text.replace("\\N", "\n"))
    text = html.unescape(text) if web else text
    parts, place = [], 0
    for tag in _KEPT.finditer(text):
        parts += [_literal(text[place : tag.start()]), tag[0]]
        place = tag.end()
    lines = "".join([*parts, _literal(text[place:])]).splitlines()
    return "\\N".join(line.strip() for line in lines if line.strip())


def _literal(text: str) -> str:
    """A word joiner keeps a backslash from meaning anything."""
    return text.replace("\\", "\\\u2060").replace("{", "\\{").replace("}", "\\}")
