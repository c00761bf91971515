"""A job once more, with other options: a window over the history."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import gradio as gr

from heygem.jobs.limits import check_options, check_room
from ui.browser import QUIET, tongue
from ui.desk import Desk
from ui.files import problem
from ui.options import chosen, options_panel, values_of
from ui.template import template
from ui.words import say


class Again:
    """Opens where ``list`` triggers "again" with a job; tells it by the value of ``self.head`` what came of it.

    self.head: {"job", "name"} of the job in question, "said" once it is queued, "problem" and "remedy" where it is not.
    """

    def __init__(self, words: gr.I18n, desk: Desk, list: gr.HTML) -> None:
        self._desk = desk
        with gr.Column(elem_id="again"):
            self.head = template("again", {}, "again")
            self.options = options_panel(words, "again_", desk, open=True)
            start = gr.Button(words("start"), variant="primary", elem_id="again_start")
        list.again(self._open, None, [self.head, *self.options], **QUIET)
        start.click(self._start, [self.head, *self.options], self.head, **QUIET)

    def _open(self, event: gr.EventData, request: gr.Request) -> list[Any]:
        language = tongue(request, self._desk)
        try:
            job = self._desk.queue.need(str(event._data.get("job")))
        except Exception as error:
            told = {**self._value(None, "", language), **problem(error, language, self._desk.log.name)}
            return [told, *[gr.skip()] * len(self.options)]
        return [self._value(job.id, job.name, language), *values_of(job.request.options)]

    def _start(self, asked: dict[str, Any], request: gr.Request, *options: Any) -> dict[str, Any]:
        language = tongue(request, self._desk)
        try:
            check_room(self._desk.queue, self._desk.settings)
            old = self._desk.queue.need(str(asked.get("job")))
            wanted = chosen(*options, files=old.request.options.finish.files)
            kept = old.request.options.style  # the page has no field for where and how exactly
            wanted = replace(wanted, style=replace(wanted.style, device=kept.device, exact=kept.exact))
            check_options(self._desk.settings, wanted)
            job = self._desk.queue.again(old.id, wanted)
        except Exception as error:
            told = problem(error, language, self._desk.log.name)
            return {**self._value(asked.get("job"), asked.get("name"), language), **told}
        return {"said": say("said_again", language, name=job.name), "at": time.time()}

    def _value(self, job: Any, name: Any, language: str) -> dict[str, Any]:
        """at: makes every value a new one, so that the window opens again for the same job."""
        labels = {label: say(label, language) for label in ("again", "again_about", "close")}
        return {"job": job, "name": name, "at": time.time(), "words": labels}
