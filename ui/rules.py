"""What the administrator of this server has set, to read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from heygem.settings import PREFIX, Settings
from ui.browser import live
from ui.desk import Desk
from ui.template import plain
from ui.words import WORDS, duration, say

_GROUPS = (
    ("group_share", ("storage", "s3_", "upload_", "link_", "cdn_", "public_", "keep_local")),
    ("group_engines", ("remote_", "tts_", "weights_", "commercial")),
    ("group_notify", ("notify_", "smtp_")),
    ("group_keep", ("keep_", "min_", "cache_")),
    ("group_max", ("max_",)),
    ("group_programs", ("api_", "cors_", "easy_fetch", "webhook_")),
    ("group_page", ("host", "port", "language")),
    ("group_folders", ("home", "outputs", "log_", "users_", "input_", "easy_", "insightface", "syncnet")),
    ("group_work", ("",)),
)
"""Where a setting stands, by the beginning of its name; the first that fits counts."""
_UNITS = {"_mb": "MB", "_mb_s": "MB/s", "_gb": "GB", "_bytes": "GB"}
_GB = 1 << 30
_LABELS = ("rules", "rules_about", "own_value")


class Rules:
    """Builds the sheet in the current block and answers its browsers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        live("rules", lambda _, language: self.answer(language), desk)

    def answer(self, language: str) -> dict[str, Any]:
        """What the browser shows."""
        words = {label: say(label, language) for label in _LABELS}
        return plain({"groups": rules(self._desk.settings, language), "words": words})


def rules(settings: Settings, language: str) -> list[dict[str, Any]]:
    """Every setting in words, with its value and the variable that sets it. Secrets are stars."""
    groups: dict[str, list[dict[str, Any]]] = {group: [] for group, _ in _GROUPS}
    for name in Settings.model_fields:
        group = next(group for group, starts in _GROUPS if name.startswith(starts))
        groups[group].append(
            {
                "name": say(f"setting_{name}", language) if f"setting_{name}" in WORDS else name,
                "value": shown(name, getattr(settings, name), language),
                "variable": PREFIX + name.upper(),
                "own": name in settings.model_fields_set,
            }
        )
    return [{"name": say(group, language), "rules": found} for group, found in groups.items() if found]


def shown(name: str, value: Any, language: str) -> str:
    """The value of a setting for people."""
    if isinstance(value, SecretStr):
        return "••••••••"
    if value is None or value == ():
        return say("no_value", language)
    if isinstance(value, bool):
        return say("on" if value else "off", language)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, str | Path):
        return str(value)
    about = Settings.model_fields[name].description or ""
    if value == 0 and ("ever" in about or "no limit" in about):
        return say("unlimited", language)
    if value == 0 and name in ("workers", "smtp_port"):
        return say("automatic" if name == "workers" else "automatic_port", language)
    if name.endswith("_bytes"):
        value /= _GB
    unit = next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")
    if unit:
        return f"{value:,.4g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"
    if name.endswith("days"):
        return say("days", language, n=f"{value:g}")
    if name.endswith("minutes"):
        return duration(60 * value, language)
    return duration(value, language) if name.endswith("seconds") else f"{value:g}"
