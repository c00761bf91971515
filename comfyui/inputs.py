"""Inputs that several nodes have, with the same words everywhere."""

from __future__ import annotations

from typing import Any

from .compat import io, new
from .sockets import HeyGemAvatar

CATEGORY = "HeyGem"
LIBRARIES = ("av", "cv2", "mediapipe")
"""Without these nothing that looks at faces can be had."""
RESOLUTIONS = ["source", "720p", "1080p"]
LENGTHS = ["pingpong", "loop", "hold"]
QUALITIES = ["draft", "standard", "high"]
POLICIES = ["stop", "skip"]


def schema(node: str, title: str, about: str, inputs: list[Any], outputs: list[Any], **more: Any) -> Any:
    """The schema of a node: its id, its English name, what it does."""
    names = {"node_id": node, "display_name": title, "description": about, "category": CATEGORY}
    return new(io.Schema, **names, inputs=inputs, outputs=outputs, **more)


def choice(name: str, options: list[str], default: str, about: str, **more: Any) -> Any:
    return new(io.Combo.Input, name, options=options, default=default, tooltip=about, **more)


def number(name: str, default: float, low: float, high: float, about: str, step: float = 0.05, **more: Any) -> Any:
    more = {"display_mode": io.NumberDisplay.slider, **more}
    return new(io.Float.Input, name, default=default, min=low, max=high, step=step, tooltip=about, **more)


def count(name: str, default: int, low: int, high: int, about: str, **more: Any) -> Any:
    return new(io.Int.Input, name, default=default, min=low, max=high, tooltip=about, **more)


def switch(name: str, default: bool, about: str, **more: Any) -> Any:
    return new(io.Boolean.Input, name, default=default, tooltip=about, **more)


def text(name: str, default: str, about: str, **more: Any) -> Any:
    return new(io.String.Input, name, default=default, tooltip=about, **more)


def socket(kind: Any, name: str, about: str, **more: Any) -> Any:
    return new(kind.Input, name, tooltip=about, **more)


def result(kind: Any, name: str, about: str, **more: Any) -> Any:
    return new(kind.Output, name, display_name=name, tooltip=about, **more)


def video(about: str = "the person: a video, or a photo by “HeyGem photo”", **more: Any) -> Any:
    return socket(io.Video, "video", about, **more)


def audio(about: str = "the voice", **more: Any) -> Any:
    return socket(io.Audio, "audio", about, **more)


def engine() -> Any:
    from heygem.engines import DEFAULT, ENGINES

    about = "how the mouth is made; all but mesh and loudness need weights of your own (heygem engines)"
    return choice("engine", list(ENGINES), DEFAULT, about)


def strength() -> Any:
    return number(
        "mouth_strength", 1.0, 0, 2, "how far the mouth opens: 0 closed, 1 as the voice asks, 2 twice as wide"
    )


def smoothness() -> Any:
    return number("smoothness", 0.3, 0, 1, "0 follows every sound, 1 is calm")


def resolution() -> Any:
    return choice("resolution", RESOLUTIONS, "source", "length of the short side of the result")


def use_gpu() -> Any:
    return switch("use_gpu", True, "off: nothing touches the graphics card; on: it is used where that helps")


def length() -> Any:
    about = "when the voice is longer than the video: forth and back, from the start again, or the last frame stands"
    return choice("length", LENGTHS, "pingpong", about)


def face() -> Any:
    return count("face_index", 0, 0, 15, "which person speaks: 0 is the one whose face fills most of the film")


def item() -> list[Any]:
    """Of a node that makes a take, perhaps one of a list of them."""
    return [
        choice("on_error", POLICIES, "stop", "skip: the rest of a list goes on, the report says why"),
        text("name", "", "of the item in reports; empty: the name of the file", optional=True),
        socket(HeyGemAvatar, "avatar", "a person that is prepared already, instead of video", optional=True),
    ]
