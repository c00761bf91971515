"""The robot of a WeCom group (企业微信群机器人, 消息推送).

https://developer.work.weixin.qq.com/document/path/91770 says: markdown of at most 4096 bytes in UTF-8, an image of at
most 2 MB before base64 with the MD5 of its bytes, 20 messages in a minute; the meaning of the codes stands at
https://developer.work.weixin.qq.com/document/path/90313 (45009: too often; -1: busy; 93000: no such robot).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import ClassVar

from loguru import logger

from heygem.errors import NotifyFailed, NotifyRefused
from heygem.notify.base import Notice, fit, size
from heygem.notify.robot import Robot, linked, numbered, plain
from heygem.notify.words import say

LONGEST, LARGEST = 4096, 2 << 20


class WeCom(Robot):
    name = "wecom"
    title = "WeCom"
    per_minute = 10  # a notice and its picture are two messages
    address = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={key}"
    hosts = ("qyapi.weixin.qq.com",)
    busy: ClassVar[Mapping[int, float]] = {-1: 0, 45009: 60}

    def send(self, notice: Notice) -> None:
        self._deliver({"msgtype": "markdown", "markdown": {"content": self.content(notice)}})
        try:
            picture = notice.thumbnail.read_bytes() if notice.thumbnail else b""
            if 0 < len(picture) <= LARGEST:
                found = hashlib.md5(picture, usedforsecurity=False).hexdigest()
                image = {"base64": base64.b64encode(picture).decode(), "md5": found}
                self._deliver({"msgtype": "image", "image": image})
        except (OSError, NotifyFailed, NotifyRefused) as error:  # what matters has arrived
            logger.info("the picture was not sent: {}", error)

    def content(self, notice: Notice) -> str:
        """Markdown of at most LONGEST bytes; a link is whole or not there."""
        colour = "warning" if notice.bad else "info"
        lines = [f"### {plain(notice.title, 300)}"]
        if notice.text:
            lines.append(f'<font color="{colour}">{plain(notice.text, 900)}</font>')
        colon = say("colon", notice.language)
        lines += [f"> {plain(label, 60)}{colon}{plain(value, 200)}" for label, value in notice.facts]
        last = [linked(notice.caption, notice.link)] if notice.link else []
        room = LONGEST - size("\n".join([*lines, *last])) - 2
        items = fit(numbered(notice), room, lambda n: say("more", notice.language, n=n)) if notice.items else []
        whole = "\n".join([*lines, *items, *last])
        return whole if size(whole) <= LONGEST else "\n".join([*lines, *items])
