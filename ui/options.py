"""The options, as both tabs show them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from heygem.engines.base import REGIONS, Style
from heygem.pipeline import LENGTHS, MOST_TRIES, QUALITIES, RESOLUTIONS, Options
from ui.browser import LATEST, QUIET, tongue
from ui.desk import Desk
from ui.engines import ORDER, choices, note
from ui.finish import finish_of, finish_panel, finish_values
from ui.template import template

_DEFAULT = Options()
_MOVES = ("strength", "smoothness", "blinks", "sway", "nod", "smile", "region")


def options_panel(words: gr.I18n, prefix: str, desk: Desk, open: bool = False) -> list[Component]:
    """A panel. The components in the order of the arguments of ``chosen``; ``prefix`` begins their ids."""
    with gr.Accordion(words("options"), open=open, elem_id=f"{prefix}options", elem_classes="options"):
        with gr.Row():
            strength = _slide(words, "strength")
            smoothness = _slide(words, "smoothness", 1)
        with gr.Row():
            blinks, sway = _slide(words, "blinks"), _slide(words, "sway")
        with gr.Row():
            nod, smile = _slide(words, "nod"), _slide(words, "smile", 1)
        with gr.Row():
            resolution = _choose(words, prefix, "resolution", RESOLUTIONS)
            quality = _choose(words, prefix, "quality", QUALITIES)
        with gr.Row():
            region = _choose(words, prefix, "region", REGIONS)
            length = _choose(words, prefix, "length", LENGTHS)
        with gr.Row():
            face = _number(words, "face", _DEFAULT.face + 1, (1, 20))
            tries = _number(words, "tries", _DEFAULT.tries, (1, MOST_TRIES))
            least = _number(words, "least", _DEFAULT.least, (0, 100))
        engine = _engine(words, prefix, desk)
    mine = [engine, strength, smoothness, blinks, sway, nod, smile, region, resolution, quality, length, face]
    return [*mine, tries, least, *finish_panel(words, prefix)]


def chosen(*values: Any, files: Mapping[str, Path] | None = None) -> Options:
    """The options that the components hold. files: as for ``finish_of``. Raises OptionInvalid."""
    engine, moves, rest = values[0], values[1 : 1 + len(_MOVES)], values[1 + len(_MOVES) :]
    resolution, quality, length, face, tries, least, *rest = rest
    style = Style(**dict(zip(_MOVES, moves, strict=True)))
    finish = finish_of(rest, files or {})
    face, tries = int(face or 1) - 1, int(tries or 1)
    return Options(engine, style, resolution, quality, length, face, finish, tries, float(least or 0))


def values_of(options: Options) -> list[Any]:
    """What the components hold for these options."""
    style = options.style
    moves = [getattr(style, name) for name in _MOVES]
    rest = [options.resolution, options.quality, options.length, options.face + 1, options.tries, options.least]
    return [options.engine, *moves, *rest, *finish_values(options.finish)]


def _engine(words: gr.I18n, prefix: str, desk: Desk) -> gr.Dropdown:
    """All engines, those that cannot be used now marked, and below what is to be known of the chosen one."""
    settings = desk.settings
    names = [(words(f"engine_{name}"), name) for name in ORDER]
    engine = gr.Dropdown(names, value=_DEFAULT.engine, label=words("engine"), elem_id=f"{prefix}engine")
    said = template("why", {}, elem_id=f"{prefix}engine_note")

    def refresh(request: gr.Request) -> Any:
        return gr.Dropdown(choices=choices(settings, tongue(request, desk)))

    def tell(name: str, request: gr.Request) -> dict[str, str]:
        return note(name, settings, tongue(request, desk))

    gr.on(None, refresh, None, engine, **QUIET)  # when the page opens
    engine.focus(refresh, None, engine, **QUIET)  # what was installed meanwhile is seen
    engine.change(tell, engine, said, **LATEST)
    return engine


def _choose(words: gr.I18n, prefix: str, name: str, values: Any) -> gr.Radio:
    shown = [(words(f"{name}_{value}"), value) for value in values]
    holder = _DEFAULT if hasattr(_DEFAULT, name) else _DEFAULT.style
    return gr.Radio(shown, value=getattr(holder, name), label=words(name), elem_id=f"{prefix}{name}")


def _number(words: gr.I18n, name: str, value: float, span: tuple[int, int]) -> gr.Number:
    least, most = span
    label, info = words(name), words(f"{name}_about")
    return gr.Number(value, label=label, info=info, precision=0, minimum=least, maximum=most)


def _slide(words: gr.I18n, name: str, most: int = 2) -> Any:
    value = getattr(_DEFAULT.style, name)
    return gr.Slider(0, most, value, step=0.05, label=words(name), info=words(f"{name}_about"))
