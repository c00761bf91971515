"""The end of the log, as it grows.

The file itself is not offered for download: it holds weeks of everybody's file names, and whoever needs all of it has
the server at hand. The lines in view can be copied and sent.
"""

from __future__ import annotations

import re
from typing import Any

from heygem.log import tail
from ui.browser import live
from ui.desk import Desk
from ui.files import problem
from ui.template import plain
from ui.words import say

LINES, SEARCHED = 200, 5000
"""Lines that are shown, and among which a filter looks."""
_LINE = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (\w+) +(\S+) (.*)")
_LABELS = ("log", "log_search", "log_follow", "log_copy", "log_copied")


class LogView:
    """Builds the view in the current block and answers its browsers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        live("log", self.answer, desk)

    def answer(self, question: dict[str, Any], language: str) -> dict[str, Any]:
        """The last lines that hold all the words of the question's text; the number of a job is one of them."""
        lines: list[str] = []
        try:
            wanted = str(question.get("text", ""))[:200].lower().split()
            found = tail(self._desk.log, SEARCHED if wanted else LINES)
            lines = [line for line in found if all(word in line.lower() for word in wanted)][-LINES:]
            empty = "" if lines else say("log_nothing" if wanted else "log_empty", language)
        except Exception as error:
            empty = " ".join(problem(error, language, self._desk.log.name).values())
        return plain(
            {
                "lines": [parts(line) for line in lines],
                "empty": empty,
                "about": say("log_about", language, file=self._desk.log),
                "words": {label: say(label, language) for label in _LABELS},
            }
        )


def parts(line: str) -> dict[str, str]:
    """A line of the log in its parts; one that has none stands as it is."""
    if not (found := _LINE.fullmatch(line)):
        return {"text": line}
    day, time, level, job, text = found.groups()
    return {"day": day, "time": time, "level": level, "job": "" if job == "-" else job, "text": text}
