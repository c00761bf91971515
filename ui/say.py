"""“No recording?”: a text that is spoken and then goes the way of an uploaded sound."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from heygem.names import clean
from heygem.say import SPEEDS
from heygem.say.text import LONGEST
from heygem.say.turn import in_turn
from ui.browser import CLEAR, QUIET, tongue
from ui.desk import Desk
from ui.files import look, problem
from ui.template import template
from ui.words import say

VOICES = {
    "cmn": "普通话",
    "yue": "粵語",
    "en-us": "English (US)",
    "en-gb": "English (UK)",
    "ja": "日本語 (かな)",
    "ko": "한국어",
    "fr-fr": "Français",
    "de": "Deutsch",
    "es": "Español",
    "es-419": "Español (Latinoamérica)",
    "pt-br": "Português (Brasil)",
    "pt": "Português (Portugal)",
    "it": "Italiano",
    "nl": "Nederlands",
    "ru": "Русский",
    "uk": "Українська",
    "pl": "Polski",
    "cs": "Čeština",
    "tr": "Türkçe",
    "ar": "العربية",
    "fa": "فارسی",
    "he": "עברית",
    "hi": "हिन्दी",
    "bn": "বাংলা",
    "ur": "اردو",
    "vi": "Tiếng Việt",
    "th": "ไทย",
    "id": "Bahasa Indonesia",
    "ms": "Bahasa Melayu",
    "sv": "Svenska",
    "nb": "Norsk",
    "da": "Dansk",
    "fi": "Suomi",
    "el": "Ελληνικά",
    "hu": "Magyar",
    "ro": "Română",
}
"""Offline voice -> its language in its own words, in the order of the list; all others the command line knows."""
_TITLE = 24  # signs of the text that name the sound


class SayPanel:
    """Builds the panel below ``view``, which shows the sound of the tab, and speaks into the state ``chosen`` of it."""

    def __init__(self, words: gr.I18n, desk: Desk, view: gr.HTML, chosen: gr.BrowserState, prefix: str = "") -> None:
        self._desk, self._view = desk, view
        closed: Any = {"open": False, "elem_id": f"{prefix}say", "elem_classes": "say"}
        with view.parent, gr.Accordion(words("say_title"), **closed):  # pyright: ignore[reportOptionalContextManager]
            long: Any = {"lines": 3, "max_lines": 10, "max_length": LONGEST, "elem_id": f"{prefix}say_text"}
            label = words("say_text")
            text = gr.Textbox(label=label, placeholder=words("say_about"), show_label=False, **long)
            with gr.Row():
                first = [(words("say_auto"), "")]
                voice = gr.Dropdown(first, value="", label=words("say_voice"), elem_id=f"{prefix}say_voice")
                speed = gr.Slider(*SPEEDS, 1, step=0.05, label=words("say_speed"), elem_id=f"{prefix}say_speed")
            button = gr.Button(words("say_make"), elem_id=f"{prefix}say_make", elem_classes="say_make")
            why = template("why", {}, elem_id=f"{prefix}say_why")
        gr.on(None, self._voices, None, voice, **QUIET)  # when the page opens
        text.change(outputs=why, **CLEAR)
        made = [chosen, view, why, button]
        spoken = button.click(self._begin, None, button, **QUIET).then(self._speak, [text, voice, speed], made, **QUIET)
        spoken.failure(self._end, None, button, **QUIET)  # a speed beyond its range

    def _voices(self, request: gr.Request) -> Any:
        language = tongue(request, self._desk)
        return gr.Dropdown(choices=[(say("say_auto", language), ""), *choices(self._desk, language)])

    def _begin(self, request: gr.Request) -> Any:
        return gr.Button(say("say_working", tongue(request, self._desk)), interactive=False)

    def _end(self, request: gr.Request) -> Any:
        return gr.Button(say("say_make", tongue(request, self._desk)), interactive=True)

    def _speak(self, text: str, voice: str, speed: float, request: gr.Request) -> list[Any]:
        """The one work that a browser event does: it is short, has a limit, and only two run at a time."""
        language = tongue(request, self._desk)
        button = self._end(request)
        folder = Path(get_upload_folder(), secrets.token_hex(16))
        try:
            folder.mkdir(parents=True)
            out = folder / f"{title(text)}.wav"
            in_turn(text, out, voice or "", speed, self._desk.settings)
        except Exception as error:
            shutil.rmtree(folder, ignore_errors=True)
            return [gr.skip(), gr.skip(), problem(error, language, self._desk.log.name), button]
        self._view.temp_files.add(str(out))  # it leaves when uploads leave
        return [{"path": str(out)}, look(str(out), "audio", language, self._desk.log.name), {}, button]


def choices(desk: Desk, language: str) -> list[tuple[str, str]]:
    """(what is shown, name of the voice): those of the service, then a man and a woman of each common language."""
    own = desk.settings.tts_voices if desk.settings.tts_url else ()
    found = [(say("say_service", language, name=name), f"service:{name}") for name in own]
    for voice, name in VOICES.items():
        for key, variant in (("say_woman", "+f3"), ("say_man", "")):
            found.append((say(key, language, name=name), f"espeak:{voice}{variant}"))
    return found


def title(text: str) -> str:
    """A harmless name for the sound of a text: its beginning."""
    return clean(" ".join(text.split())[:_TITLE])
