"""The tab 批量处理: one voice for many videos and photos, or one for each; what is chosen, and what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from heygem.errors import FileMissing, HeyGemError
from heygem.jobs.job import Batch
from heygem.jobs.limits import check_files, check_options, check_room
from heygem.pairs import pairs_of
from ui.browser import CLEAR, LATEST, PULSE, QUIET, kept, live, remembered, tongue
from ui.delivery import deliver_switch, extras
from ui.desk import Desk
from ui.draft import LOOKING, poster_path, row_id, show_draft
from ui.files import look, problem
from ui.options import chosen, options_panel
from ui.say import SayPanel
from ui.sent import Sent
from ui.single import picker
from ui.template import template
from ui.words import say

_RECENT = 50  # batches that are looked through for a busy one


class BatchTab:
    """Builds the tab inside the current ``gr.Tab`` and answers its events.

    mine: {"batch": id, "new": is another one being prepared}; voice: {"path": upload} or {"paths": [uploads]}; draft:
    {"videos": [uploads]}. All survive a reload. Voice and draft are apart, as two uploads may end at the same moment.
    """

    def __init__(self, page: gr.Blocks, words: gr.I18n, desk: Desk) -> None:
        self._desk, self._queue, self._sent, self._log = desk, desk.queue, Sent(desk), desk.log.name
        self.mine, self.voice, self.draft = (remembered(name) for name in ("batch", "batch_voice", "batch_draft"))
        self.timer = gr.Timer(PULSE, active=False)
        with gr.Column(elem_id="batch_setup") as self.setup:
            self.back = gr.Button(words("batch_back"), visible=False, elem_id="batch_back", size="sm")
            with gr.Row(elem_classes="inputs"):
                self.audio, self.audio_look = picker("audio", "batch_audio", words, many=True)
                SayPanel(words, desk, self.audio_look, self.voice, "batch_")
                with gr.Column(min_width=300, elem_classes="wide"):
                    gr.Markdown(words("videos_title"), elem_classes="title")
                    gr.Markdown(words("videos_about"), elem_classes="about")
                    label = words("videos_title")
                    many: Any = {"file_count": "multiple", "show_label": False, "elem_classes": "drop"}
                    self.videos = gr.File(label=label, elem_id="batch_videos", **many)
                    self.list = template("draft", {}, "draft", elem_id="batch_list")
            self.options = options_panel(words, "batch_", desk)
            self.deliver = deliver_switch(page, words, desk, "batch_deliver")
            with gr.Row(elem_classes="buttons"):
                label = words("batch_name")
                self.name = gr.Textbox(
                    label=label, placeholder=label, show_label=False, max_length=80, elem_id="batch_name"
                )
                start = {"variant": "primary", "interactive": False, "elem_id": "batch_start"}
                self.start = gr.Button(words("batch_start"), **start)
            self.why = template("why", {}, elem_id="batch_why")
            self.refused = template("why", {}, elem_id="batch_refused")
        with gr.Column(visible=False, elem_id="batch_run") as self.run:
            self.view = live("batch", self._sent.answer, desk)
        self._wire(page)

    def _wire(self, page: gr.Blocks) -> None:
        draft = [self.list, self.start, self.why, self.timer]
        screen = [self.setup, self.run, self.view, self.back]
        prepared = [self.voice, self.draft]
        entered = [self.mine, *prepared, self.audio_look, *screen]
        page.load(self._enter, [self.mine, *prepared], entered, **QUIET)
        # The files move on to the draft, so that the drop zones stay open for more.
        self.audio.upload(self._heard, self.audio, [self.audio, self.voice, self.audio_look], **QUIET)
        self.videos.upload(self._added, [self.videos, self.draft], [self.videos, self.draft], **QUIET)
        self.list.act(self._removed, self.draft, self.draft, **QUIET)
        changed = [page.load, self.voice.change, self.draft.change, self.timer.tick]
        gr.on(changed, self._show_draft, prepared, draft, **LATEST)
        gr.on([self.voice.change, self.draft.change], outputs=self.refused, **CLEAR)  # it was of other files
        sent = self.start.click(lambda: gr.Button(interactive=False), None, self.start, **QUIET).then(
            self._submit,
            [self.mine, *prepared, self.name, self.deliver, *self.options],
            [self.mine, self.name, self.deliver, self.start, self.refused, *screen],
            **QUIET,
        )
        sent.failure(lambda: gr.Button(interactive=True), None, self.start, **QUIET)  # a number beyond its range
        self.back.click(self._turn(False), self.mine, [self.mine, *screen], **QUIET)
        self.view.act(self._turn(True), self.mine, [self.mine, *screen], **QUIET)

    # -- what is chosen

    def _enter(self, mine: dict, voice: dict, draft: dict, request: gr.Request) -> list[Any]:
        """A page that opens: the batch of this browser, else the newest busy one; the uploads that are still there.
        Somebody quick may have chosen files by now, so nothing is said where nothing has changed."""
        if self._batch(mine) is None:
            busy = next((batch for batch in self._queue.store.batches(_RECENT) if batch.busy), None)
            mine = {"batch": busy.id} if busy else {}
        there, paths = all(map(kept, _voices(voice))), [path for path in _videos(draft) if kept(path)]
        heard = self._listen(_voices(voice), request) if voice and there else gr.skip()
        voices = {} if voice and not there else gr.skip()
        drafts = gr.skip() if paths == _videos(draft) else {"videos": paths}
        return [mine, voices, drafts, heard, *self._screen(mine, request)]

    def _heard(self, paths: list[str], request: gr.Request) -> list[Any]:
        heard = self._listen(paths, request)
        good = {"paths": paths} if len(paths) > 1 else {"path": paths[0]}
        return [None, {} if heard["kind"] == "bad" else good, heard]

    def _listen(self, paths: list[str], request: gr.Request) -> dict[str, Any]:
        """One recording as it is, several by their names, or the first one that is bad."""
        language = tongue(request, self._desk)
        heard = [look(path, "audio", language, self._log) for path in paths]
        if len(heard) == 1 or (bad := next((one for one in heard if one["kind"] == "bad"), None)):
            return heard[0] if len(heard) == 1 else bad or {}
        title = say("voices_count", language, n=len(heard))
        return {"kind": "audio", "name": title, "facts": [one["name"] for one in heard]}

    def _added(self, paths: list[str], draft: dict) -> list[Any]:
        return [None, {"videos": list(dict.fromkeys([*_videos(draft), *paths]))}]

    def _removed(self, draft: dict, event: gr.EventData) -> dict[str, Any]:
        """All of them, or those that the event names."""
        gone = event._data.get("ids")
        return {"videos": [path for path in _videos(draft) if gone is not None and row_id(path) not in gone]}

    def _show_draft(self, voice: dict, draft: dict, request: gr.Request) -> list[Any]:
        """The list, the button, why that cannot be pressed yet, and the timer that waits for verdicts."""
        language = tongue(request, self._desk)
        heard, paths = _voices(voice), [path for path in _videos(draft) if kept(path)]
        shown = show_draft(paths, self._desk, language)
        self.list.temp_files.update(str(file) for file in map(poster_path, map(Path, paths)) if file.exists())
        need = "" if heard and paths else "need_video" if heard else "need_audio" if paths else "need_both"
        why = {"about": say(need, language)} if need else self._unpaired(heard, paths, language)
        return [shown, gr.Button(interactive=not why), why, gr.Timer(active=LOOKING in shown["counts"])]

    def _unpaired(self, voices: list[str], videos: list[str], language: str) -> dict[str, str]:
        """What keeps several voices and several videos from being pairs."""
        try:
            pairs_of([Path(path) for path in videos], [Path(path) for path in voices])
        except HeyGemError as error:
            return problem(error, language, self._log)
        return {}

    def _submit(
        self, mine: dict, voice: dict, draft: dict, name: str, deliver: bool, request: gr.Request, *options: Any
    ) -> list[Any]:
        try:
            for path in [*(_voices(voice) or ["-"]), *_videos(draft)]:
                if not kept(path):
                    raise FileMissing(name=Path(path).name)
            pairs = pairs_of([Path(path) for path in _videos(draft)], [Path(path) for path in _voices(voice)])
            audios, videos = [pair.audio for pair in pairs], [pair.video for pair in pairs]
            wanted = chosen(*options)
            check_room(self._queue, self._desk.settings, len(videos))
            check_options(self._desk.settings, wanted)
            check_files(self._desk.settings, list(dict.fromkeys(audios)))
            more = extras(deliver, self._desk.settings)
            batch = self._queue.submit_batch(audios, videos, wanted, name.strip(), more)
        except Exception as error:
            why = problem(error, tongue(request, self._desk), self._log)
            return [mine, name, gr.skip(), gr.Button(interactive=True), why, *[gr.skip()] * 4]
        mine = {"batch": batch.id}
        return [mine, "", False, gr.Button(interactive=True), {}, *self._screen(mine, request)]

    # -- what was sent

    def _turn(self, new: bool):
        """To the preparation of another batch, and back."""

        def turn(mine: dict, request: gr.Request) -> list[Any]:
            mine = {**mine, "new": new}
            return [mine, *self._screen(mine, request)]

        return turn

    def _screen(self, mine: dict, request: gr.Request) -> list[Any]:
        batch = self._batch(mine)
        running = batch is not None and not mine.get("new")
        view = self._sent.show(batch, tongue(request, self._desk)) if batch else {}
        return [gr.Column(visible=not running), gr.Column(visible=running), view, gr.Button(visible=batch is not None)]

    def _batch(self, mine: dict) -> Batch | None:
        return self._queue.batch(str(mine.get("batch", "")))


def _voices(voice: dict) -> list[str]:
    found = voice.get("paths", [voice.get("path")])
    return [path for path in found if isinstance(path, str)] if isinstance(found, list) else []


def _videos(draft: dict) -> list[str]:
    found = draft.get("videos")
    return [path for path in found if isinstance(path, str)] if isinstance(found, list) else []
