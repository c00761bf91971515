"""Says in a group chat, by e-mail or to a program that something is ready. Keys come from the environment alone."""

from __future__ import annotations

import json
import uuid
from typing import Any

from .. import inputs
from ..compat import io, log, new, ui
from ..inputs import choice, result, schema, text
from ..running import aside, plain_words, unlogged

_ALL = "all"
_SKIP = "skip: a message that does not arrive fails nothing; a channel chosen by name that is not set does"
_CHANNELS = [_ALL, "wecom", "dingtalk", "feishu", "webhook", "email"]


class Notify(io.ComfyNode):
    NEEDS = ("httpx",)

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemNotify",
            "HeyGem notify",
            "A message by WeCom, DingTalk, Feishu, webhook or e-mail, as HEYGEM_NOTIFY_… in the environment say.",
            [
                text("title", "HeyGem", "the first line"),
                text("text", "", "what is told; of a report of “HeyGem talking head” score and length", multiline=True),
                choice("channel", _CHANNELS, _ALL, "by which way; all: every one that is set"),
                choice("on_error", inputs.POLICIES, "skip", _SKIP),
                text("link", "", "where it leads to", optional=True),
            ],
            [result(io.String, "sent", "by which ways it went, and what went wrong")],
            search_aliases=["webhook", "企业微信", "钉钉", "飞书", "通知"],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, title: str, text: str, channel: str, on_error: str, link: str = "") -> Any:
        from heygem import settings
        from heygem.errors import HeyGemError
        from heygem.notify.base import Notice
        from heygem.notify.words import say

        said: list[str] = []
        with plain_words():
            config = settings.load()
            told = config.notify_language
            at, caption = link if "://" in link else None, say("open", told)
            words, facts = _plain(text, told)
            notice = Notice("job", told, title, words, at, None, facts, f"comfyui:{uuid.uuid4()}", caption=caption)
            for one in _channels(config, channel):
                try:
                    with unlogged(config.secrets):
                        aside(one.send, notice)
                    said.append(f"{one.title}: sent")
                except HeyGemError as error:
                    if on_error == "stop":
                        raise
                    log.warning("HeyGem: %s", error.message)
                    said.append(f"{one.title}: {error.message}")
        result = "\n".join(said) or "no channel is set; docs/notify.md says how"
        return io.NodeOutput(result, ui=new(ui.PreviewText, result))

    @classmethod
    def fingerprint_inputs(cls, **_: Any) -> float:
        return float("nan")  # every time anew


def _plain(text: str, language: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A text as it is; the report of a take as the facts that people want to know."""
    from heygem.notify.words import duration, say

    try:
        known = json.loads(text)
        length = duration(known["seconds"], language)
        score = known["score"]
    except (ValueError, TypeError, KeyError):
        return text, ()
    facts = ((say("length", language), length),)
    if score is not None:
        facts += ((say("score", language), say("score.value", language, score=score)),)
    return "", facts


def _channels(config: Any, channel: str) -> list[Any]:
    """Those that are set. Raises OptionInvalid for one that was asked for by name and is not."""
    from heygem.errors import OptionInvalid
    from heygem.notify import CHANNELS, open_channels

    if channel == _ALL:
        return open_channels(config)
    if (found := CHANNELS[channel].open(config)) is None:
        allowed = f"a way that is set; HEYGEM_NOTIFY_{channel.upper()}… in the environment do"
        raise OptionInvalid(option="channel", value=channel, allowed=allowed)
    return [found]


NODES = [Notify]
