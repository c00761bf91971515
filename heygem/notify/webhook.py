"""Webhooks: a signed POST to an address of the user, after the Standard Webhooks specification 1.0."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
from standardwebhooks.webhooks import Webhook

from heygem import __version__
from heygem.errors import WebhookFailed
from heygem.notify.guard import CONNECT, Guarded

TIMEOUT = 20.0
"""Seconds for a whole delivery, whatever the other side does."""
PAUSES = (15, 120, 600, 2700)
"""Seconds between the tries: five within an hour."""


@dataclass(frozen=True)
class Message:
    """What happened. The id and the time stay the same over all tries, so that the receiver can tell a repetition."""

    event: str
    body: Mapping[str, Any]
    id: str = field(default_factory=lambda: f"msg_{uuid4().hex}")
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def content(self) -> str:
        """The JSON that is signed and sent."""
        whole = {"type": self.event, "timestamp": self.at.astimezone(UTC).isoformat(), "data": dict(self.body)}
        return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def send(url: str, message: Message, secret: str | None = None, private: bool = False) -> None:
    """Delivers a message once; call it from a thread. Without a secret (``whsec_…``) it goes out unsigned.

    Raises AddressRefused (do not try again), AddressUnknown and WebhookFailed (a later try may succeed).
    """
    now, content = datetime.now(UTC), message.content()
    headers = {"webhook-id": message.id, "webhook-timestamp": str(int(now.timestamp()))}
    if secret:
        headers["webhook-signature"] = Webhook(secret).sign(message.id, now, content)
    status, _ = post(url, content, headers, private)
    if not 200 <= status < 300:
        raise _failed(url, f"HTTP {status}")


def post(
    url: str, content: str, headers: Mapping[str, str] | None = None, private: bool = False, most: int = 0
) -> tuple[int, bytes]:
    """Sends JSON once; call it from a thread. The status and the first ``most`` bytes of the answer: the whole may be
    endless. Raises AddressRefused, AddressUnknown, and WebhookFailed where nothing was answered."""
    try:
        return asyncio.run(asyncio.wait_for(_post(url, content, headers or {}, private, most), TIMEOUT))
    except (TimeoutError, httpx.TimeoutException):
        raise _failed(url, "it did not answer in time") from None
    except httpx.HTTPError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise _failed(url, "its certificate is not valid") from error
        raise _failed(url, "the connection failed") from error


def next_try(attempt: int) -> float | None:
    """Seconds to wait after this many failed tries, a little different each time; None: give up."""
    return PAUSES[attempt - 1] * random.uniform(0.8, 1.2) if attempt <= len(PAUSES) else None


async def _post(url: str, content: str, headers: Mapping[str, str], private: bool, most: int) -> tuple[int, bytes]:
    common = {
        "content-type": "application/json",
        "user-agent": f"HeyGem/{__version__}",
        "accept-encoding": "identity",
    }
    async with (
        httpx.AsyncClient(transport=Guarded(private), timeout=CONNECT, trust_env=False) as client,
        client.stream("POST", url, content=content, headers={**common, **headers}) as answer,
    ):
        body = b""
        if most:
            async for part in answer.aiter_raw():
                body += part
                if len(body) >= most:
                    break
        return answer.status_code, body[:most]


def _failed(url: str, reason: str) -> WebhookFailed:
    return WebhookFailed(host=httpx.URL(url).host, reason=reason)  # the host alone: the rest may hold secrets
