"""HeyGem's nodes for ComfyUI. Link this folder into ComfyUI/custom_nodes; README.md says how."""

from __future__ import annotations

from .bootstrap import ensure_heygem

ensure_heygem()

from .nodes import comfy_entrypoint  # noqa: E402  (its modules name heygem's engines)

WEB_DIRECTORY = "./web"
__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
