"""Messages to other services: webhooks and notices to chats and mailboxes, and the guard that every address passes
which a user typed."""

from __future__ import annotations

from loguru import logger

from heygem.errors import HeyGemError, OptionInvalid
from heygem.notify.base import Channel
from heygem.notify.compose import trial
from heygem.notify.dingtalk import DingTalk
from heygem.notify.feishu import Feishu
from heygem.notify.hook import Hook
from heygem.notify.mail import Mail
from heygem.notify.wecom import WeCom
from heygem.settings import PREFIX, Settings

CHANNELS: dict[str, type[Channel]] = {kind.name: kind for kind in (WeCom, DingTalk, Feishu, Hook, Mail)}
"""Name -> class."""


def open_channels(settings: Settings) -> list[Channel]:
    """All that are set. One that is set wrongly is left out and named in the log: no server stands still for it."""
    found: list[Channel | None] = []
    for kind in CHANNELS.values():
        try:
            found.append(kind.open(settings))
        except OptionInvalid as error:
            logger.warning("no notices by {}: {} {}", kind.title, error.message, error.hint)
    return [channel for channel in found if channel]


def send_test(settings: Settings, channel: str) -> str | HeyGemError:
    """Sends a message by the channel of this name, whatever ``notify_on`` says. Returns where it went, or the error:
    OptionInvalid, NotifyRefused or NotifyFailed."""
    try:
        if channel not in CHANNELS:
            raise OptionInvalid(option="channel", value=channel, allowed=", ".join(CHANNELS))
        if (found := CHANNELS[channel].open(settings)) is None:
            name = "notify_email_to" if channel == "email" else f"notify_{channel}"
            allowed = Settings.model_fields[name].description
            raise OptionInvalid(option=PREFIX + name.upper(), value="empty", allowed=allowed)
        found.send(trial(settings.notify_language, settings.public_url))
        return found.target
    except HeyGemError as error:
        return error
