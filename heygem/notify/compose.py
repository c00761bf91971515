"""From a job or a batch to the notice about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from loguru import logger

from heygem.errors import HeyGemError
from heygem.jobs.job import CANCELLED, DONE, FAILED, Batch, Failure, Job
from heygem.jobs.thumbnail import thumbnail
from heygem.notify.base import Item, Language, LinkPending, Notice
from heygem.notify.words import duration, moment, say

Link = Callable[[Job], tuple[str, float] | None]
"""The address of a result and the end of its life in seconds since the epoch; None where it has none. Raises
LinkPending where it will have one soon."""
Explain = Callable[[str, Mapping[str, str], str], tuple[str, str]]
"""Code, details and language of an error -> (what went wrong, what to do)."""


class Composer:
    """page: the address of HeyGem's page, to which a notice leads where its result has no link. explain: errors in
    other languages than English; without it they stand as they are."""

    def __init__(self, language: Language, page: str | None, link: Link, explain: Explain | None = None) -> None:
        self._language: Language = language
        self._page, self._link, self._explain = page, link, explain

    def of_job(self, job: Job, patient: bool = True) -> Notice:
        """Raises LinkPending where somebody is patient; otherwise the notice goes without a link."""
        link = self._link_of(job, patient)
        facts = [("state", self._say(f"state.{job.state}")), *self._result(job)]
        if job.ended and job.started:
            facts.append(("took", duration(max(job.ended - job.started, 0), self._language)))
        if link:
            facts.append(("expires", moment(link[1])))
        return Notice(
            "job",
            self._language,
            self._say(f"job.{job.state}", name=job.name),
            " ".join(self._why(job.error)) if job.error and job.state == FAILED else "",
            link[0] if link else self._page,
            _picture([job]),
            tuple((self._say(label), value) for label, value in facts),
            key_of(job),
            at=job.ended or time.time(),
            bad=job.state == FAILED,
            caption=self._say("open" if link else "open.page"),
        )

    def of_batch(self, batch: Batch, jobs: Sequence[Job], patient: bool = True) -> Notice:
        """As ``of_job``."""
        links = {job.id: self._link_of(job, patient) for job in reversed(jobs)}  # the last one is pending first
        done, failed, cancelled = (sum(job.state == state for job in jobs) for state in (DONE, FAILED, CANCELLED))
        text = self._say("batch.text", total=len(jobs), done=done)
        for state, n in ((FAILED, failed), (CANCELLED, cancelled)):
            text += self._say(f"batch.text.{state}", n=n) if n else ""
        ended = max(job.ended or 0 for job in jobs)
        facts = [(self._say("took"), duration(max(ended - batch.created, 0), self._language))]
        if ends := [link[1] for link in links.values() if link]:
            facts.append((self._say("expires"), moment(min(ends))))
        return Notice(
            "batch",
            self._language,
            self._say("batch.failed" if failed else "batch.done", name=batch.name, failed=failed),
            text,
            self._page,
            _picture(jobs),
            tuple(facts),
            batch_key(jobs),
            tuple(self._item(job, links.get(job.id)) for job in jobs),
            at=ended,
            bad=failed > 0,
            caption=self._say("open.page"),
        )

    def _link_of(self, job: Job, patient: bool) -> tuple[str, float] | None:
        if job.state != DONE:
            return None
        try:
            return self._link(job)
        except (LinkPending, HeyGemError) as error:
            if patient:
                raise LinkPending from error
            return None

    def _item(self, job: Job, link: tuple[str, float] | None) -> Item:
        if job.state == DONE:
            return Item(job.name, link[0] if link else None)
        reason = f" {self._why(job.error)[0]}" if job.error and job.state == FAILED else ""
        return Item(job.name, None, self._say(f"state.{job.state}") + reason)

    def _result(self, job: Job) -> list[tuple[str, str]]:
        if job.take is None or job.state != DONE:
            return []
        score = job.take.quality.get("score")
        facts = [("length", duration(job.take.seconds, self._language))]
        return facts if score is None else [*facts, ("score", self._say("score.value", score=score))]

    def _why(self, error: Failure) -> tuple[str, str]:
        if self._explain is None:
            return error.message, error.hint
        return self._explain(error.code, error.details, self._language)

    def _say(self, key: str, **details: object) -> str:
        return say(key, self._language, **details)


def key_of(job: Job) -> str:
    """The same job that is tried again and ends again is told again."""
    return f"job:{job.id}:{job.ended or 0:.3f}"


def batch_key(jobs: Sequence[Job]) -> str:
    """The same for all jobs of a batch, until one of them ends anew."""
    return f"batch:{jobs[0].batch}:{max(job.ended or 0 for job in jobs):.3f}"


def trial(language: Language, page: str | None = None) -> Notice:
    """A new one each time."""
    at, title, text = time.time(), say("test", language), say("test.text", language)
    caption = say("open.page", language)
    return Notice("test", language, title, text, page, None, (), f"test:{at}", at=at, caption=caption)


def _picture(jobs: Sequence[Job]) -> Path | None:
    """Of the first result; a notice without it is better than none."""
    done = next((job for job in jobs if job.state == DONE), None)
    try:
        return thumbnail(done) if done else None
    except Exception as error:
        logger.info("no picture for the notice: {}", error)
        return None
