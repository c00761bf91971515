"""The line at the top of every tab while no job can begin: why, and what to do."""

from __future__ import annotations

from typing import Any

from loguru import logger

from ui.browser import live
from ui.desk import Desk
from ui.files import problem
from ui.template import plain
from ui.words import say


class Banner:
    """Builds the line in the current block and answers its browsers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        live("banner", self.answer, desk)

    def answer(self, question: dict[str, Any], language: str) -> dict[str, Any]:
        """What is held and why; nothing while all goes its way. question: do, perhaps "resume"."""
        queue = self._desk.queue
        try:
            if question.get("do") == "resume":
                queue.resume()
                logger.info("the queue was resumed on the page")
            if queue.held() == "paused":
                return plain({"problem": say("held_by_hand", language), "resume": say("resume", language)})
            queue.check_room()
            return {}
        except Exception as error:
            return plain(problem(error, language, self._desk.log.name))
