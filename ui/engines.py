"""The cards of the engines, and what the choice of one says: may it be used here, what is missing, what is allowed."""

from __future__ import annotations

from typing import Any

from heygem.engines import DEFAULT, ENGINES
from heygem.engines.cards import Card, Part, card
from heygem.settings import Settings
from ui.browser import live
from ui.desk import Desk
from ui.files import problem
from ui.template import plain
from ui.words import explain, quoted, say

_LABELS = ("engine_cards", "engine_cards_about", "engine_default", "engine_licence", "engine_copy", "engine_copied")


ORDER = sorted(ENGINES, key="loudness".__eq__)
"""As they are shown: what is a check and no choice stands at the end."""


class EngineCards:
    """Builds the sheet in the current block and answers its browsers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        live("engines", lambda _, language: self.answer(language), desk)

    def answer(self, language: str) -> dict[str, Any]:
        """What the browser shows: every engine as it stands now."""
        settings = self._desk.settings
        try:
            shown = [show(one, language) for one in _all(settings)]
        except Exception as error:
            return plain(problem(error, language, self._desk.log.name))
        commercial = say("engine_commercial_on", language) if settings.commercial else ""
        words = {label: say(label, language) for label in _LABELS}
        return plain({"cards": shown, "commercial": commercial, "words": words})


def choices(settings: Settings, language: str) -> list[tuple[str, str]]:
    """All engines by their names in words, those that cannot be used now with the reason: for a dropdown."""
    return [(_marked(one, language), one.name) for one in _all(settings)]


def note(name: str, settings: Settings, language: str) -> dict[str, str]:
    """What whoever chooses this engine has to know; empty where there is nothing."""
    known = card(name, settings)
    if known.problems:
        message, hint = explain(known.problems[0].code, known.problems[0].details, language)
        return {"problem": message, "remedy": hint}
    if known.licence.commercial == "yes":
        return {}
    return {"about": _because(known.licence.commercial, known.licence.reason, language)}


def show(known: Card, language: str) -> dict[str, Any]:
    """One card in words."""
    licence = known.licence
    return {
        "name": known.name,
        "title": say(f"engine_{known.name}", language),
        "default": known.name == DEFAULT,
        "state": known.state,
        "word": say(f"engine_state_{known.state}", language),
        "about": say(f"engine_for_{known.name}", language),
        "facts": _facts(known, language),
        "commercial": licence.commercial,
        "allowed": say(f"engine_licence_{licence.commercial}", language),
        "reason": _reason(known, language),
        "licences": _licences(known, language),
        "how": _how(known, language),
        "lacks": _lacks(known, language),
        "besides": [_besides(part, language) for part in known.parts if part.row.optional and part.commands],
    }


def size(count: int) -> str:
    """Bytes for people."""
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if count >= unit:
            return f"{count / unit:.{1 if unit == 10**9 else 0}f} {name}"
    return f"{count / 1000:.0f} kB"


def _all(settings: Settings) -> list[Card]:
    return [card(name, settings) for name in ORDER]


def _marked(known: Card, language: str) -> str:
    title = say(f"engine_{known.name}", language)
    if known.state == "ready":
        return title
    return say("engine_marked", language, title=title, state=say(f"engine_state_{known.state}", language))


def _reason(known: Card, language: str) -> str:
    text = quoted(known.licence.reason, language)
    return text if language == "zh" else text[:1].upper() + text[1:]


def _because(commercial: str, reason: str, language: str) -> str:
    allowed = say(f"engine_licence_{commercial}", language)
    return say("engine_because", language, allowed=allowed[:1].upper() + allowed[1:], reason=quoted(reason, language))


def _facts(known: Card, language: str) -> list[dict[str, str]]:
    """Where it computes, and what is known of the memory: nothing where nobody measured it."""
    elsewhere = known.name == "remote" and known.device
    device = say("engine_at", language, host=known.device) if elsewhere else known.device
    missing = [part.size for part in known.parts if not part.facts and not part.row.optional]
    memory = [say("engine_installed", language, size=size(known.installed))] if known.installed else []
    if missing and all(missing):
        memory.append(say("engine_download", language, size=size(sum(filter(None, missing)))))
    if known.gpu:
        source = quoted(known.gpu.source, language)
        memory.append(say("engine_gpu", language, size=f"{known.gpu.size >> 30} GB", source=source))
    rows = (("engine_device", device), ("engine_memory", " · ".join(memory)))
    return [{"name": say(key, language), "value": value} for key, value in rows if value]


def _licences(known: Card, language: str) -> list[str]:
    """Of the code, of the weights; of each where there are several."""
    found = [say("engine_licence_code", language, text=quoted(known.licence.code, language))]
    for part in known.parts if len(known.parts) > 1 else ():
        text = quoted(part.row.licence, language)
        found.append(say("engine_licence_row", language, name=part.row.name, network=part.row.network, text=text))
    if len(known.parts) < 2:
        found.append(say("engine_licence_weights", language, text=quoted(known.licence.weights, language)))
    asserted = [part.row.name for part in known.parts if part.facts and part.facts.rights]
    return [*found, *(say("engine_rights", language, name=name) for name in asserted)]


def _lacks(known: Card, language: str) -> list[dict[str, Any]]:
    """What keeps it from being used, each with what to do."""
    found = []
    for error in known.problems:
        message, hint = explain(error.code, error.details, language)
        part = next((part for part in known.parts if part.problem is error), None)
        steps = _steps(part, language) if part else []
        found.append({"problem": message, "remedy": "" if steps else hint, "steps": steps})
    return found


def _how(known: Card, language: str) -> str:
    """What opens the instructions; nothing where they stand open, since something is wrong."""
    if known.state == "missing":
        return say("engine_how_missing", language, n=len(known.problems))
    return say("engine_how_off", language) if known.state == "off" else ""


def _besides(part: Part, language: str) -> dict[str, Any]:
    title = say("engine_optional", language, name=part.row.name, network=part.row.network)
    reason = _because(part.row.commercial, part.row.reason, language)
    return {"title": title, "reason": reason, "steps": _steps(part, language)}


def _steps(part: Part, language: str) -> list[dict[str, str]]:
    found = []
    for command in part.commands:
        step = {"about": say("engine_run", language), "command": command}
        if " remove " in command:
            step["about"] = say("engine_remove", language)
        elif " FILE " in command:
            file = part.row.files[0].name
            step |= {"about": say("engine_fetch", language, file=file), "page": part.row.page}
        found.append(step)
    return found
