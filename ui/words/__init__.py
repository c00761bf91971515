"""Every sentence a user of the page reads, in Chinese and English, by key or by error code. One file an area."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from typing import Any

from heygem import errors
from heygem.language import LANGUAGES
from ui.words.batch import BATCH
from ui.words.delivery import DELIVERY, FINDINGS_ZH
from ui.words.engines import ENGINES, LICENCES_ZH
from ui.words.finish import FINISH
from ui.words.history import HISTORY
from ui.words.options import OPTIONS
from ui.words.preflight import PREFLIGHT
from ui.words.problems import ERROR_EN_PAGE, ERRORS_ZH, REASONS_ZH, VALUES_ZH, WARNINGS
from ui.words.remote import REMOTE
from ui.words.say import SAY
from ui.words.server import SERVER
from ui.words.single import SINGLE

WORDS: dict[str, tuple[str, str]] = {
    **SINGLE,
    **BATCH,
    **OPTIONS,
    **PREFLIGHT,
    **HISTORY,
    **DELIVERY,
    **ENGINES,
    **FINISH,
    **SAY,
    **SERVER,
    **REMOTE,
}


def say(key: str, language: str, **details: object) -> str:
    """The sentence of this key."""
    return WORDS[key][LANGUAGES.index(language)].format(**details)


def explain(code: str, details: Mapping[str, str], language: str) -> tuple[str, str]:
    """(what went wrong, what to do) for an error code. A detail that is missing reads as nothing."""
    values = _Blank(details)
    if language == "zh":
        values.update({name: VALUES_ZH.get(value, value) for name, value in details.items()})
    message, hint = templates(code, language)
    return message.format_map(values), hint.format_map(values)


def because(part: Mapping[str, Any], quality: Mapping[str, Any], language: str) -> str:
    """Why a part of the score took points, and what to do."""
    if language == "zh" and part["name"] in REASONS_ZH:
        return REASONS_ZH[part["name"]].format_map(quality)
    return f"{part['reason'][:1].upper()}{part['reason'][1:]}."


def quoted(text: str, language: str) -> str:
    """What a card quotes of a licence or a source, in this language; the name of a licence stands as it is."""
    return {**VALUES_ZH, **LICENCES_ZH}.get(text, text) if language == "zh" else text


def warn(warning: str, language: str) -> str:
    """A warning of a take in this language; one that nobody knows stands as it is."""
    for pattern, key in WARNINGS.items():
        if found := re.fullmatch(pattern, warning):
            values = {k: say(v, language) if k == "option" and v in WORDS else v for k, v in found.groupdict().items()}
            return say(key, language, **values)
    return warning


def told(finding: str, language: str) -> str:
    """What a check found, also where it is an error of ours, in this language; what nobody knows stands as it is."""
    if language != "zh" or not finding:
        return finding
    for pattern, zh in FINDINGS_ZH.items():
        if found := re.fullmatch(pattern, finding):
            return zh.format_map(found.groupdict())
    closest = 0, finding  # of the sentences that fit, the longest: “{option} cannot be {value}.” fits much
    for kind in error_kinds():
        for at, english in enumerate((kind.template, kind.remedy)):
            if english != "{reason}" and (found := re.fullmatch(_pattern(english), finding)):
                closest = max(closest, (len(english), explain(kind.code, found.groupdict(), language)[at]))
    return closest[1]


def _pattern(template: str) -> str:
    """A regular expression that finds the values of a sentence with placeholders; the same one is equal everywhere."""
    found, seen = "", set()
    for text, name, *_ in string.Formatter().parse(template):
        found += re.escape(text)
        if name:
            found += f"(?P={name})" if name in seen else f"(?P<{name}>.*)"
            seen.add(name)
    return found


def templates(code: str, language: str) -> tuple[str, str]:
    """(message, hint) of a code, with placeholders. A code that nobody knows reads as the general error."""
    kinds = {kind.code: (kind.template, kind.remedy) for kind in error_kinds()}
    table = ERRORS_ZH if language == "zh" else {**kinds, **ERROR_EN_PAGE}
    return table.get(code, table["error"])


def error_kinds(kind: type[errors.HeyGemError] = errors.HeyGemError) -> Iterator[type[errors.HeyGemError]]:
    """The error classes, from the root down."""
    yield kind
    for child in kind.__subclasses__():
        yield from error_kinds(child)


def duration(seconds: float, language: str) -> str:
    """A length of time for people: 4.2 s, 3 min 20 s, 1 h 5 min."""
    if seconds < 10:
        return say("seconds", language, n=f"{seconds:.1f}")
    whole = round(seconds)
    if whole < 60:
        return say("seconds", language, n=whole)
    if whole < 3600:
        return say("minutes", language, m=whole // 60, s=whole % 60)
    if whole % 3600 < 60:
        return say("whole_hours", language, n=whole // 3600)
    return say("hours", language, h=whole // 3600, m=whole % 3600 // 60)


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""
