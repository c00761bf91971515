"""The tab 单个处理: one voice, one video or photo, one result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.utils import get_upload_folder

from heygem.engines import ENGINES
from heygem.engines.base import REGIONS, Style
from heygem.jobs.job import QUEUED, Job, Request
from heygem.jobs.runner import Runner
from heygem.pipeline import LENGTHS, QUALITIES, RESOLUTIONS, Options
from ui.card import job_card, refuse, show
from ui.files import NOTHING, look
from ui.language import language_of

_PICK = Path(__file__).with_name("pick.html")
_SECRET = "heygem"  # of the browser's own storage; fixed, so that it survives a restart. It guards nothing: ids only.
_QUIET: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None, "api_visibility": "private"}


class Single:
    """Builds the tab inside the current ``gr.Tab`` and answers its events.

    mine: {"job": id, "sent": was it sent from this browser}; it survives a reload. draft: the uploads that are chosen.
    """

    def __init__(self, page: gr.Blocks, words: gr.I18n, runner: Runner, language: str, log: str) -> None:
        self._runner, self._language, self._log = runner, language, log
        self.mine = gr.BrowserState({}, storage_key="heygem_job", secret=_SECRET)
        self.draft = gr.BrowserState({}, storage_key="heygem_draft", secret=_SECRET)
        self.timer = gr.Timer(0.5, active=False)
        with gr.Row(elem_classes="inputs"):
            self.audio, self.audio_look = _picker("audio", words)
            self.video, self.video_look = _picker("video", words)
        with gr.Accordion(words("options"), open=False, elem_id="options"):
            self.options = _options(words)
        with gr.Row(elem_classes="buttons"):
            self.start = gr.Button(words("start"), variant="primary", interactive=False, elem_id="start")
            self.cancel = gr.Button(words("cancel"), interactive=False, elem_id="cancel")
        gr.Markdown(words("result_title"), elem_classes="title section")
        self.card = job_card(elem_id="job")
        self._wire(page)

    def _wire(self, page: gr.Blocks) -> None:
        looks = [self.audio_look, self.video_look]
        state = [self.card, self.start, self.cancel, self.timer]
        page.load(self._enter, [self.mine, self.draft], [self.mine, *looks, *state], **_QUIET)
        for kind, file, view in (("audio", self.audio, self.audio_look), ("video", self.video, self.video_look)):
            # The file moves on to the draft, so that the drop zone stays open for another one.
            file.upload(self._picked(kind), [file, self.draft], [file, self.draft, view], **_QUIET).then(
                self._refresh, [self.mine, *looks], state, **_QUIET
            )
        self.start.click(self._submit, [self.mine, self.draft, *self.options], [self.mine, *state], **_QUIET)
        self.cancel.click(self._cancel, [self.mine, *looks], state, **_QUIET)
        self.timer.tick(self._refresh, [self.mine, *looks], state, **_QUIET)

    def _enter(self, mine: dict, draft: dict, request: gr.Request) -> list[Any]:
        """A page that opens: the job of this browser, else whatever runs; the uploads that are still there."""
        if self._job(mine) is None:
            busy = [job for job in self._runner.list() if job.busy]
            mine = {"job": busy[-1].id, "sent": False} if busy else {}
        looks = [look(_kept(draft.get(kind)), kind, self._tongue(request), self._log) for kind in ("audio", "video")]
        return [mine, *looks, *self._state(mine, _ready(*looks), request)]

    def _picked(self, kind: str):
        def picked(path: str, draft: dict, request: gr.Request) -> list[Any]:
            return [None, {**draft, kind: path}, look(path, kind, self._tongue(request), self._log)]

        return picked

    def _refresh(self, mine: dict, audio: dict, video: dict, request: gr.Request) -> list[Any]:
        return self._state(mine, _ready(audio, video), request)

    def _submit(self, mine: dict, draft: dict, request: gr.Request, *options: Any) -> list[Any]:
        try:
            video, audio = (Path(_kept(draft.get(kind)) or "-") for kind in ("video", "audio"))
            job = self._runner.submit(Request(video, audio, _chosen(*options)))
        except Exception as error:
            return [mine, refuse(error, self._tongue(request), self._log), gr.skip(), gr.skip(), gr.skip()]
        mine = {"job": job.id, "sent": True}
        return [mine, *self._state(mine, True, request)]

    def _cancel(self, mine: dict, audio: dict, video: dict, request: gr.Request) -> list[Any]:
        if job := self._job(mine):
            self._runner.cancel(job.id)
        return self._state(mine, _ready(audio, video), request)

    def _state(self, mine: dict, ready: bool, request: gr.Request) -> list[Any]:
        """Card, both buttons and the timer for the job in view."""
        job = self._job(mine)
        busy = job is not None and job.busy
        stoppable = job is not None and job.busy and not job.stopping
        return [
            show(job, self._ahead(job), self._tongue(request), self._log),
            gr.Button(interactive=ready and not (busy and mine["sent"])),
            gr.Button(interactive=stoppable),
            gr.Timer(active=busy),
        ]

    def _job(self, mine: dict) -> Job | None:
        return self._runner.get(mine.get("job", ""))

    def _ahead(self, job: Job | None) -> int:
        if job is None or job.state != QUEUED:
            return 0
        return sum(other.busy and other.created < job.created for other in self._runner.list())

    def _tongue(self, request: gr.Request) -> str:
        return language_of(request.headers, self._language)


def _picker(kind: str, words: gr.I18n) -> tuple[gr.File, gr.HTML]:
    with gr.Column(min_width=300):
        gr.Markdown(words(f"{kind}_title"), elem_classes="title")
        gr.Markdown(words(f"{kind}_about"), elem_classes="about")
        file = gr.File(label=words(f"{kind}_title"), show_label=False, elem_id=kind, elem_classes="drop")
        view = gr.HTML(NOTHING, html_template=_PICK.read_text("utf-8"), apply_default_css=False, elem_id=f"{kind}_look")
    return file, view


def _options(words: gr.I18n) -> list[Component]:
    """The components in the order of the arguments of ``_chosen``."""
    default = Options()

    def choose(name: str, values, kind: type = gr.Radio) -> Any:
        choices = [(words(f"{name}_{value}"), value) for value in values]
        holder = default if hasattr(default, name) else default.style
        return kind(choices, value=getattr(holder, name), label=words(name), elem_id=name)

    def slide(name: str, about: str, most: int = 2) -> Any:
        return gr.Slider(0, most, getattr(default.style, name), step=0.05, label=words(name), info=words(about))

    with gr.Row():
        strength, smoothness = slide("strength", "strength_about"), slide("smoothness", "smoothness_about", 1)
    with gr.Row():
        blinks, sway = slide("blinks", "blinks_about"), slide("sway", "sway_about")
    with gr.Row():
        resolution, quality = choose("resolution", RESOLUTIONS), choose("quality", QUALITIES)
    with gr.Row():
        region, length = choose("region", REGIONS), choose("length", LENGTHS)
    with gr.Row():
        face = gr.Number(
            default.face + 1, label=words("face"), info=words("face_about"), precision=0, minimum=1, maximum=20
        )
    engine = choose("engine", ENGINES, gr.Dropdown)
    return [engine, strength, smoothness, blinks, sway, region, resolution, quality, length, face]


def _chosen(*values: Any) -> Options:
    """The options that the components hold. Raises OptionInvalid."""
    engine, strength, smoothness, blinks, sway, region, resolution, quality, length, face = values
    style = Style(strength, smoothness, blinks, sway, region)
    return Options(engine, style, resolution, quality, length, int(face or 1) - 1)


def _ready(audio: dict, video: dict) -> bool:
    """Both files are there and were found good."""
    return audio["kind"] == "audio" and video["kind"] in ("video", "photo")


def _kept(path: str | None) -> str | None:
    """The upload that the browser remembers, where it truly is an upload (browsers can lie) and still there."""
    if path and Path(path).is_file() and Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve()):
        return path
    return None
