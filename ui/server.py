"""The tab 设置: what goes on in this server, what its administrator has set, and its log."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
from loguru import logger
from pydantic import SecretStr

from heygem import __version__, engines
from heygem.jobs.folder import free_bytes
from heygem.jobs.job import QUEUED, RUNNING
from heygem.settings import PREFIX, Settings
from ui.browser import tongue
from ui.checks import Checks
from ui.desk import Desk
from ui.files import problem
from ui.log import LogView
from ui.template import plain, template
from ui.words import WORDS, duration, say

_GROUPS = (
    ("group_share", ("storage", "s3_", "upload_", "link_", "cdn_", "public_", "keep_local")),
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
_LABELS = ("now", "rules", "rules_about", "language", "own_value", "queue", "workers")


class Server:
    """Builds the tab inside the current ``gr.Tab`` and answers its browsers."""

    def __init__(self, page: gr.Blocks, words: gr.I18n, desk: Desk) -> None:
        self._desk = desk

        def ask(question: dict[str, Any], request: gr.Request) -> dict[str, Any]:
            return self.answer(question, tongue(request, desk))

        self.view = template("server", {}, "server", elem_id="server", server_functions=[ask])
        Checks(desk)
        LogView(desk)

    def answer(self, question: dict[str, Any], language: str) -> dict[str, Any]:
        """What the browser shows. question: do, "pause" or "resume"."""
        try:
            if question.get("do") == "pause":
                self._desk.queue.pause()
                logger.info("the queue was paused on the page")
            if question.get("do") == "resume":
                self._desk.queue.resume()
                logger.info("the queue was resumed on the page")
            return plain(self._state(language))
        except Exception as error:
            return plain(problem(error, language, self._desk.log.name))

    def _state(self, language: str) -> dict[str, Any]:
        queue, settings = self._desk.queue, self._desk.settings
        held, counts = queue.held(), queue.store.counts()
        paused = queue.store.fact("paused") is not None
        secured = bool(settings.api_token or settings.users_file or settings.users.exists())
        free = say("disk_free", language, free=free_bytes(queue.outputs) / _GB, floor=queue.floor / _GB)
        known = say("versions", language, version=__version__, engines=_engines())
        return {
            "held": held or "",
            "queue": say(f"queue_{held or 'open'}", language),
            "counts": say("queue_counts", language, queued=counts.get(QUEUED, 0), running=counts.get(RUNNING, 0)),
            "do": {"name": "resume" if paused else "pause", "label": say("resume" if paused else "pause", language)},
            "workers": self._workers(language),
            "facts": [
                {"name": say("disk", language), "value": free, "bad": held == "disk"},
                {"name": say("login", language), "value": say(f"login_{'on' if secured else 'off'}", language)},
                {"name": say("version", language), "value": known},
            ],
            "groups": rules(settings, language),
            "words": {label: say(label, language) for label in _LABELS},
        }

    def _workers(self, language: str) -> list[dict[str, str]]:
        found = []
        for hand in self._desk.fleet.workers():
            job = self._desk.queue.get(hand.job) if hand.job else None
            state = "busy" if job else "asleep" if hand.pid is None else "ready"
            text = say(f"worker_{state}", language, name=job.name if job else "")
            found.append({"name": hand.name, "device": hand.device.upper(), "state": state, "text": text})
        return found or [{"name": say("no_workers", language), "device": "", "state": "asleep", "text": ""}]


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


@cache
def _engines() -> str:
    """All names, the default one with its version: the others load libraries that this process has no use for."""
    usual = engines.load(engines.DEFAULT)
    return ", ".join([f"{usual.name} {usual.version}", *(name for name in engines.ENGINES if name != usual.name)])
