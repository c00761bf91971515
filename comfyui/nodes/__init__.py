"""The nodes, a file for each kind of work. One that cannot be had here leaves the others alone."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..compat import ComfyExtension, log, usable

PARTS = ("talking", "options", "faces", "batch", "quality", "finishing", "background", "speech", "storing", "telling")


def _nodes(part: str) -> list[Any]:
    try:
        found = import_module(f".{part}", __name__).NODES
    except Exception:
        log.warning("HeyGem: the nodes of “%s” are left out", part, exc_info=True)
        return []
    return usable(node for node in found if _complete(node))


def _complete(node: Any) -> bool:
    """Are the libraries here that it needs? Looks for them without importing any."""
    missing = [library for library in node.NEEDS if find_spec(library) is None]
    if missing:
        log.warning("HeyGem: %s is left out, not installed: %s", node.__name__, ", ".join(missing))
    return not missing


class HeyGemExtension(ComfyExtension):
    async def get_node_list(self) -> list[Any]:
        return [node for part in PARTS for node in _nodes(part)]


async def comfy_entrypoint() -> HeyGemExtension:
    return HeyGemExtension()
