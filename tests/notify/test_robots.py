"""Robots: the exact bodies, signatures, limits and answer codes of their documents, over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from heygem import settings
from heygem.errors import NotifyFailed, NotifyRefused, OptionInvalid
from heygem.notify import CHANNELS
from heygem.notify.base import Notice, clip, fit
from heygem.notify.dingtalk import DingTalk
from tests.notify.made import KEY, LINK, PATHS, ROBOTS, SECRET, configured, crowd, notice, picture
from tests.notify.receiver import Receiver


def site(server: Receiver) -> str:
    return server.url.split("/hook")[0]


def send(server: Receiver, name: str, told: Notice, **more: Any) -> list[Any]:
    """The bodies that arrived."""
    channel = CHANNELS[name].open(configured(site(server), name, **more))
    assert channel is not None
    channel.send(told)
    return [json.loads(body) for _, body in server.got]


def signed(key: str, text: str) -> str:
    """Base64 of HMAC-SHA256 as OpenSSL makes it."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    command = ["openssl", "dgst", "-sha256", "-binary", "-mac", "HMAC", "-macopt", f"hexkey:{key.encode().hex()}"]
    return base64.b64encode(
        subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout
    ).decode()


# -- bodies


def test_wecom_gets_markdown_and_then_the_picture(server, tmp_path):
    image = picture(tmp_path)
    first, second = send(server, "wecom", notice(thumbnail=image))
    assert first == {
        "msgtype": "markdown",
        "markdown": {
            "content": "### 视频已生成：早安_口播\n> 状态：已完成\n> 时长：42 秒\n"
            f"> 链接有效期至：2026-03-01 08:30 (UTC+08:00)\n[打开视频]({LINK})"
        },
    }
    raw = image.read_bytes()
    assert second == {
        "msgtype": "image",
        "image": {"base64": base64.b64encode(raw).decode(), "md5": hashlib.md5(raw).hexdigest()},
    }
    assert server.paths == [PATHS["wecom"]] * 2
    assert server.got[0][0]["content-type"] == "application/json"


def test_a_picture_that_wecom_does_not_take_says_nothing_about_the_notice(server, tmp_path):
    server.says = [b'{"errcode":0}', b'{"errcode":40009,"errmsg":"invalid image size"}']
    assert len(send(server, "wecom", notice(thumbnail=picture(tmp_path)))) == 2


def test_dingtalk_gets_a_card_with_a_button_and_a_signature(server):
    before = time.time()
    [body] = send(server, "dingtalk", notice())
    text = "\n\n".join(
        [
            "### 视频已生成：早安_口播",
            "- **状态**：已完成",
            "- **时长**：42 秒",
            "- **链接有效期至**：2026-03-01 08:30 (UTC+08:00)",
        ]
    )
    assert body == {
        "msgtype": "actionCard",
        "actionCard": {"title": "视频已生成：早安_口播", "text": text, "singleTitle": "打开视频", "singleURL": LINK},
        "msgUuid": notice().uid,
    }
    query = parse_qs(urlsplit(server.paths[0]).query)
    assert set(query) == {"access_token", "timestamp", "sign"} and query["access_token"] == [KEY]
    [now] = query["timestamp"]
    assert before * 1000 - 1 <= int(now) <= time.time() * 1000 + 1, "milliseconds"
    assert query["sign"] == [signed(SECRET, f"{now}\n{SECRET}")]


def test_dingtalk_without_a_link_or_with_a_long_one_gets_markdown(server):
    long = LINK + "&X-Amz-Security-Token=" + "A" * 900
    first, second = send(server, "dingtalk", notice(link=None)), send(server, "dingtalk", notice(link=long))
    assert first[0]["msgtype"] == "markdown" and set(first[0]["markdown"]) == {"title", "text"}
    assert second[1]["markdown"]["text"].endswith(f"[打开视频]({long})")


def test_a_signature_is_an_answer_to_the_secret_alone(server):
    settings_ = configured(site(server), "dingtalk", notify_dingtalk_secret=None)
    channel = DingTalk.open(settings_)
    assert channel is not None
    channel.send(notice())
    assert server.paths == [PATHS["dingtalk"]]


