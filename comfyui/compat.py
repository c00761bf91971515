"""ComfyUI's API in one place: what another core does not know is left out; a node that it cannot show is skipped."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from comfy_api import latest  # pyright: ignore[reportMissingImports]

__all__ = ["ComfyExtension", "InputImpl", "Types", "blocked", "io", "new", "ui", "usable"]

T = TypeVar("T")
ComfyExtension: Any = latest.ComfyExtension
InputImpl: Any = latest.InputImpl
Types: Any = latest.Types
io: Any = latest.io
ui: Any = latest.ui
log = logging.getLogger("HeyGem")


def new(kind: Callable[..., T], *args: Any, **given: Any) -> T:
    """An object of the API, made without the keywords that this core does not know."""
    known = inspect.signature(kind).parameters
    if not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known.values()):
        given = {name: value for name, value in given.items() if name in known}
    return kind(*args, **given)


def usable(nodes: Iterable[Any]) -> list[Any]:
    """Those nodes whose schema this core takes: a single bad one would take the whole pack away."""
    found = []
    for node in nodes:
        try:
            node.GET_SCHEMA()
        except Exception as error:
            log.warning("HeyGem: %s is left out: %s", node.__name__, error)
        else:
            found.append(node)
    return found


def blocked() -> Any:
    """What stands for a result that there is none of: all that depends on it is left out."""
    from comfy_execution.graph_utils import ExecutionBlocker  # pyright: ignore[reportMissingImports]

    return ExecutionBlocker(None)
