"""Results side by side: the window in which they play in step, and what it needs to know of them."""

from __future__ import annotations

from typing import Any

from heygem.errors import CompareTooLong, JobState, ResultGone
from heygem.jobs.comparison import results_of
from heygem.jobs.job import Job
from ui.browser import live
from ui.card import grade, result_url
from ui.delivery import playable
from ui.desk import Desk
from ui.files import problem
from ui.template import plain
from ui.words import say

MOST = 4
"""Players in one window."""
_LABELS = (
    *("compare", "compare_sound", "compare_play", "compare_pause", "compare_at", "compare_download", "compare_making"),
    *("compare_busy", "compare_failed", "close"),
)


class Compare:
    """Builds the window in the current block; a press on anything with ``data-compare`` (ids of jobs) opens it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        live("compare", self.answer, desk)

    def answer(self, question: dict[str, Any], language: str) -> dict[str, Any]:
        """question: jobs. Nothing in it is trusted, nothing is raised. Results in the storage alone play, but there is
        nothing to download then: “problem” says so."""
        given = question.get("jobs")
        ids = [str(one) for one in given[:MOST]] if isinstance(given, list) else []
        shown: dict[str, Any] = {"words": {label: say(label, language) for label in _LABELS}}
        log = self._desk.log.name
        try:
            jobs = [self._desk.queue.need(id) for id in ids]
            shown["films"] = [_film(job, language) for job in jobs]
            results_of(jobs)
            shown["ready"] = bool(jobs)
        except (CompareTooLong, ResultGone) as error:
            shown |= problem(error, language, log)
        except Exception as error:
            shown |= {"films": [], **problem(error, language, log)}
        return plain(shown)


def _film(job: Job, language: str) -> dict[str, Any]:
    """Raises JobState, ResultGone."""
    if job.take is None:
        raise JobState(state=job.state)
    if not playable(job):
        raise ResultGone(name=job.take.path.name)
    return {
        "id": job.id,
        "name": job.name,
        "url": result_url(job),
        "poster": f"api/v1/jobs/{job.id}/thumbnail",
        **grade(job.take.quality, language, "run_score"),
    }