def test_feishu_gets_a_card_and_a_signature_in_the_body(server):
    before = time.time()
    [body] = send(server, "feishu", notice())
    now, sign = body.pop("timestamp"), body.pop("sign")
    assert before - 1 <= int(now) <= time.time() + 1, "seconds"
    assert sign == signed(f"{now}\n{SECRET}", "")
    fields = [
        {"is_short": True, "text": {"tag": "lark_md", "content": f"**{label}**\n{value}"}}
        for label, value in notice().facts
    ]
    button = {
        "tag": "button",
        "text": {"tag": "plain_text", "content": "打开视频"},
        "type": "primary",
        "url": LINK,
    }
    assert body == {
        "msg_type": "interactive",
        "card": {
            "config": {"wide_screen_mode": True},
            "header": {"title": {"tag": "plain_text", "content": "视频已生成：早安_口播"}, "template": "green"},
            "elements": [{"tag": "div", "fields": fields}, {"tag": "action", "actions": [button]}],
        },
    }
    assert server.paths == [PATHS["feishu"]]


def test_failures_are_red(server):
    bad = notice(title="视频生成失败：早安", text="没有找到人脸。 请换一张照片。", bad=True, link=None, facts=())
    assert send(server, "feishu", bad)[0]["card"]["header"]["template"] == "red"
    content = send(server, "wecom", bad)[1]["markdown"]["content"]
    assert '<font color="warning">没有找到人脸。 请换一张照片。</font>' in content


# -- limits


def batch(**more: Any) -> Notice:
    given = {
        "kind": "batch",
        "title": "批次已完成：春季",
        "text": "共 200 个视频：完成 160 个，失败 40 个",
        "items": crowd(),
    }
    return notice(**{**given, "link": "https://heygem.example.com", **more})


@pytest.mark.parametrize("link", [LINK, LINK + "&X-Amz-Security-Token=" + "A" * 900, "https://a.example/1"])
def test_two_hundred_results_fit_into_every_body_and_no_link_is_cut(server, link):
    limits = {"wecom": 4096, "dingtalk": 20000, "feishu": 20 * 1024}
    for name in ROBOTS:
        server.got.clear()
        [body] = send(server, name, batch(items=crowd(link=link)))
        raw = server.got[0][1]
        if name == "wecom":
            text = body["markdown"]["content"]
            assert len(text.encode()) <= limits[name]
        else:
            assert len(raw) <= limits[name]
            text = raw.decode()
        shown = text.count(f"]({link})")
        assert shown == text.count("](https://") - text.count("](https://heygem.example.com)"), "whole links alone"
        listed = shown + text.count("没有找到人脸")
        assert shown and (f"… 还有 {200 - listed} 个" in text) == (listed < 200)


@pytest.mark.parametrize("name", ROBOTS)
def test_the_longest_names_and_errors_fit(server, name):
    long = "一" * 5000
    told = notice(title=long, text=long, facts=((long, long),) * 6, link=LINK + "&more=" + "A" * 3500)
    [body] = send(server, name, told)
    raw = server.got[0][1]
    if name == "wecom":
        assert len(body["markdown"]["content"].encode()) <= 4096
    else:
        assert len(raw) <= 20000


@pytest.mark.parametrize("name", ROBOTS)
def test_names_are_text_and_call_nobody(server, name):
    evil = "a](https://evil.example) <@all> <at id=all></at> **b** `c`"
    [body] = send(server, name, notice(title=evil, facts=((evil, evil),), text=evil, items=crowd(1, evil), link=None))
    text = json.dumps(body, ensure_ascii=False)
    for sign in ("<@", "<at", "](https://evil", "**b**", "`c`"):
        assert sign not in text


def test_brackets_in_an_address_do_not_end_its_link(server):
    [body] = send(server, "wecom", notice(link="https://a.example/x(1)%20y?a=b%2Fc&d=%E4%B8%80"))
    assert body["markdown"]["content"].endswith("](https://a.example/x%281%29%20y?a=b%2Fc&d=%E4%B8%80)")


def test_texts_are_cut_between_signs():
    assert clip("一二三", 9) == "一二三" and clip("一二三四", 10) == "一二…" and len(clip("🎬" * 9, 20).encode()) <= 20
    lines = ["a" * 9] * 10
    assert fit(lines, 100, str) == lines
    assert fit(lines, 99, str) == [*lines[:9], "1"]
    assert fit(lines, 5, str) == ["10"]


# -- answers


