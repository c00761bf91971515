"""E-mails, taken by a real SMTP server with a real certificate."""

from __future__ import annotations

import asyncio
import email
import ssl
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from heygem import settings
from heygem.errors import NotifyFailed, NotifyRefused, OptionInvalid
from heygem.notify import mail
from heygem.notify.mail import Mail
from tests.notify.made import LINK, PASSWORD, crowd, notice, picture
from tests.notify.test_webhook import certificate

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it is there from the start

TO = ("boss@example.com", "team@example.com")


class Post:
    """Takes e-mails; ``answers`` come first, in their order, after the recipients."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.answers: list[str] = []
        self.recipients: list[str] = []
        self.logins: list[tuple[str, str]] = []
        self.delay = 0.0
        self.bye = "221 Bye"

    async def handle_QUIT(self, server, session, envelope) -> str:
        return self.bye

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if self.recipients and (answer := self.recipients.pop(0)) != "250 OK":
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        time.sleep(self.delay)
        self.got.append((envelope, session.ssl is not None))
        return self.answers.pop(0) if self.answers else "250 OK"

    def login(self, server, session, envelope, mechanism, data) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    def letter(self) -> EmailMessage:
        found = email.message_from_bytes(self.got[-1][0].content, policy=default)
        assert isinstance(found, EmailMessage)
        return found


class Server(Controller):
    """At a free port."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture
