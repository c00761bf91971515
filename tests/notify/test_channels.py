"""What holds for every channel, and the test message by command and by button."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from heygem import settings
from heygem.errors import HeyGemError, NotifyFailed, OptionInvalid
from heygem.jobs.notices import Notices
from heygem.notify import CHANNELS, open_channels, send_test, webhook
from heygem.notify.base import Channel
from heygem.notify.words import WORDS, duration, moment
from tests.jobs.made import queue_in
from tests.notify.made import KEY, PASSWORD, PATHS, ROBOTS, SECRET, SIGNING, configured, notice
from tests.notify.receiver import Receiver

HTTP = (*ROBOTS, "webhook")
SMTP: dict[str, Any] = {
    "smtp_host": "127.0.0.1",
    "smtp_user": "a@example.com",
    "smtp_password": PASSWORD,
    "notify_email_to": "b@example.com",
}


def opened(name: str, site: str) -> Channel:
    config = (
        configured(site, **SMTP, smtp_port=int(site.rpartition(":")[2])) if name == "email" else configured(site, name)
    )
    found = CHANNELS[name].open(config)
    assert found is not None
    return found


def silent(sock: socket.socket) -> str:
    return f"http://127.0.0.1:{sock.getsockname()[1]}"


@pytest.mark.parametrize("name", CHANNELS)
def test_nobody_there_is_tried_again_and_no_secret_is_said(name):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        site = silent(gone)
    with pytest.raises(NotifyFailed, match="connection failed") as caught:
        opened(name, site).send(notice())
    said = repr(caught.value) + caught.value.message + caught.value.hint
    assert not any(secret in said for secret in (KEY, SECRET, SIGNING, PASSWORD))


@pytest.mark.parametrize("name", CHANNELS)
def test_one_that_says_nothing_ends_in_time(name, monkeypatch):
    monkeypatch.setattr(webhook, "TIMEOUT", 0.3)
    monkeypatch.setattr("heygem.notify.mail.TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(NotifyFailed, match="in time"):
        opened(name, silent(mute)).send(notice())


@pytest.mark.parametrize("name", CHANNELS)
def test_nothing_is_open_without_settings_and_none_shows_a_secret(name):
    assert CHANNELS[name].open(settings.load()) is None
    channel = opened(name, "http://127.0.0.1:9")
    shown = repr(channel) + channel.target
    assert channel.name == name and channel.target and channel.per_minute > 0
    assert not any(secret in shown for secret in (KEY, SECRET, PASSWORD))


def test_the_webhook_goes_to_no_private_address_unless_allowed(server: Receiver):
    channel = CHANNELS["webhook"].open(settings.load(notify_webhook=server.url))
    assert channel is not None
    with pytest.raises(HeyGemError, match="private or reserved"):
        channel.send(notice())
    assert server.got == []


def test_secrets_of_addresses_are_known_in_parts():
    config = configured("https://x.example", *HTTP)
    assert {KEY, SECRET, SIGNING} <= set(config.secrets)
    assert KEY not in repr(config) and "send" not in config.secrets and "open-apis" not in config.secrets


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("notify_wecom", "short"),
        ("notify_wecom", "ftp://a/b-secret-token"),
        ("notify_feishu", "a key with blanks"),
        ("notify_webhook", "not-an-address"),
    ],
)
def test_wrong_addresses_are_refused_without_being_shown(name, value):
    with pytest.raises(OptionInvalid) as caught:
        settings.load(**{name: value})
    assert value not in caught.value.message and f"HEYGEM_{name.upper()}" in caught.value.message


@pytest.mark.parametrize(
    "given",
    [{"notify_email_to": "nobody"}, {"notify_on": "always"}, {"smtp_security": "ssl"}, {"smtp_from": "x\r\ny@z.a"}],
)
def test_wrong_settings_are_refused(given):
    with pytest.raises(OptionInvalid):
        settings.load(**given)


def test_one_that_is_set_wrongly_is_left_out(server: Receiver):
    config = settings.load(notify_email_to="a@example.com", notify_wecom=KEY)
    assert [channel.name for channel in open_channels(config)] == ["wecom"]


def test_a_test_message_says_where_it_went_or_what_is_wrong(server: Receiver):
    site = server.url.split("/hook")[0]
    assert send_test(configured(site, "wecom"), "wecom") == "127.0.0.1"
    assert "HeyGem 测试通知".encode() in server.got[0][1]
    for name, config, said in (
        ("wecom", settings.load(), "HEYGEM_NOTIFY_WECOM cannot be empty"),
        ("email", settings.load(), "HEYGEM_NOTIFY_EMAIL_TO cannot be empty"),
        ("email", settings.load(notify_email_to="a@example.com"), "HEYGEM_SMTP_HOST"),
        ("pigeon", settings.load(), "pigeon"),
    ):
        outcome = send_test(config, name)
        assert isinstance(outcome, HeyGemError) and said in outcome.message


def heygem(tmp_path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HEYGEM_")}
    given = {"HEYGEM_HOME": str(tmp_path / "home"), "HEYGEM_OUTPUTS": str(tmp_path / "outputs")}
    command = [sys.executable, "-m", "heygem", "notify", *words]
    return subprocess.run(command, env={**plain, **given, **variables}, capture_output=True, text=True, timeout=60)


def test_the_command_line(server: Receiver, tmp_path):
    variables = {
        "HEYGEM_NOTIFY_WECOM": server.url.split("/hook")[0] + PATHS["wecom"],
        "HEYGEM_NOTIFY_FEISHU": "https://evil.example/" + KEY,
        "HEYGEM_WEBHOOK_PRIVATE": "true",
    }
    queue = queue_in(tmp_path)
    notices = Notices(queue.store)
    notices.settle([], ["job:1:2"], ["wecom"])
    due = notices.due("wecom")
    assert due is not None
    notices.change(due, error="the connection failed")
    listed = heygem(tmp_path, "list", **variables)
    assert "wecom     127.0.0.1  (1 pending)\n          the connection failed\ndingtalk  not set\n" in listed.stdout
    sent = heygem(tmp_path, "test", "wecom", **variables)
    assert (sent.returncode, sent.stdout) == (0, "wecom: sent to 127.0.0.1\n") and len(server.got) == 1
    failed = heygem(tmp_path, "test", "wecom", "email", **{**variables, "HEYGEM_WEBHOOK_PRIVATE": "false"})
    assert (
        failed.returncode == 1 and "qyapi.weixin.qq.com" in failed.stderr and "HEYGEM_NOTIFY_EMAIL_TO" in failed.stderr
    )
    assert KEY not in listed.stdout + listed.stderr + sent.stdout + sent.stderr + failed.stdout + failed.stderr
    assert heygem(tmp_path, "test").returncode == 1


def test_every_chinese_notice_has_the_keyword_that_the_guide_names():
    guide = (Path(__file__).parents[2] / "docs" / "notify.md").read_text("utf-8")
    assert "请填“视频”（每条中文消息里都有）" in guide
    for key in ("job.done", "job.failed", "batch.text", "test.text"):
        assert "视频" in WORDS[key][0]


def test_words_stand_in_both_languages():
    for key, (chinese, english) in WORDS.items():
        assert chinese and english, key
        assert sorted(c for c in chinese if c in "{}") == sorted(c for c in english if c in "{}"), key
    assert [duration(n, "zh") for n in (4.21, 42, 200, 3900)] == ["4.2 秒", "42 秒", "3 分 20 秒", "1 小时 5 分"]
    assert duration(59.7, "en") == "1 min 0 s" and moment(0).startswith(("1970", "1969")) and "(UTC" in moment(0)
