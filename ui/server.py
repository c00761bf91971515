"""The tab 设置: what goes on in this server, its engines, what its administrator has set, and its log."""

from __future__ import annotations

from functools import cache
from typing import Any

import gradio as gr
from loguru import logger

from heygem import __version__, engines
from heygem.jobs.folder import free_bytes
from heygem.jobs.job import QUEUED, RUNNING
from ui.browser import live
from ui.checks import Checks
from ui.desk import Desk
from ui.engines import EngineCards
from ui.files import problem
from ui.log import LogView
from ui.rules import Rules
from ui.template import plain
from ui.words import say

_LABELS = ("now", "language", "queue", "workers")
_GB = 1 << 30


class Server:
    """Builds the tab inside the current ``gr.Tab`` and answers its browsers."""

    def __init__(self, page: gr.Blocks, words: gr.I18n, desk: Desk) -> None:
        self._desk = desk
        live("server", self.answer, desk)
        EngineCards(desk)
        Rules(desk)
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
        known = say("versions", language, version=__version__, engine=_engine())
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


@cache
def _engine() -> str:
    """The default one with its version: the others load libraries that this process has no use for."""
    usual = engines.load(engines.DEFAULT)
    return f"{usual.name} {usual.version}"
