"""The checks of the storage and of the notices, as the settings show them."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from heygem.jobs.fleet import InlineFleet
from heygem.settings import Settings, load
from tests.jobs.made import queue_in
from tests.notify.receiver import Receiver
from tests.ui.test_words import CHINESE
from ui.checks import Checks, channels, where
from ui.desk import Desk
from ui.words import FINDINGS_ZH, say, told

STORAGE = Path(__file__).parents[2] / "storage"
Make = Callable[..., Checks]


@pytest.fixture
def checks(tmp_path: Path) -> Make:
    """checks(setting=…): the sheet of a server with these settings."""

    def made(**given: Any) -> Checks:
        queue = queue_in(tmp_path, memory=True)
        preflight: Any = None  # nothing is chosen in these tests
        with gr.Blocks():
            config = settings(tmp_path, **given)
            return Checks(Desk(queue, InlineFleet(queue), preflight, config, Path("the.log")))

    return made


def settings(folder: Path, **given: Any) -> Settings:
    return load(**{"home": folder / "home", "outputs": folder / "outputs", "storage": "local", **given})


def checked(sheet: Checks, language: str = "zh") -> dict[str, Any]:
    """The answer once the check has ended."""
    answer = sheet.answer({"do": "check"}, language)
    end = time.monotonic() + 20
    while answer["going"]:
        assert time.monotonic() < end
        time.sleep(0.02)
        answer = sheet.answer({}, language)
    return answer


def test_nothing_is_tried_before_somebody_asks(checks: Make) -> None:
    answer = checks().answer({}, "zh")
    assert answer["findings"] == [] and answer["summary"] == {} and not answer["going"]
    assert answer["storage"] == "这台服务器（本机链接）" and "没有设置任何通知方式" in answer["none"]


def test_links_of_this_server_are_checked(checks: Make) -> None:
    answer = checked(checks(public_url="https://heygem.example"))
    assert [finding["state"] for finding in answer["findings"]] == ["ok", "ok"]
    assert answer["summary"] == {"level": "good", "text": "全部正常"}
    answer = checked(checks())
    assert answer["summary"]["level"] == "warn" and "HEYGEM_PUBLIC_URL" in answer["findings"][1]["remedy"]


def test_what_is_missing_is_a_finding_and_a_further_check_begins_anew(
    checks: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nothing-secret-123")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing-secret-123")
    sheet = checks(storage="s3")
    for _ in range(2):
        answer = checked(sheet)
        assert answer["summary"] == {"level": "bad", "text": "有 1 项必须处理"}
        assert [finding["found"] for finding in answer["findings"]] == ["还没有设置好云存储，缺少：HEYGEM_S3_BUCKET。"]
    assert checked(sheet, "en")["findings"][0]["found"].endswith("HEYGEM_S3_BUCKET.")


def test_a_store_that_is_not_there_is_said(checks: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nothing-secret-123")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing-secret-123")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda self, context: 0.01)
    sheet = checks(storage="s3", s3_bucket="films", s3_region="here-1", s3_endpoint="http://127.0.0.1:9")
    answer = checked(sheet)
    assert answer["findings"][-1]["found"].startswith("现在连不上云存储") and "nothing-secret" not in str(answer)
    assert where(sheet._settings, "en") == "the bucket films at 127.0.0.1:9"


def test_a_test_is_sent_by_each_channel(checks: Make) -> None:
    receiver = Receiver()
    sheet = checks(notify_webhook=receiver.url, webhook_private=True)
    (channel,) = sheet.answer({}, "zh")["channels"]
    assert channel["title"] == "回调地址" and "token=secret" not in str(channel)
    said = sheet.answer({"do": "notice", "channel": "webhook"}, "zh")["said"]
    receiver.close()
    assert said == {"channel": "webhook", "text": "已发送，请到接收的地方查看"} and len(receiver.got) == 1


def test_a_test_that_does_not_arrive_says_why(checks: Make) -> None:
    sheet = checks(notify_webhook="http://127.0.0.1:9/", webhook_private=True)
    said = sheet.answer({"do": "notice", "channel": "webhook"}, "zh")["said"]
    assert CHINESE.search(said["problem"]) and said["remedy"] and "text" not in said
    assert "problem" in sheet.answer({"do": "notice", "channel": "no such"}, "zh")["said"]


def test_a_channel_that_is_set_by_half_says_what_is_missing(checks: Make, tmp_path: Path) -> None:
    answer = checks(notify_email_to="a@example.com").answer({}, "zh")
    assert answer["channels"][0]["problem"] == "还缺少设置 HEYGEM_SMTP_HOST"
    assert channels(settings(tmp_path)) == []


FRAGMENTS = {"a changed link", "a link without its end", "7 works, too", "nobody knows when", "in 7 h"}
"""Parts of findings, which have their Chinese as a whole."""


def sentences(file: str, name: str) -> set[str]:
    """What a class, function or constant of this file may say, with 7 for every value."""
    for node in ast.parse((STORAGE / file).read_text("utf-8")).body:
        named = node.targets[0] if isinstance(node, ast.Assign) else node
        if getattr(named, "name", getattr(named, "id", "")) == name:
            return {text for text in _texts(node) if text.count(" ") > 1}
    raise LookupError(name)


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for part in ast.iter_child_nodes(node):
            if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)):  # a docstring
                yield from _texts(part)


def test_every_finding_has_its_chinese() -> None:
    places = [("check.py", "Trial"), ("lifecycle.py", "described"), ("lifecycle.py", "_BY_HAND")]
    places += [("local.py", "Local"), ("check.py", "_run")]
    said = {text for place in places for text in sentences(*place)}
    assert len(said) > 25 and {text for text in said if not CHINESE.search(told(text, "zh"))} == FRAGMENTS
    for what in ("a changed link", "a link without its end"):
        assert CHINESE.search(told(f"{what} works, too", "zh"))
    assert told("from env, temporary: they end nobody knows when", "zh") == "来自 env，是临时密钥，不知道何时过期"
    assert told("from sso, temporary: they end in 0.9 h", "zh") == "来自 sso，是临时密钥，0.9 小时后过期"


def test_a_finding_that_nobody_knows_stands_as_it_is() -> None:
    assert told("something new", "zh") == "something new" and told("", "zh") == ""
    assert told("an object was written and compared", "en") == "an object was written and compared"
    assert say("check_bad", "zh", n=2) == "有 2 项必须处理" and len(FINDINGS_ZH) > 20
