"""The answers of the history: one page of jobs and batches, newest first, and what is done with them.

What a browser shows is a function of its question: what to look for, which page, which job is open, what to do first.
So it looks the same after a restart of the server and in every other browser.
"""

from __future__ import annotations

import math
from typing import Any

from heygem.errors import JobMissing, JobState
from heygem.jobs import limits
from heygem.jobs.job import BUSY, CANCELLED, DONE, FAILED, Job
from heygem.jobs.store import Filter
from ui.delivery import delivering
from ui.desk import Desk
from ui.files import problem
from ui.rows import card, head, row
from ui.template import plain
from ui.words import say

PAGE = 24
"""Rows of one page."""
_STATES = {"all": (), "busy": BUSY, "done": (DONE,), "failed": (FAILED,), "cancelled": (CANCELLED,)}
_MOST = 1000  # jobs that one press may change
_LABELS = (
    *("search", "filter", "whole_batch", "all_batches", "nothing_yet", "nothing_found", "offline", "choose_page"),
    *("choose", "preview", "pinned", "before", "after", "page", "zip", "download_this", "download_short", "close"),
    *("delete_this", "delete_chosen", "chosen", "choose_none", "again", "retry", "cancel", "pin", "unpin", "next"),
    *("previous", "no", "yes_delete", "link_copy_all", "link_table", "compare", "compare_how"),
)


class Listing:
    """Answers browsers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def answer(self, question: dict[str, Any], language: str) -> dict[str, Any]:
        """What a browser shows. question: text, state, batch, page; open: the job in the player; ask: jobs that are
        perhaps to be deleted; do and jobs: what is to be done first. Nothing in it is trusted, and nothing is raised.
        """
        try:
            said = self._do(str(question.get("do", "")), _ids(question, "jobs"), language)
            return plain({"said": said, **self._look(question, language)})
        except Exception as error:
            return plain({"said": problem(error, language, self._desk.log.name)})

    # -- looking

    def _look(self, question: dict[str, Any], language: str) -> dict[str, Any]:
        state, batch = str(question.get("state")), str(question.get("batch") or "")
        wanted = Filter(str(question.get("text", ""))[:200], _STATES.get(state, ()), batch or None, PAGE)
        jobs, count, page = self._page(wanted, question.get("page"))
        held = self._desk.queue.held()
        rows = [row(job, self._desk, language, held) for job in jobs]
        self._head(rows, language)
        opened = self._desk.queue.get(str(question.get("open", "")))
        return {
            "rows": rows,
            "count": say("count", language, n=f"{count:,}"),
            "page": page,
            "pages": max(1, math.ceil(count / PAGE)),
            "batch": batch,
            "filtered": bool(wanted.text.split() or wanted.states or batch),
            "states": [
                {"value": one, "name": say(f"only_{one}", language), "on": "true" if one == state else "false"}
                for one in _STATES
            ],
            "open": card(opened, self._desk, language, held) if opened else None,
            "ask": self._question(_ids(question, "ask"), language),
            "busy": any(job.busy or delivering(job) for job in [*jobs, *filter(None, [opened])]),
            "words": {label: say(label, language) for label in _LABELS},
        }

    def _page(self, wanted: Filter, asked: Any) -> tuple[list[Job], int, int]:
        """The jobs of a page, the number of all, and the page: the last one where that many are not there."""
        page = min(max(asked, 1), 10**6) if isinstance(asked, int) else 1
        while True:
            at = Filter(wanted.text, wanted.states, wanted.batch, PAGE, PAGE * (page - 1))
            jobs, count = self._desk.queue.find(at)
            if jobs or page == 1:
                return jobs, count, page
            page = max(1, math.ceil(count / PAGE))

    def _head(self, rows: list[dict[str, Any]], language: str) -> None:
        """Neighbours of one batch stand under one head."""
        above = ""
        for one in rows:
            if one["batch"] and one["batch"] != above and (batch := self._desk.queue.batch(one["batch"])):
                one["head"] = head(batch, language)
            above = one["batch"]

    def _question(self, ids: list[str], language: str) -> dict[str, Any] | None:
        """What a reader is asked before something is deleted."""
        jobs = [job for job in map(self._desk.queue.get, ids) if job]
        if not jobs:
            return None
        kept = sum(job.busy for job in jobs)
        one = say("ask_delete_one", language, name=jobs[0].name)
        about = [say("ask_delete_busy", language, n=kept)] if kept else []
        if kept == len(jobs):
            about = [say("ask_delete_none", language)]
        return {
            "title": one if len(jobs) == 1 else say("ask_delete", language, n=len(jobs)),
            "about": [*about, *([say("ask_delete_about", language)] if kept < len(jobs) else [])],
            "possible": kept < len(jobs),
        }

    # -- doing

    def _do(self, name: str, ids: list[str], language: str) -> dict[str, str] | None:
        """Does it and says so."""
        queue = self._desk.queue
        if name == "remove":
            return self._remove(ids, language)
        for job in ids:
            if name == "cancel":
                return {"text": say("said_cancel" if queue.cancel(job) else "said_over", language)}
            if name == "retry":
                limits.retry(queue, self._desk.settings, job)
                return {"text": say("said_retry", language)}
            if name in ("pin", "unpin"):
                queue.pin(job, name == "pin")
                return {"text": say("said_pin" if name == "pin" else "said_unpin", language)}
        return None

    def _remove(self, ids: list[str], language: str) -> dict[str, str]:
        removed = kept = 0
        for job in ids:
            try:
                self._desk.queue.remove(job)
                removed += 1
            except JobState:
                kept += 1
            except JobMissing:
                continue  # somebody else was faster
        said = [say("said_removed", language, n=removed)]
        return {"text": " ".join(said + ([say("said_kept", language, n=kept)] if kept else []))}


def _ids(question: dict[str, Any], name: str) -> list[str]:
    given = question.get(name)
    return [str(one) for one in given[:_MOST]] if isinstance(given, list) else []
