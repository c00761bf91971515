"""The settings, the log and the line about a queue that stands still: what they say and what they never give away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest

from heygem.jobs.fleet import Hand, InlineFleet
from heygem.jobs.folder import free_bytes
from heygem.jobs.preflight import Preflight
from heygem.settings import Settings, load
from tests.jobs.made import queue_in, request
from ui.banner import Banner
from ui.desk import Desk
from ui.log import LINES, LogView, parts
from ui.rules import Rules, rules, shown
from ui.server import Server
from ui.words import WORDS

TOKEN = "a-token-nobody-may-read"


class Hands(InlineFleet):
    """Workers in every state: a real one is busy or asleep only for moments."""

    def workers(self) -> list[Hand]:
        running = self._queue.store.running()
        busy = Hand("one", "cuda:0", 7, running[0].id if running else None)
        return [busy, Hand("two", "cuda:1", 8, None), Hand("three", "cpu", None, None)]


@pytest.fixture
def desk(tmp_path: Path, preflight: Preflight) -> Iterator[Desk]:
    queue = queue_in(tmp_path)
    settings = load(home=tmp_path, outputs=queue.outputs, api_token=TOKEN, keep_days=0, max_minutes=90)
    yield Desk(queue, Hands(queue), preflight, settings, tmp_path / "the.log")
    queue.store.close()


@pytest.fixture
def server(desk: Desk) -> Server:
    with gr.Blocks() as page:
        return Server(page, gr.I18n(en={}), desk)


def facts(answer: dict) -> dict[str, str]:
    return {fact["name"]: fact["value"] for fact in answer["facts"]}


def test_it_says_how_things_stand(server: Server, desk: Desk, tmp_path: Path) -> None:
    desk.queue.submit(request(tmp_path))
    desk.queue.submit(request(tmp_path))
    job = desk.queue.store.claim("one")
    assert job is not None
    answer = server.answer({}, "zh")
    assert answer["counts"] == "排队 1 个，正在生成 1 个" and answer["held"] == ""
    busy, ready, asleep = answer["workers"]
    assert busy["text"] == "正在生成“person_voice”" and busy["device"] == "CUDA:0"
    assert "已加载" in ready["text"] and "未占用" in asleep["text"]
    assert facts(answer)["登录"] == "需要登录" and "mesh 1" in facts(answer)["版本"]
    assert "少于 0.0 GB" in facts(answer)["磁盘剩余空间"]


def test_without_a_login_it_says_who_may_come_in(desk: Desk) -> None:
    with gr.Blocks() as page:
        open_desk = replace(desk, settings=load(home=desk.settings.home, outputs=desk.settings.outputs))
        answer = Server(page, gr.I18n(en={}), open_desk).answer({}, "en")
    assert "everybody in this network" in facts(answer)["Login"]


def test_pause_and_resume(server: Server, desk: Desk, tmp_path: Path) -> None:
    paused = server.answer({"do": "pause"}, "zh")
    assert paused["held"] == "paused" and paused["do"] == {"name": "resume", "label": "继续队列"}
    desk.queue.submit(request(tmp_path))
    assert desk.queue.store.claim("one") is None
    line = banner(desk).answer({}, "en")
    assert "paused" in line["problem"] and line["resume"] == "Resume the queue"
    assert banner(desk).answer({"do": "resume"}, "en") == {} and desk.queue.held() is None
    assert server.answer({}, "en")["do"]["name"] == "pause"


def banner(desk: Desk) -> Banner:
    with gr.Blocks():
        return Banner(desk)


def test_a_full_disk_is_said_with_what_to_do(server: Server, desk: Desk) -> None:
    desk.queue.floor = free_bytes(desk.queue.outputs) + (1 << 30)
    line = banner(desk).answer({}, "zh")
    assert "只剩" in line["problem"] and "删除不再需要的结果" in line["remedy"] and "resume" not in line
    answer = server.answer({}, "zh")
    assert answer["held"] == "disk" and answer["do"]["name"] == "pause"


def test_every_setting_has_a_name_in_words_and_its_variable(desk: Desk) -> None:
    assert {f"setting_{name}" for name in Settings.model_fields} == {key for key in WORDS if key.startswith("setting_")}
    found = [rule for group in rules(desk.settings, "en") for rule in group["rules"]]
    assert {rule["variable"] for rule in found} == {f"HEYGEM_{name.upper()}" for name in Settings.model_fields}
    own = {rule["variable"] for rule in found if rule["own"]}
    assert own >= {"HEYGEM_HOME", "HEYGEM_API_TOKEN", "HEYGEM_KEEP_DAYS"} and "HEYGEM_CORS_ORIGINS" not in own


def test_no_secret_leaves_the_server(server: Server, desk: Desk) -> None:
    with gr.Blocks():
        read = Rules(desk)
    for language in ("zh", "en"):
        assert TOKEN not in str([server.answer({}, language), read.answer(language)])
    assert shown("api_token", desk.settings.api_token, "en") == "••••••••"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("keep_days", 0.0, "no limit"),
        ("keep_days", 2.5, "2.5 days"),
        ("keep_gb", 80.0, "80 GB"),
        ("cache_bytes", 4 << 30, "4 GB"),
        ("max_upload_mb", 2048, "2,048 MB"),
        ("max_minutes", 90, "1 h 30 min"),
        ("max_minutes", 0, "no limit"),
        ("stall_seconds", 60, "1 min 0 s"),
        ("workers", 0, "automatic: one per GPU, or one"),
        ("webhook_private", False, "no"),
        ("cors_origins", (), "not set"),
        ("cors_origins", ("https://a.example", "https://b.example"), "https://a.example, https://b.example"),
        ("syncnet", None, "not set"),
        ("port", 7860, "7860"),
    ],
)
def test_values_read_well(name: str, value: object, text: str) -> None:
    assert shown(name, value, "en") == text


def log_of(desk: Desk, *lines: str) -> LogView:
    desk.log.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    with gr.Blocks():
        return LogView(desk)


def test_the_log_shows_its_last_lines(desk: Desk) -> None:
    view = log_of(desk, *(f"2026-11-21 10:00:00 INFO    - line {n}" for n in range(LINES + 50)))
    lines = view.answer({}, "zh")["lines"]
    assert len(lines) == LINES and lines[-1]["text"] == f"line {LINES + 49}"


def test_the_log_is_filtered_by_words_and_by_job_beyond_what_is_shown(desk: Desk) -> None:
    early = ["2026-11-21 10:00:00 WARNING 7d96d1cfbe994061 Disk is nearly FULL", "2026-11-21 10:00:00 INFO    - disk"]
    view = log_of(desk, *early, *["2026-11-21 10:00:00 INFO    - noise"] * 2 * LINES)
    assert [line["job"] for line in view.answer({"text": "7d96d1cfbe994061"}, "en")["lines"]] == ["7d96d1cfbe994061"]
    assert [line["level"] for line in view.answer({"text": "full disk"}, "en")["lines"]] == ["WARNING"]
    assert len(view.answer({"text": "DISK"}, "en")["lines"]) == 2
    nothing = view.answer({"text": "no such word"}, "en")
    assert nothing["lines"] == [] and nothing["empty"] == "No line matches."


def test_no_log_and_nonsense_are_answered(desk: Desk) -> None:
    desk.log.unlink(missing_ok=True)
    with gr.Blocks():
        view = LogView(desk)
    assert view.answer({"text": {"a": 1}}, "zh")["lines"] == [] and view.answer({}, "zh")["empty"] == "日志是空的。"


def test_a_log_that_cannot_be_read_is_a_sentence(desk: Desk) -> None:
    view = log_of(desk)
    desk.log.unlink()
    desk.log.mkdir()
    assert "意料之外" in view.answer({}, "zh")["empty"]


def test_a_line_comes_apart_and_any_other_stays_whole() -> None:
    line = "2026-11-21 10:00:00 INFO    7d96d1cfbe994061 cut <b> & done"
    found = parts(line)
    assert (found["time"], found["level"], found["job"]) == ("10:00:00", "INFO", "7d96d1cfbe994061")
    assert found["text"] == "cut <b> & done" and parts("Traceback …") == {"text": "Traceback …"}