def serve(pem: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Post, Mail]]]:
    """serve("starttls" | "tls" | "none"): a server and the channel that leads to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    running: list[Server] = []

    def serve(security: str, auth: bool = True, offers: str = "", **more: Any) -> tuple[Post, Mail]:
        post, how = Post(), offers or security
        options: dict[str, Any] = {}
        if how == "starttls":
            options = {"tls_context": context, "require_starttls": True}
        elif how == "tls":
            options = {"ssl_context": context}
        if auth:
            options |= {"authenticator": post.login, "auth_required": True, "auth_require_tls": how == "starttls"}
        running.append(Server(post, hostname="127.0.0.1", port=0, **options))
        running[-1].start()
        given = {
            "notify_email_to": TO,
            "smtp_host": "localhost",
            "smtp_port": running[-1].port,
            "smtp_security": security,
            "smtp_from": "HeyGem <heygem@example.com>",
            **({"smtp_user": "heygem", "smtp_password": PASSWORD} if auth else {}),
        }
        channel = Mail.open(settings.load(**{**given, **more}))
        assert channel is not None
        return post, channel

    yield serve
    for one in running:
        one.stop()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_it_is_encrypted_before_the_password_is_said(serve, security):
    post, channel = serve(security)
    channel.send(notice())
    [(envelope, encrypted)] = post.got
    assert encrypted or security == "tls", "behind implicit TLS the server cannot but be encrypted"
    assert post.logins == [("heygem", PASSWORD)]
    assert envelope.mail_from == "heygem@example.com" and envelope.rcpt_tos == [*TO]


def test_a_relay_in_the_own_network_needs_neither(serve):
    post, channel = serve("none", auth=False)
    channel.send(notice())
    assert post.logins == [] and len(post.got) == 1


def test_text_and_html_with_the_picture_in_it(serve, tmp_path):
    post, channel = serve("none", auth=False)
    image = picture(tmp_path)
    channel.send(notice(thumbnail=image, text="一句话 & <b>", facts=(("名称", "<script>"),)))
    letter = post.letter()
    assert letter["subject"] == "视频已生成：早安_口播"
    assert letter["from"] == "HeyGem <heygem@example.com>" and letter["to"] == ", ".join(TO)
    assert letter["message-id"] == f"<{notice().uid}@example.com>" and "2026" in letter["date"]
    assert letter["auto-submitted"] == "auto-generated"
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None and html is not None
    assert text.get_content().splitlines() == [
        *("视频已生成：早安_口播", "", "一句话 & <b>", "", "名称：<script>", "", f"打开视频：{LINK}"),
    ]
    page = html.get_content()
    assert "&lt;script&gt;" in page and "<script>" not in page and "一句话 &amp; &lt;b&gt;" in page
    assert LINK.replace("&", "&amp;") in page and 'src="cid:picture"' in page
    [shown] = [part for part in letter.walk() if part.get_content_type() == "image/jpeg"]
    assert shown["content-id"] == "<picture>" and shown.get_content_disposition() == "inline"
    assert shown.get_content() == image.read_bytes()
    assert [part.get_content_type() for part in letter.walk()] == [
        *("multipart/alternative", "text/plain", "multipart/related", "text/html", "image/jpeg"),
    ]


def test_all_results_of_a_batch_are_in_it_in_english_too(serve):
    post, channel = serve("none", auth=False)
    told = notice(kind="batch", language="en", title="Batch ready: spring", items=crowd(), caption="Open HeyGem")
    channel.send(told)
    body = post.letter().get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert text.count(LINK) == 161 and "200. " in text and "Open HeyGem: " in text


def test_a_subject_is_one_line_whatever_the_name(serve):
    post, channel = serve("none", auth=False)
    channel.send(notice(title="a\r\nBcc: evil@example.com\r\n\r\nb" + "长" * 300))
    assert "Bcc" not in post.letter() and post.letter()["subject"].startswith("a Bcc: evil@example.com b长")


@pytest.mark.parametrize(
    ("answer", "kind"), [("451 try later", NotifyFailed), ("554 no", NotifyRefused), ("421 closing", NotifyFailed)]
)
def test_codes_of_the_server(serve, answer, kind):
    post, channel = serve("none", auth=False)
    post.answers = [answer]
    with pytest.raises(kind, match=answer[:3]):
        channel.send(notice())


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        (["550 unknown", "550 unknown"], NotifyRefused),
        (["450 greylisted", "550 unknown"], NotifyFailed),
        (["550 unknown", "250 OK"], None),
    ],
)
def test_recipients_that_are_not_taken(serve, answers, kind):
    post, channel = serve("none", auth=False)
    post.recipients = answers
    if kind is None:
        channel.send(notice())
        assert len(post.got) == 1, "a second try would reach the others twice"
    else:
        with pytest.raises(kind):
            channel.send(notice())


@pytest.mark.parametrize("bye", ["250 OK", "421 closing", "500 what?"])
def test_it_has_arrived_whatever_is_said_at_the_end(serve, bye):
    post, channel = serve("none", auth=False)
    post.bye = bye
    channel.send(notice())
    assert len(post.got) == 1
    post.answers = ["554 no"]
    with pytest.raises(NotifyRefused, match="554"):
        channel.send(notice())


def test_a_wrong_password_is_not_tried_again_and_not_shown(serve):
    post, channel = serve("starttls", smtp_password="not-the-right-horse")
    with pytest.raises(NotifyRefused) as caught:
        channel.send(notice())
    assert "not-the-right-horse" not in caught.value.message + caught.value.hint and post.got == []


def test_a_server_without_starttls_gets_no_password(serve):
    post, channel = serve("starttls", auth=False, offers="none", smtp_user="heygem", smtp_password=PASSWORD)
    with pytest.raises(NotifyRefused, match="STARTTLS"):
        channel.send(notice())
    assert post.logins == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_somebody_else_is_not_trusted(serve, security, tmp_path, monkeypatch):
    post, channel = serve(security)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path, "other.example")))
    with pytest.raises(NotifyFailed, match="certificate"):
        channel.send(notice())
    assert post.logins == []


def test_a_silent_server_ends_in_time(serve, monkeypatch):
    monkeypatch.setattr(mail, "TIMEOUT", 0.3)
    post, channel = serve("none", auth=False)
    post.delay = 1.0
    began = time.monotonic()
    with pytest.raises(NotifyFailed, match="in time"):
        channel.send(notice())
    assert time.monotonic() - began < 0.9


def test_nobody_there(serve):
    _, channel = serve("none", auth=False)
    gone = Mail.open(settings.load(notify_email_to=TO, smtp_host="127.0.0.1", smtp_port=1, smtp_from="a@example.com"))
    assert gone is not None and channel.target == "boss@example.com, team@example.com"
    with pytest.raises(NotifyFailed, match="connection failed"):
        gone.send(notice())


def test_what_is_missing_is_named():
    assert Mail.open(settings.load()) is None
    for more, missing in (({}, "SMTP_HOST"), ({"smtp_host": "mail.example.com", "smtp_user": "me"}, "SMTP_FROM")):
        with pytest.raises(OptionInvalid, match=f"HEYGEM_{missing}"):
            Mail.open(settings.load(notify_email_to="a@example.com", **more))
    user = settings.load(notify_email_to="a@b.cn；c@d.cn", smtp_host="mail.example.com", smtp_user="me@example.com")
    assert user.notify_email_to == ("a@b.cn", "c@d.cn")
    assert Mail.open(user) is not None
