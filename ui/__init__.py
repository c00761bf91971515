"""The browser page. The only place that imports gradio."""

from __future__ import annotations

import inspect
from typing import Any

_getfile = inspect.getfile


def _file_of(thing: Any) -> str:
    """At every start gradio parses its own sources to write stubs for editors beside them, which takes half of its time
    and which its package brings along. Classes without a file are left out."""
    if isinstance(thing, type) and thing.__module__.startswith("gradio."):
        raise OSError
    return _getfile(thing)


inspect.getfile = _file_of
try:
    import gradio  # noqa: F401
finally:
    inspect.getfile = _getfile
