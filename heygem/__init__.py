"""HeyGem: a voice and a face in, a talking video out.

    import heygem
    take = heygem.lipsync("person.mp4", "voice.wav", "out.mp4")

Names load on first use, so that ``import heygem`` stays fast and free of torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heygem.engines.base import Style as Style
    from heygem.errors import HeyGemError as HeyGemError
    from heygem.faces.avatar import Avatar as Avatar
    from heygem.pipeline import Options as Options
    from heygem.pipeline import Take as Take
    from heygem.retake import lipsync as lipsync

__version__ = "0.1.0"

_HOMES = {
    "lipsync": "heygem.retake",
    "Options": "heygem.pipeline",
    "Take": "heygem.pipeline",
    "Avatar": "heygem.faces.avatar",
    "Style": "heygem.engines.base",
    "HeyGemError": "heygem.errors",
}
__all__ = ["Avatar", "HeyGemError", "Options", "Style", "Take", "__version__", "lipsync"]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'heygem' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
