"""HTML with values in it: the only way in which the page shows a name, a sentence or a number of a job."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import gradio as gr

_HERE = Path(__file__).parent
_JOINER = "\u2060"  # neither seen nor read


def template(name: str, value: Any, script: str = "", **more: Any) -> gr.HTML:
    """The Handlebars template ``ui/<name>.html``, whose value is plain data; ``ui/<script>.js`` runs once beside it,
    after ``ui/common.js``.

    Gradio's templates escape HTML, but then evaluate the outcome as a template string of JavaScript: a file named
    ``${alert(1)}.mp4`` would run in every browser that lists it, and a backslash would break the page. All values go
    through ``plain``; so events return values for this component, never another ``gr.HTML``.
    """
    code = _read("common.js") + _read(f"{script}.js") if script else None
    made = gr.HTML(plain(value), html_template=_read(f"{name}.html"), js_on_load=code, apply_default_css=False, **more)
    made.postprocess = plain
    return made


def plain(value: Any) -> Any:
    """The same data, in which no text means anything to JavaScript's template strings."""
    if isinstance(value, str):
        return value.replace("$", f"${_JOINER}").replace("\\", "＼")
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def _read(name: str) -> str:
    """A file, with ``{{> part}}`` replaced by ``ui/part.html``: gradio's Handlebars know no other templates."""
    text = (_HERE / name).read_text("utf-8")
    return re.sub(r"\{\{> (\w+)}}", lambda found: _read(f"{found[1]}.html").strip(), text)
