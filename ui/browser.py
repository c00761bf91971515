"""What the tabs share in front of a browser: what it keeps, its language, and how its events are answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from heygem.language import language_of
from ui.desk import Desk
from ui.template import template

PULSE = 1.0
"""Seconds between two looks at work that goes on."""
QUIET: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None, "api_visibility": "private"}
"""Of every event: it only submits, cancels and reads."""
LATEST: dict[str, Any] = {**QUIET, "trigger_mode": "always_last"}
"""Of what shows a state: one answer at a time and one more at the end, so that an older one never comes last."""
CLEAR: dict[str, Any] = {"fn": None, "js": "() => ({})", "api_visibility": "private"}
"""Of what empties a sentence: in the browser at once, as an answer of the server might come after the next sentence."""
_SECRET = "heygem"  # fixed, so that what is kept survives a restart. It guards nothing: ids and names of uploads only.


def remembered(name: str) -> gr.BrowserState:
    """A dictionary that the browser keeps."""
    return gr.BrowserState({}, storage_key=f"heygem_{name}", secret=_SECRET)


def tongue(request: gr.Request, desk: Desk) -> str:
    return language_of(request.headers, desk.language)


def live(name: str, answer: Callable[[dict[str, Any], str], dict[str, Any]], desk: Desk) -> gr.HTML:
    """The template ``name``, whose script asks ``answer(question, language)`` for what it shows."""

    def ask(question: dict[str, Any], request: gr.Request) -> dict[str, Any]:
        return answer(question, tongue(request, desk))

    return template(name, {}, name, elem_id=name, server_functions=[ask])


def kept(path: Any) -> bool:
    """Whether something that a browser names is truly an upload (browsers can lie) and still there."""
    if not path or not isinstance(path, str):
        return False
    return Path(path).is_file() and Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve())
