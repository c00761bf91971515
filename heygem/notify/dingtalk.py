"""The custom robot of a DingTalk group (钉钉自定义机器人).

https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages says: markdown {title, text}, actionCard
{title, text, singleTitle, singleURL}, msgUuid (a repetition is not shown twice), 20 messages in a minute, else ten
minutes of silence (410100; 130101 “send too fast”); 460101: the body must stay below 20000 bytes. A body may name
pictures by public addresses alone, so there is none. 310000: keyword, signature or address do not fit.
https://open.dingtalk.com/document/robots/customize-robot-security-settings says how to sign: base64 of HMAC-SHA256 over
``timestamp + "\\n" + secret``, keyed with the secret, as parameters timestamp (milliseconds) and sign.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from heygem.notify.base import Notice, fit, size
from heygem.notify.robot import Robot, linked, numbered, plain
from heygem.notify.words import say

LONGEST = 16000
"""Bytes of a text: with all around it, and line ends and quotes as JSON writes them, the body stays below 20000."""
BUTTON = 500
"""Longest address of a button in characters; a longer one is a link in the text."""


class DingTalk(Robot):
    name = "dingtalk"
    title = "DingTalk"
    per_minute = 18
    address = "https://oapi.dingtalk.com/robot/send?access_token={key}"
    hosts = ("oapi.dingtalk.com", "oapi.dingtalk.io")
    busy: ClassVar[Mapping[int, float]] = {-1: 0, 130101: 600, 410100: 600}

    def send(self, notice: Notice) -> None:
        self._deliver(self.body(notice), **self._signature())

    def body(self, notice: Notice) -> dict[str, Any]:
        title = plain(notice.title, 300)
        button = {}
        if notice.link and len(notice.link) <= BUTTON:
            button = {"singleTitle": notice.caption, "singleURL": notice.link}
        content = {"title": title, "text": self._text(notice, not button)}
        kind = "actionCard" if button else "markdown"
        return {"msgtype": kind, kind: {**content, **button}, "msgUuid": notice.uid}

    def _text(self, notice: Notice, with_link: bool) -> str:
        colon = say("colon", notice.language)
        lines = [f"### {plain(notice.title, 300)}"]
        if notice.text:
            lines.append(plain(notice.text, 1500))
        lines += [f"- **{plain(label, 60)}**{colon}{plain(value, 300)}" for label, value in notice.facts]
        last = [linked(notice.caption, notice.link)] if notice.link and with_link else []
        room = LONGEST - size("\n\n".join([*lines, *last])) - 4
        items = fit([f"{line}\n" for line in numbered(notice)], room, lambda n: say("more", notice.language, n=n))
        return "\n\n".join([*lines, "\n".join(items).rstrip(), *last] if items else [*lines, *last])

    def _signature(self) -> dict[str, str]:
        if self._secret is None:
            return {}
        secret, now = self._secret.get_secret_value(), str(int(time.time() * 1000))
        sign = hmac.digest(secret.encode(), f"{now}\n{secret}".encode(), hashlib.sha256)
        return {"timestamp": now, "sign": base64.b64encode(sign).decode()}
