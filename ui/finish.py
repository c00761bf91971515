"""What is done to the pictures after the mouth, as the tabs show it: background, subtitles, logo, sharpness."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from heygem.errors import OptionInvalid
from heygem.finish.base import BLUR, CAPTIONS, COLOUR, PERSON, PLACES, Finish, is_file
from ui.browser import QUIET

_USUAL = Finish()
GREEN, BLUE = "#00ff00", "#0000ff"
_SUBTITLES = [".srt", ".ass", ".ssa", ".vtt", ".lrc", ".txt"]


def finish_panel(words: gr.I18n, prefix: str) -> list[Component]:
    """A panel. The components in the order of the values of ``finish_of``; ``prefix`` begins their ids."""
    with gr.Accordion(words("finish"), open=False, elem_id=f"{prefix}finish", elem_classes="options finish"):
        with gr.Row():
            background = _choose(words, prefix, "background", ("keep", BLUR, "colour", "file"))
            cutout = _choose(words, prefix, "cutout", (PERSON, GREEN, BLUE), ("person", "green", "blue"))
        colour = gr.ColorPicker("#ffffff", label=words("background_colour"), visible=False, elem_id=f"{prefix}colour")
        file = _file(words, prefix, "background_file", ["image", "video"], visible=False)
        with gr.Row():
            with gr.Column():
                subtitles = _file(words, prefix, "subtitles", _SUBTITLES)
                captions = _choose(words, prefix, "captions", CAPTIONS)
                size = gr.Slider(0.02, 0.2, _USUAL.subtitle_size, step=0.005, label=words("subtitle_size"))
            with gr.Column():
                logo = _file(words, prefix, "logo", ["image"])
                place = _choose(words, prefix, "logo_place", PLACES)
                width = gr.Slider(0.02, 1, _USUAL.logo_size, step=0.01, label=words("logo_size"))
                opacity = gr.Slider(0, 1, _USUAL.logo_opacity, step=0.05, label=words("logo_opacity"))
        enhance = gr.Slider(0, 1, 0, step=0.05, label=words("enhance"), info=words("enhance_about"))
    background.change(_shown, background, [colour, file], **QUIET)
    return [background, cutout, colour, file, enhance, subtitles, captions, size, logo, place, width, opacity]


def finish_of(values: list[Any], files: Mapping[str, Path]) -> Finish:
    """What the components hold. files: of a job that is made again, which stay where none is chosen anew. Raises
    OptionInvalid."""
    kind, cutout, colour, file, enhance, subtitles, captions, size, logo, place, width, opacity = values
    if kind == "colour" and not COLOUR.fullmatch(colour or ""):  # any other text would name a file of the server
        raise OptionInvalid(option="background", value=colour, allowed="a colour like #ffffff")
    kept = {option: str(path) for option, path in files.items()}
    background = {"keep": "", BLUR: BLUR, "colour": colour, "file": file or kept.get("background", "")}[kind]
    return Finish(
        background,
        cutout,
        enhance,
        subtitles or kept.get("subtitles", ""),
        captions,
        size,
        _USUAL.font,
        logo or kept.get("logo", ""),
        place,
        width,
        opacity,
    )


def finish_values(finish: Finish) -> list[Any]:
    """What the components hold for this one. Its files are not shown; they stay."""
    colour = finish.background if finish.background.startswith("#") else "#ffffff"
    kind = "file" if is_file(finish.background) else "colour" if colour == finish.background else finish.background
    subtitles = [None, finish.captions, finish.subtitle_size]
    logo = [None, finish.logo_place, finish.logo_size, finish.logo_opacity]
    return [kind or "keep", finish.cutout, colour, None, finish.enhance, *subtitles, *logo]


def _shown(background: str) -> list[Any]:
    return [gr.ColorPicker(visible=background == "colour"), gr.File(visible=background == "file")]


def _choose(words: gr.I18n, prefix: str, name: str, values: Any, keys: Any = None) -> gr.Radio:
    shown = [(words(f"{name}_{key}"), value) for key, value in zip(keys or values, values, strict=True)]
    return gr.Radio(shown, value=getattr(_USUAL, name) or values[0], label=words(name), elem_id=f"{prefix}{name}")


def _file(words: gr.I18n, prefix: str, name: str, kinds: list[str], visible: bool = True) -> gr.File:
    if visible:
        gr.Markdown(words(name), elem_classes="name")
    look: Any = {"elem_id": f"{prefix}{name}", "elem_classes": "attach"}
    return gr.File(label=words(name), show_label=False, file_types=kinds, visible=visible, **look)
