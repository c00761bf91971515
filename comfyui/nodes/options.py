"""Options as values: how a photo lives, and sets of parameters to try and to compare."""

from __future__ import annotations

from typing import Any

from .. import inputs, sockets
from ..compat import io
from ..inputs import choice, number, result, schema, socket, text

_MORE = "what another node has set; this one adds to it"


class Expression(io.ComfyNode):
    NEEDS = ()

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemExpression",
            "HeyGem expression",
            "How the head and the eyes of a photo move. Videos live by themselves: there it does nothing.",
            [
                number("blinks", 1.0, 0, 2, "how often the eyes blink: 0 never, 1 as people do, 2 twice as often"),
                number("nod", 0.0, 0, 2, "how deep the head nods where the voice stresses: 1 as calm speakers do"),
                number("sway", 1.0, 0, 2, "how far the head moves: 0 not at all, 1 a little, 2 twice as much"),
                number("smile", 0.0, 0, 1, "0 as in the photo, 1 a clear, friendly smile"),
                socket(sockets.HeyGemOptions, "options", _MORE, optional=True),
            ],
            [result(sockets.HeyGemOptions, "options", "for “HeyGem talking head”")],
            search_aliases=["head motion", "blink", "表情"],
        )

    @classmethod
    def execute(cls, options: dict[str, Any] | None = None, **said: float) -> Any:
        return io.NodeOutput({**(options or {}), **said})


class Parameters(io.ComfyNode):
    NEEDS = ()

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemParameters",
            "HeyGem parameters",
            "A set of parameters under a name, for “HeyGem compare” and “HeyGem retry”.",
            [
                text("label", "", "stands over the video where sets are compared; empty: what the set says"),
                inputs.engine(),
                inputs.strength(),
                inputs.smoothness(),
                choice("region", ["jaw", "mouth"], "jaw", "what moves: the whole lower face, or the lips alone"),
                socket(sockets.HeyGemOptions, "options", _MORE, optional=True),
            ],
            [result(sockets.HeyGemOptions, "options", "one set")],
            search_aliases=["preset", "参数"],
        )

    @classmethod
    def execute(
        cls,
        label: str,
        engine: str,
        mouth_strength: float,
        smoothness: float,
        region: str,
        options: dict[str, Any] | None = None,
    ) -> Any:
        said = {"engine": engine, "strength": mouth_strength, "smoothness": smoothness, "region": region}
        return io.NodeOutput(
            {**(options or {}), **said, "label": label or f"{engine} {mouth_strength:g}/{smoothness:g}"}
        )


NODES = [Expression, Parameters]