REFUSED = [
    ("wecom", 200, {"errcode": 93000, "errmsg": "invalid webhook url, hint: [1], from ip: 1.2.3.4"}),
    ("wecom", 200, {"errcode": 40058, "errmsg": "markdown.content exceed max length 4096"}),
    ("dingtalk", 200, {"errcode": 310000, "errmsg": "sign not match"}),
    ("dingtalk", 200, {"errcode": 400101, "errmsg": "access_token不存在"}),
    ("dingtalk", 200, {"errcode": 460101, "errmsg": "body 大小不合法"}),
    ("feishu", 200, {"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"}),
    ("feishu", 200, {"code": 19024, "msg": "Key Words Not Found"}),
    ("feishu", 400, {"code": 9499, "msg": "Bad Request", "data": {}}),
]
BUSY = [
    ("wecom", 200, {"errcode": 45009, "errmsg": "api freq out of limit"}, 60),
    ("wecom", 200, {"errcode": -1, "errmsg": "system busy"}, 0),
    ("dingtalk", 200, {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}, 600),
    ("dingtalk", 200, {"errcode": 410100, "errmsg": "发送速度太快而限流"}, 600),
    ("feishu", 200, {"code": 11232, "msg": "frequency limited"}, 60),
    ("feishu", 400, {"code": 9499, "msg": "too many request", "data": {}}, 60),
    ("feishu", 429, {"code": 99991400, "msg": "request trigger frequency limit"}, 60),
]


@pytest.mark.parametrize(("name", "status", "answer"), REFUSED)
def test_codes_that_waiting_does_not_help(server, name, status, answer):
    server.statuses, server.says = [status], [json.dumps(answer).encode()]
    with pytest.raises(NotifyRefused) as caught:
        send(server, name, notice())
    assert str(next(iter(answer.values()))) in caught.value.message and len(server.got) == 1


@pytest.mark.parametrize(("name", "status", "answer", "wait"), BUSY)
def test_codes_that_pass(server, name, status, answer, wait):
    server.statuses, server.says = [status], [json.dumps(answer).encode()]
    with pytest.raises(NotifyFailed) as caught:
        send(server, name, notice())
    assert caught.value.wait == wait


@pytest.mark.parametrize("name", ROBOTS)
@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (500, b"boom", NotifyFailed),
        (503, b'{"errcode": 0, "code": 0}', NotifyFailed),
        (403, b'{"errcode": 0, "code": 0}', NotifyRefused),
        (502, b"<html>", NotifyFailed),
        (429, b"", NotifyFailed),
        (200, b"<html>please log in to the network</html>", NotifyFailed),
        (200, b"[]", NotifyFailed),
        (200, b'{"errcode": null, "code": null}', NotifyFailed),
        (404, b"<html>", NotifyRefused),
        (302, b"", NotifyRefused),
    ],
)
def test_answers_that_are_none(server, name, status, answer, kind):
    server.statuses, server.says = [status], [answer]
    with pytest.raises(kind):
        send(server, name, notice())


@pytest.mark.parametrize("name", ROBOTS)
def test_an_answer_that_repeats_secrets_gives_none_away(server, name):
    url = site(server) + PATHS[name]
    said = f"no robot {KEY} at {url} signs with {SECRET}"
    server.says = [json.dumps({"errcode": 7, "errmsg": said, "code": 7, "msg": said}).encode()]
    with pytest.raises(NotifyRefused) as caught:
        send(server, name, notice())
    text = caught.value.message + caught.value.hint + str(caught.value.details)
    assert KEY not in text and SECRET not in text and "no robot ***" in text


# -- where they lead


@pytest.mark.parametrize("name", ROBOTS)
def test_a_key_leads_to_the_host_of_the_channel_alone(name):
    channel = CHANNELS[name].open(settings.load(**{f"notify_{name}": KEY}))
    expected = {
        "wecom": f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}",
        "dingtalk": f"https://oapi.dingtalk.com/robot/send?access_token={KEY}",
        "feishu": f"https://open.feishu.cn/open-apis/bot/v2/hook/{KEY}",
    }
    assert channel is not None
    assert getattr(channel, "_url") == expected[name] and channel.target in expected[name]  # noqa: B009
    whole = CHANNELS[name].open(settings.load(**{f"notify_{name}": expected[name]}))
    assert whole is not None and whole.target == channel.target
    for wrong in (f"https://evil.example/{KEY}", expected[name].replace("https", "http"), f"http://127.0.0.1/{KEY}"):
        with pytest.raises(OptionInvalid) as caught:
            CHANNELS[name].open(settings.load(**{f"notify_{name}": wrong}))
        assert KEY not in caught.value.message + caught.value.hint
        assert f"HEYGEM_NOTIFY_{name.upper()}" in caught.value.message


def test_an_address_of_a_network_that_is_never_called_is_refused():
    channel = CHANNELS["wecom"].open(configured("http://169.254.169.254", "wecom"))
    assert channel is not None
    with pytest.raises(NotifyRefused, match="private or reserved"):
        channel.send(notice())
