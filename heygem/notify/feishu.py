"""The custom robot of a Feishu or Lark group (飞书自定义机器人).

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot says: a card under ``msg_type`` interactive, a body of
at most 20 KB, 100 messages in a minute and 5 in a second (11232: too often), pictures only as keys that a custom robot
cannot get, so there is none. 19021: signature or clock, 19022: address, 19024: keyword, 9499: not understood (or “too
many request”). Signed by ``timestamp`` (seconds) and ``sign`` in the body: base64 of HMAC-SHA256 over nothing, keyed
with ``timestamp + "\\n" + secret``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from heygem.notify.base import Notice, fit
from heygem.notify.robot import Robot, numbered, plain
from heygem.notify.words import say

LONGEST = 13000
"""Bytes of the list of results: with all around it the body stays below 20 KB."""
BUTTON = 2500
"""Longest address of a button in characters."""


class Feishu(Robot):
    name = "feishu"
    title = "Feishu"
    per_minute = 60
    address = "https://open.feishu.cn/open-apis/bot/v2/hook/{key}"
    hosts = ("open.feishu.cn", "open.larksuite.com")
    answer = ("code", "msg")
    busy: ClassVar[Mapping[int, float]] = {11232: 60, 99991400: 60}

    def send(self, notice: Notice) -> None:
        self._deliver({**self._signature(), "msg_type": "interactive", "card": self.card(notice)})

    def card(self, notice: Notice) -> dict[str, Any]:
        colour = "red" if notice.bad else "blue" if notice.kind == "test" else "green"
        parts: list[dict[str, Any]] = []
        if notice.text:
            parts.append({"tag": "div", "text": {"tag": "plain_text", "content": plain(notice.text, 1500)}})
        if notice.facts:
            fields = [
                {
                    "is_short": True,
                    "text": {"tag": "lark_md", "content": f"**{plain(label, 60)}**\n{plain(value, 300)}"},
                }
                for label, value in notice.facts
            ]
            parts.append({"tag": "div", "fields": fields})
        if notice.items:
            lines = fit(numbered(notice), LONGEST, lambda n: say("more", notice.language, n=n))
            parts.append({"tag": "markdown", "content": "\n".join(lines)})
        if notice.link and len(notice.link) <= BUTTON:
            text = {"tag": "plain_text", "content": notice.caption}
            button = {"tag": "button", "text": text, "type": "primary", "url": notice.link}
            parts.append({"tag": "action", "actions": [button]})
        title = {"tag": "plain_text", "content": plain(notice.title, 300)}
        return {
            "config": {"wide_screen_mode": True},
            "header": {"title": title, "template": colour},
            "elements": parts,
        }

    def _signature(self) -> dict[str, str]:
        if self._secret is None:
            return {}
        now = str(int(time.time()))
        key = f"{now}\n{self._secret.get_secret_value()}"
        return {"timestamp": now, "sign": base64.b64encode(hmac.digest(key.encode(), b"", hashlib.sha256)).decode()}

    def _wait(self, code: int, meaning: str) -> float | None:
        return 60 if code == 9499 and "too many" in meaning.lower() else super()._wait(code, meaning)
