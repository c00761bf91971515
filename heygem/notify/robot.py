"""What the robots of group chats have in common: a secret address, JSON there, and an answer with a code in it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from heygem.errors import AddressRefused, AddressUnknown, NotifyFailed, NotifyRefused, OptionInvalid, WebhookFailed
from heygem.notify.base import Notice, clip, hidden
from heygem.notify.webhook import post
from heygem.notify.words import say
from heygem.settings import PREFIX, Settings

_ANSWER = 1 << 16
"""Bytes of an answer that are read."""
_PASSING = (408, 425, 429)
_WAIT = 60.0
_MARKUP = str.maketrans("<>[]*`~", "＜＞［］＊｀～")  # what would be bold, a link, or call everybody


class Robot(ABC):
    """Settings: ``notify_<name>`` is its key or its whole address. Other hosts than the robot's own are called only
    where ``webhook_private`` allows them: installations in a company's own network."""

    name: str
    title: str
    per_minute: int
    address: str
    """With the place of the key."""
    hosts: tuple[str, ...]
    answer: tuple[str, str] = ("errcode", "errmsg")
    """Where the code and its meaning stand in an answer; code 0: taken."""
    busy: ClassVar[Mapping[int, float]]
    """Codes that pass by waiting, and the seconds until they do."""

    def __init__(self, url: str, secret: SecretStr | None, settings: Settings) -> None:
        self._url, self._secret, self._settings = url, secret, settings

    @classmethod
    def open(cls, settings: Settings) -> Self | None:
        given: SecretStr | None = getattr(settings, f"notify_{cls.name}")
        if given is None:
            return None
        key = given.get_secret_value()
        url = key if "://" in key else cls.address.format(key=key)
        site = httpx.URL(url)
        if not settings.webhook_private and (site.scheme != "https" or site.host not in cls.hosts):
            allowed = f"the key, or the https address at {' or '.join(cls.hosts)}"
            raise OptionInvalid(option=f"{PREFIX}NOTIFY_{cls.name.upper()}", value="the given value", allowed=allowed)
        return cls(url, getattr(settings, f"notify_{cls.name}_secret", None), settings)

    @property
    def target(self) -> str:
        return httpx.URL(self._url).host

    @abstractmethod
    def send(self, notice: Notice) -> None: ...

    def _deliver(self, body: Mapping[str, Any], **query: str) -> None:
        """Raises NotifyRefused, NotifyFailed."""
        url = str(httpx.URL(self._url).copy_merge_params(query)) if query else self._url
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        try:
            status, answer = post(url, content, private=self._settings.webhook_private, most=_ANSWER)
        except AddressRefused as error:
            raise self._refused(error.details["reason"]) from None
        except (AddressUnknown, WebhookFailed) as error:
            raise self._failed(error.details.get("reason", "the connection failed")) from None
        self._judge(status, answer)

    def _judge(self, status: int, answer: bytes) -> None:
        try:
            said = json.loads(answer)
            code, meaning = int(said[self.answer[0]]), str(said.get(self.answer[1], ""))
        except (ValueError, TypeError, KeyError, AttributeError):
            code, meaning = 0, ""
            if status == 200:
                raise self._failed("it did not answer as a robot does") from None
        if status == 200 and code == 0:
            return
        if status >= 500 or status in _PASSING:
            raise self._failed(f"HTTP {status} {meaning}", _WAIT if status == 429 else 0)
        if code == 0:
            raise self._refused(f"HTTP {status}")
        reason = f"{code} {meaning}".strip()
        if (wait := self._wait(code, meaning)) is not None:
            raise self._failed(reason, wait)
        raise self._refused(reason)

    def _wait(self, code: int, meaning: str) -> float | None:
        """Seconds until it may take a message again; None: it never will."""
        return self.busy.get(code)

    def _failed(self, reason: str, wait: float = 0) -> NotifyFailed:
        return NotifyFailed(channel=self.title, reason=self._hidden(reason), wait=wait)

    def _refused(self, reason: str) -> NotifyRefused:
        return NotifyRefused(channel=self.title, reason=self._hidden(reason))

    def _hidden(self, reason: str) -> str:
        return hidden(reason, self._settings)


def plain(text: str, most: int = 600) -> str:
    """One line without the signs of any markup, at most so many bytes."""
    return clip(" ".join(text.translate(_MARKUP).split()), most)


def linked(name: str, url: str) -> str:
    return f"[{plain(name, 200)}]({quote(url, safe=_IN_URL)})"


_IN_URL = ":/?#@!$&'*+,;=%-._~"  # all that stands in addresses, but brackets: they would end the link


def numbered(notice: Notice) -> list[str]:
    """The results of a batch, a line each."""
    colon = say("colon", notice.language)
    return [
        f"{n}. {linked(item.name, item.link) if item.link else plain(item.name, 200)}"
        + (f"{colon}{plain(item.note, 300)}" if item.note else "")
        for n, item in enumerate(notice.items, 1)
    ]
