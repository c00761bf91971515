"""The notice as a signed webhook, for programs: ``job`` and ``batch`` alike, in plain fields."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import httpx

from heygem.errors import AddressRefused, AddressUnknown, NotifyFailed, NotifyRefused, WebhookFailed
from heygem.notify.base import Notice
from heygem.notify.webhook import Message, send
from heygem.settings import Settings


class Hook:
    name = "webhook"
    title = "Webhook"
    per_minute = 60

    def __init__(self, url: str, settings: Settings) -> None:
        self._url, self._settings = url, settings

    @classmethod
    def open(cls, settings: Settings) -> Hook | None:
        return cls(settings.notify_webhook.get_secret_value(), settings) if settings.notify_webhook else None

    @property
    def target(self) -> str:
        return httpx.URL(self._url).host

    def send(self, notice: Notice) -> None:
        at = datetime.fromtimestamp(notice.at, UTC)
        message = Message(f"notice.{notice.kind}", body(notice), id=f"msg_{notice.uid}", at=at)
        secret = self._settings.webhook_secret
        private = self._settings.webhook_private
        try:
            send(self._url, message, secret.get_secret_value() if secret else None, private)
        except AddressRefused as error:
            raise NotifyRefused(channel=self.title, reason=error.details["reason"]) from None
        except (AddressUnknown, WebhookFailed) as error:
            reason = error.details.get("reason", "the connection failed")
            raise NotifyFailed(channel=self.title, reason=reason) from None


def body(notice: Notice) -> dict[str, Any]:
    """All of it but the picture, which the link leads to."""
    return {
        "kind": notice.kind,
        "failed": notice.bad,
        "title": notice.title,
        "text": notice.text,
        "link": notice.link,
        "facts": dict(notice.facts),
        "items": [asdict(item) for item in notice.items],
    }
