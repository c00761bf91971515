"""A batch that was sent: what a browser sees of it and does with it."""

from __future__ import annotations

from typing import Any

from heygem.jobs import limits
from heygem.jobs.job import CANCELLED, FAILED, Batch
from ui.desk import Desk
from ui.files import problem
from ui.progress import Line, show_batch
from ui.template import plain


class Sent:
    """Answers the view of a batch."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._queue, self._log = desk, desk.queue, desk.log.name

    def answer(self, question: dict[str, Any], language: str) -> dict[str, Any]:
        """question: batch; do and job: what is to be done first. Nothing in it is trusted; what cannot be done is a
        sentence. Raises StoreBusy and StoreUnusable where the list cannot be read: then the page asks again."""
        said: dict[str, str] = {}
        batch = self._queue.batch(str(question.get("batch", "")))
        try:
            if batch and question.get("do"):
                self._do(batch, str(question["do"]), str(question.get("job", "")))
        except Exception as error:
            said = problem(error, language, self._log)
        return plain({**self.show(batch, language), **said})

    def show(self, batch: Batch | None, language: str) -> dict[str, Any]:
        """The value of the view."""
        jobs = self._queue.jobs_of(batch.id) if batch else []
        return show_batch(batch, jobs, Line.of(self._queue, len(self._desk.fleet.workers())), language, self._log)

    def _do(self, batch: Batch, name: str, job: str) -> None:
        queue = self._queue
        if name == "cancel_all":
            queue.cancel_batch(batch.id)
        elif name in ("retry_failed", "retry_cancelled"):
            state = FAILED if name == "retry_failed" else CANCELLED
            limits.retry_all(queue, self._desk.settings, batch.id, state)
        elif queue.need(job).batch != batch.id:
            return
        elif name == "cancel":
            queue.cancel(job)
        elif name == "retry":
            limits.retry(queue, self._desk.settings, job)
        elif name == "first" and (order := queue.store.order()) and order[0] != job:
            queue.move(job, before=order[0])
