"""What a result shows of the way to others: the switch before, the upload meanwhile, the buttons of its links after."""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from heygem.errors import StorageMissing
from heygem.jobs.job import DELIVERED, DONE, PENDING, UNDELIVERED, UPLOADING, Delivery, Extras, Job
from heygem.settings import Settings
from storage.sharing import in_cloud
from ui.browser import QUIET, tongue
from ui.checks import lacking, place
from ui.desk import Desk
from ui.words import duration, explain, say


def deliver_switch(page: gr.Blocks, words: gr.I18n, desk: Desk, name: str) -> gr.Checkbox:
    """The switch, off. What it does or what it lacks is said when a page opens; name: the id."""
    box = gr.Checkbox(False, label=words("deliver"), interactive=False, elem_id=name, elem_classes="deliver")

    def opened(request: gr.Request) -> gr.Checkbox:
        lacks, about = about_switch(desk.settings, tongue(request, desk))
        return gr.Checkbox(interactive=not lacks, info=about)

    page.load(opened, None, box, **QUIET)
    return box


def about_switch(settings: Settings, language: str) -> tuple[bool, str]:
    """(does something lack, the sentence beside the switch)."""
    if lacks := lacking(settings):
        return True, say("deliver_lacks", language, what=", ".join(lacks))
    time = duration(settings.link_seconds, language)
    return False, say("deliver_how", language, place=place(settings, language), time=time)


def extras(deliver: bool, settings: Settings) -> Extras:
    """What goes with a request. Raises StorageMissing where the switch cannot have been on."""
    if deliver and (lacks := lacking(settings)):
        raise StorageMissing(what=", ".join(lacks))
    return Extras(deliver=bool(deliver))


def sharing(job: Job, language: str, log: str) -> dict[str, Any]:
    """The values "cloud" and "links" of a job in a template; nothing for one that has no result."""
    if job.state != DONE:
        return {}
    value: dict[str, Any] = {}
    if job.delivery:
        value = _cloud(job, job.delivery, language, log)
    elif job.link_expires and job.link_expires > time.time():
        value = {"state": "shared", "title": say("link_kind_local", language), "numbers": _link_left(job, language)}
    links = {"job": job.id, "copy": say("link_copy", language), "more": say("link_more", language)}
    return {"links": links, "cloud": {"job": job.id, **value} if value else None}


def delivering(job: Job) -> bool:
    """Will what a page shows of it change by itself?"""
    return job.delivery is not None and job.delivery.busy


def here(job: Job) -> bool:
    """Is the result on this disk? A delivered one may have left."""
    return job.take is not None and (job.delivery is None or job.take.path.is_file())


def playable(job: Job) -> bool:
    """Does its address lead to a video, on this disk or in the storage?"""
    return here(job) or in_cloud(job)


def _cloud(job: Job, delivery: Delivery, language: str, log: str) -> dict[str, Any]:
    state = delivery.state
    sent = round(100 * delivery.sent / delivery.size) if delivery.size else 0
    verifying = state == UPLOADING and sent == 100
    value = {"state": state, "numbers": _numbers(job, delivery, language)}
    value["title"] = say("upload_verifying" if verifying else f"upload_{state}", language, percent=min(sent, 100))
    if delivery.error and state in (PENDING, UNDELIVERED):
        details = {**delivery.error.details, "log": log, "job": job.id}
        value["problem"], value["remedy"] = explain(delivery.error.code, details, language)
        value["title"] = say("upload_failed", language)
        value["state"] = UNDELIVERED
        value["retry"] = say("upload_retry", language)
    return value


def _link_left(job: Job, language: str) -> list[str]:
    """How long the newest link still works."""
    rest = (job.link_expires or 0) - time.time()
    return [say("link_rest", language, time=duration(rest, language))] if rest > 0 else []


def _numbers(job: Job, delivery: Delivery, language: str) -> list[str]:
    """What was measured, and nothing else."""
    found: list[str] = []
    if delivery.state == UPLOADING and delivery.speed:
        fast = delivery.speed >= 1e6
        found.append(f"{delivery.speed / 1e6:.1f} MB/s" if fast else f"{delivery.speed / 1e3:.0f} KB/s")
        if delivery.seconds_left:
            found.append(say("upload_left", language, time=duration(delivery.seconds_left, language)))
    if delivery.state == DELIVERED:
        found += _link_left(job, language)
    if delivery.state == PENDING and delivery.next and delivery.next > time.time():
        found.append(say("upload_next", language, time=duration(delivery.next - time.time(), language)))
    return found
