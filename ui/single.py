"""The tab 单个处理: one voice, one video or photo, one result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from heygem.errors import HeyGemError
from heygem.jobs import limits
from heygem.jobs.job import Job, Request
from heygem.jobs.limits import check_files, check_options, check_room
from ui.browser import CLEAR, LATEST, PULSE, QUIET, kept, remembered, tongue
from ui.card import job_card, show
from ui.delivery import deliver_switch, delivering, extras
from ui.desk import Desk
from ui.draft import LOOKING, judged
from ui.files import NOTHING, look, problem
from ui.options import chosen, options_panel
from ui.say import SayPanel
from ui.template import template

KINDS = ("audio", "video")


class Single:
    """Builds the tab inside the current ``gr.Tab`` and answers its events.

    mine: {"job": id, "sent": was it sent from this browser}; it survives a reload. chosen: {"path": upload} of each
    kind, where it was found good; each has a state of its own, as two uploads may end at the same moment.
    """

    def __init__(self, page: gr.Blocks, words: gr.I18n, desk: Desk) -> None:
        self._desk, self._queue, self._log = desk, desk.queue, desk.log.name
        self.mine, self.chosen = remembered("job"), {kind: remembered(kind) for kind in KINDS}
        self.timer = gr.Timer(PULSE, active=False)
        with gr.Row(elem_classes="inputs"):
            self.audio, self.audio_look = picker("audio", "audio", words)
            self.video, self.video_look = picker("video", "video", words)
            SayPanel(words, desk, self.audio_look, self.chosen["audio"])
            with self.video_look.parent:  # pyright: ignore[reportOptionalContextManager]
                self.verdict = template("verdict", {}, elem_id="video_verdict")
        self.options = options_panel(words, "", desk)
        self.deliver = deliver_switch(page, words, desk, "deliver")
        with gr.Row(elem_classes="buttons"):
            self.start = gr.Button(words("start"), variant="primary", interactive=False, elem_id="start")
            self.cancel = gr.Button(words("cancel"), interactive=False, elem_id="cancel")
        self.refused = template("why", {}, elem_id="refused")
        gr.Markdown(words("result_title"), elem_classes="title section")
        self.card = job_card(elem_id="job")
        self._wire(page)

    def _wire(self, page: gr.Blocks) -> None:
        mine = [self.mine, *self.chosen.values()]
        state = [self.card, self.start, self.cancel, self.verdict, self.timer]
        page.load(self._enter, mine, [self.mine, self.audio_look, self.video_look], **QUIET)
        for kind, file, view in (("audio", self.audio, self.audio_look), ("video", self.video, self.video_look)):
            # The file moves on to the draft, so that the drop zone stays open for another one.
            file.upload(self._picked(kind), file, [file, self.chosen[kind], view], **QUIET)
        gr.on([one.change for one in self.chosen.values()], outputs=self.refused, **CLEAR)  # it was of other files
        sent = [self.mine, self.refused, *state]
        self.start.click(self._submit, [*mine, self.deliver, *self.options], sent, **QUIET)
        self.cancel.click(self._cancel, mine, state, **QUIET)
        self.card.act(self._retry, mine, [self.refused, *state], **QUIET)
        changed = [one.change for one in mine]
        gr.on([page.load, *changed, self.timer.tick], self._refresh, mine, state, **LATEST)
        self.card.look(self._refresh, mine, state, **LATEST)

    def _enter(self, mine: dict, audio: dict, video: dict, request: gr.Request) -> list[Any]:
        """A page that opens: the job of this browser, else whatever runs; the uploads that are still there. Somebody
        quick may have chosen a file by now, so nothing is said where nothing is to be added."""
        found: Any = gr.skip()
        if self._job(mine) is None:
            busy = [*self._queue.store.running(), *self._queue.store.waiting(limit=50)]
            found = next(({"job": job.id, "sent": False} for job in busy if job.batch is None), {} if mine else found)
        paths = zip(KINDS, (audio.get("path"), video.get("path")), strict=True)
        return [found, *(self._look(kind, path, request) if kept(path) else gr.skip() for kind, path in paths)]

    def _picked(self, kind: str):
        def picked(path: str, request: gr.Request) -> list[Any]:
            view = self._look(kind, path, request)
            return [None, {} if view["kind"] == "bad" else {"path": path}, view]

        return picked

    def _submit(
        self, mine: dict, audio: dict, video: dict, deliver: bool, request: gr.Request, *options: Any
    ) -> list[Any]:
        try:
            picture, voice = (Path(one["path"] if kept(one.get("path")) else "-") for one in (video, audio))
            wanted = chosen(*options)
            check_room(self._queue, self._desk.settings)
            check_options(self._desk.settings, wanted)
            check_files(self._desk.settings, [voice])
            job = self._queue.submit(Request(picture, voice, wanted), extras(deliver, self._desk.settings))
        except Exception as error:
            return [mine, problem(error, self._tongue(request), self._log), *[gr.skip()] * 5]
        mine = {"job": job.id, "sent": True}
        return [mine, {}, *self._refresh(mine, audio, video, request)]

    def _cancel(self, mine: dict, audio: dict, video: dict, request: gr.Request) -> list[Any]:
        if job := self._job(mine):
            self._queue.cancel(job.id)
        return self._refresh(mine, audio, video, request)

    def _retry(self, mine: dict, audio: dict, video: dict, request: gr.Request) -> list[Any]:
        try:
            limits.retry(self._queue, self._desk.settings, mine.get("job", ""))
        except HeyGemError as error:
            return [problem(error, self._tongue(request), self._log), *[gr.skip()] * 5]
        return [{}, *self._refresh(mine, audio, video, request)]

    def _refresh(self, mine: dict, audio: dict, video: dict, request: gr.Request) -> list[Any]:
        """Card, both buttons, the verdict on the video, and the timer, which also waits for that."""
        job, language = self._job(mine), self._tongue(request)
        busy = job is not None and job.busy
        ahead, held = (self._queue.store.ahead(job.id), self._queue.held()) if job and busy else (0, None)
        heard, seen = kept(audio.get("path")), kept(video.get("path"))
        verdict = judged(self._desk.preflight.ask(Path(video["path"])), language) if seen else {}
        return [
            show(job, ahead, language, self._log, held),
            gr.Button(interactive=heard and seen and not (busy and mine["sent"])),
            gr.Button(interactive=job is not None and busy and not job.stopping),
            verdict,
            gr.Timer(active=busy or verdict.get("level") == LOOKING or (job is not None and delivering(job))),
        ]

    def _job(self, mine: dict) -> Job | None:
        return self._queue.get(mine.get("job", ""))

    def _look(self, kind: str, path: str | None, request: gr.Request) -> dict[str, Any]:
        return look(path, kind, self._tongue(request), self._log)

    def _tongue(self, request: gr.Request) -> str:
        return tongue(request, self._desk)


def picker(kind: str, name: str, words: gr.I18n, many: bool = False) -> tuple[gr.File, gr.HTML]:
    """A drop zone with its title, and what was dropped. kind: "audio" or "video"; name: the id; many: files at once."""
    count: Any = "multiple" if many else "single"
    with gr.Column(min_width=300):
        gr.Markdown(words(f"{kind}_title"), elem_classes="title")
        gr.Markdown(words("audio_many" if many else f"{kind}_about"), elem_classes="about")
        label = words(f"{kind}_title")
        file = gr.File(label=label, file_count=count, show_label=False, elem_id=name, elem_classes="drop")
        view = template("pick", NOTHING, elem_id=f"{name}_look")
    return file, view
