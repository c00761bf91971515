"""Notices by e-mail: text and HTML with the picture in it, over SMTP (RFC 5321) with STARTTLS, TLS from the start, or
neither. Certificates are verified."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from html import escape

from loguru import logger

from heygem.errors import NotifyFailed, NotifyRefused, OptionInvalid
from heygem.notify.base import Notice, hidden
from heygem.notify.words import say
from heygem.settings import PREFIX, Settings

PORTS = {"starttls": 587, "tls": 465, "none": 25}
TIMEOUT = 20.0
"""Seconds for each silence of the server."""


class Mail:
    name = "email"
    title = "E-mail"
    per_minute = 60

    def __init__(self, settings: Settings, sender: str) -> None:
        self._settings, self._sender = settings, sender

    @classmethod
    def open(cls, settings: Settings) -> Mail | None:
        if not settings.notify_email_to:
            return None
        if not settings.smtp_host:
            raise OptionInvalid(option=f"{PREFIX}SMTP_HOST", value="empty", allowed="the name of your mail server")
        user = settings.smtp_user or ""
        sender = settings.smtp_from or (user if "@" in user else "")
        if not sender:
            raise OptionInvalid(option=f"{PREFIX}SMTP_FROM", value="empty", allowed="the address of the sender")
        return cls(settings, sender)

    @property
    def target(self) -> str:
        return ", ".join(self._settings.notify_email_to)

    def send(self, notice: Notice) -> None:
        try:
            with self._connected() as server:
                refused = server.send_message(letter(notice, self._sender, self._settings.notify_email_to))
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException, smtplib.SMTPNotSupportedError) as error:
            raise self._judged(error) from None
        except ssl.SSLCertVerificationError:
            raise NotifyFailed(channel=self.title, reason="its certificate is not valid") from None
        except OSError as error:  # smtplib's own errors are of this kind, too
            late = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
            reason = "it did not answer in time" if late else "the connection failed"
            raise NotifyFailed(channel=self.title, reason=reason) from None
        if refused:
            logger.warning(
                "{} of {} addresses did not take the e-mail", len(refused), len(self._settings.notify_email_to)
            )

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        place = settings.smtp_host or "", settings.smtp_port or PORTS[settings.smtp_security]
        if settings.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(*place, timeout=TIMEOUT, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(*place, timeout=TIMEOUT)
        try:
            if settings.smtp_security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user and settings.smtp_password:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            yield server
        finally:
            with suppress(OSError):  # what was sent has arrived, whatever is answered now
                server.quit()
            server.close()

    def _judged(self, error: smtplib.SMTPException) -> NotifyFailed | NotifyRefused:
        """Codes from 400 to 499 pass (RFC 5321, 4.2.1), others do not; of several recipients one that may is enough."""
        answers: list[tuple[int, bytes | str]] = [(550, str(error))]
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            answers = [*error.recipients.values()]
        elif isinstance(error, smtplib.SMTPResponseException):
            answers = [(error.smtp_code, error.smtp_error)]
        code, said = min(answers, key=lambda one: one[0])
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        kind = NotifyFailed if code < 500 else NotifyRefused
        return kind(channel=self.title, reason=hidden(f"{code} {text}", self._settings))


def letter(notice: Notice, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """The whole message; its id stays the same over all tries."""
    message = EmailMessage()
    message["Subject"] = " ".join(notice.title.split())
    message["From"], message["To"] = sender, ", ".join(to)
    message["Date"] = format_datetime(datetime.fromtimestamp(notice.at, UTC))
    host = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<{notice.uid}@{host}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers of the “out of office” kind
    message.set_content(_text(notice))
    picture = notice.thumbnail.read_bytes() if notice.thumbnail and notice.thumbnail.is_file() else b""
    message.add_alternative(_html(notice, bool(picture)), subtype="html")
    if picture:
        [_, page] = message.iter_parts()
        assert isinstance(page, EmailMessage)
        page.add_related(picture, "image", "jpeg", cid="<picture>", disposition="inline")
    return message


def _text(notice: Notice) -> str:
    colon = say("colon", notice.language)
    lines = [notice.title, "", *([notice.text, ""] if notice.text else [])]
    lines += [f"{label}{colon}{value}" for label, value in notice.facts]
    if notice.link:
        lines += ["", f"{notice.caption}{colon}{notice.link}"]
    if notice.items:
        lines.append("")
    for n, item in enumerate(notice.items, 1):
        lines.append(f"{n}. {item.name}{colon if item.link or item.note else ''}{item.link or item.note}")
    return "\n".join(lines) + "\n"


def _html(notice: Notice, picture: bool) -> str:
    colour = "#c0392b" if notice.bad else "#1a7f37"
    parts = [f'<h2 style="color:{colour};font-size:18px">{escape(notice.title)}</h2>']
    if notice.text:
        parts.append(f"<p>{escape(notice.text)}</p>")
    if picture:
        parts.append('<p><img src="cid:picture" alt="" style="max-width:320px;border-radius:6px"></p>')
    rows = "".join(
        f'<tr><td style="color:#666;padding:2px 16px 2px 0">{escape(label)}</td><td>{escape(value)}</td></tr>'
        for label, value in notice.facts
    )
    parts += [f"<table>{rows}</table>"] if rows else []
    if notice.link:
        parts.append(f'<p><a href="{escape(notice.link)}">{escape(notice.caption)}</a></p>')
    items = "".join(f"<li>{_entry(item.name, item.link, item.note, notice.language)}</li>" for item in notice.items)
    parts += [f"<ol>{items}</ol>"] if items else []
    whole = "\n".join(parts)
    return f'<html><body style="font-family:sans-serif;font-size:14px;line-height:1.6">\n{whole}\n</body></html>\n'


def _entry(name: str, link: str | None, note: str, language: str) -> str:
    shown = f'<a href="{escape(link)}">{escape(name)}</a>' if link else escape(name)
    return shown + (f"{say('colon', language)}{escape(note)}" if note else "")
