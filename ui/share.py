"""The links to results, in every tab: made at a press, shown in a window of their own, taken back."""

from __future__ import annotations

import time
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
import segno
from segno.encoder import DataOverflowError

from heygem.errors import JobState, ResultGone
from heygem.jobs.job import Job
from storage import Link
from storage.sharing import Sharing, in_cloud
from ui.browser import tongue
from ui.delivery import here
from ui.desk import Desk
from ui.files import problem
from ui.template import plain, template
from ui.words import duration, say

_LABELS = (
    *("link_title", "link_address", "link_copy", "link_copied", "link_left", "link_until", "link_days", "link_over"),
    *("link_by_hand", "link_renew", "link_open", "link_qr", "link_close", "link_offline", "link_copy_all", "link_no"),
)


class Share:
    """Builds the windows in the current block and answers their browsers."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._sharing = desk, Sharing(desk.queue, desk.settings)

        def ask(question: dict[str, Any], request: gr.Request) -> dict[str, Any]:
            return self.answer(question, tongue(request, desk), user_of(request))

        template("share", {}, "share", elem_id="share", server_functions=[ask])

    def answer(self, question: dict[str, Any], language: str, user: str = "page") -> dict[str, Any]:
        """question: do: "link", "revoke", "upload" with a job, "links" with a batch; base: the address of this server
        as the browser knows it. Nothing in it is trusted, nothing is raised."""
        name, job = str(question.get("do", "")), str(question.get("job", ""))
        base = _base(question.get("base"))
        try:
            if name == "link":
                return self._link(job, base, user, language)
            if name == "links":
                return self._links(str(question.get("batch", "")), base, user, language)
            if name == "revoke":
                return plain({"said": self._revoke(job, language)})
            if name == "upload":
                self._sharing.deliver(job)
            return plain({"words": {label: say(label, language) for label in _LABELS}})
        except Exception as error:
            return plain(problem(error, language, self._desk.log.name))

    def _link(self, job: str, base: str, user: str, language: str) -> dict[str, Any]:
        found = self._desk.queue.need(job)
        link = self._sharing.make_link(found, by=user, base=base)
        where = "cloud" if in_cloud(self._desk.queue.need(job)) else "local"
        code = qr(link.url)
        sure = "link_sure_only" if where == "cloud" and not here(found) else f"link_sure_{where}"
        shown = {
            "name": found.name,
            "job": found.id,
            "kind": say(f"link_kind_{where}", language),
            "about": say("link_local_note", language) if where == "local" else "",
            "notes": notes(link, where, language),
            "scan": say("link_qr" if code else "link_qr_long", language),
            "revoke": say(f"link_revoke_{where}", language),
            "sure": say(sure, language),
            "yes": say(f"link_yes_{where}", language),
        }
        return plain({**shown, "url": link.url, "qr": code, "seconds": max(link.expires - time.time(), 0)})

    def _links(self, batch: str, base: str, user: str, language: str) -> dict[str, Any]:
        """All links of a batch as lines of name and address, which chats and spreadsheets take."""
        made: list[tuple[Job, Link]] = []
        for job in self._desk.queue.jobs_of(batch):
            with suppress(JobState, ResultGone):  # those that have a result
                made.append((job, self._sharing.make_link(job, by=user, base=base)))
        if not made:
            return plain({"problem": say("link_none", language)})
        text = "\n".join(f"{job.name}\t{link.url}" for job, link in made)
        kinds = {"cloud" if in_cloud(job) else "local" for job, _ in made}
        end = min(link.expires for _, link in made) - time.time()
        more = [f"{say('link_left', language)} {duration(end, language)}"]
        more += [say(f"link_kind_{kind}", language) for kind in sorted(kinds)]
        said = {"said": say("link_copied_all", language, n=len(made)), "more": " · ".join(more), "shown": text}
        return {**plain(said), "text": text}

    def _revoke(self, job: str, language: str) -> str:
        where = "cloud" if (found := self._desk.queue.get(job)) and in_cloud(found) else "local"
        self._sharing.revoke(job)
        return say(f"link_revoked_{where}", language)


def notes(link: Link, where: str, language: str) -> list[str]:
    """What the reader should know about a link before handing it on."""
    found = [say("link_capped", language)] if link.capped else []
    return [*found, say("link_loopback", language)] if where == "local" and only_here(link.url) else found


def only_here(url: str) -> bool:
    """Does the address lead every machine to itself?"""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def qr(url: str) -> str:
    """The address as a picture for cameras, an SVG in a data: address; nothing where it is too long."""
    try:
        code = segno.make_qr(url, error="l", boost_error=False)  # fewer, larger squares: screens do not get dirty
    except DataOverflowError:
        return ""
    return code.svg_data_uri(scale=3, border=4, dark="#000", light="#fff")


def user_of(request: gr.Request) -> str:
    """Who is logged in, for the record of links."""
    return getattr(getattr(request, "state", None), "user", "") or "page"


def _base(given: Any) -> str:
    """The address that a browser names; it gets back nothing but its own."""
    text = str(given or "")[:500]
    return text if urlsplit(text).scheme in ("http", "https") else ""
