"""The nodes, a file for each kind of work. One that cannot be had here leaves the others alone."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..compat import ComfyExtension, log, usable

PARTS = {
    "talking": ("av", "cv2", "mediapipe"),
    "faces": ("av", "cv2", "mediapipe"),
    "quality": ("av", "cv2", "mediapipe"),
    "batch": ("av",),
    "finishing": ("av", "cv2"),
    "background": ("av", "cv2", "mediapipe"),
    "options": (),
    "speech": ("av",),
    "storing": ("av",),
    "telling": ("httpx",),
}
"""Module with nodes -> libraries without which they cannot work."""


def _nodes(part: str) -> list[Any]:
    missing = [library for library in PARTS[part] if find_spec(library) is None]
    if missing:
        log.warning("HeyGem: the nodes of “%s” are left out: not installed: %s", part, ", ".join(missing))
        return []
    try:
        return usable(import_module(f".{part}", __name__).NODES)
    except Exception:
        log.warning("HeyGem: the nodes of “%s” are left out", part, exc_info=True)
        return []


class HeyGemExtension(ComfyExtension):
    async def get_node_list(self) -> list[Any]:
        return [node for part in PARTS for node in _nodes(part)]


async def comfy_entrypoint() -> HeyGemExtension:
    return HeyGemExtension()
