"""The job card says what is known and nothing else."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from heygem.errors import HeyGemError, NoFace, WorkerDied
from heygem.jobs.job import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Failure, Job, Request
from heygem.pipeline import Options, Take
from heygem.quality.score import judge
from ui.card import show
from ui.files import problem

JOB = Job("42", Request(Path("/o/video/person.mp4"), Path("/o/audio/voice.wav"), Options()), Path("/o"))
RUN = replace(
    JOB, state=RUNNING, started=time.time() - 12, stage="render", done=50, total=200, fps=20.0, seconds_left=7.5
)


def test_no_job_is_an_invitation() -> None:
    assert show(None, 0, "zh", "log")["text"].startswith("选好声音和视频")


def test_a_queued_job_says_how_many_come_first() -> None:
    assert show(JOB, 2, "zh", "log")["title"] == "排队中，前面还有 2 个任务"
    assert show(JOB, 0, "en", "log")["title"] == "Waiting, next in line"


@pytest.mark.parametrize(("held", "word"), [("paused", "暂停"), ("disk", "磁盘")])
def test_a_queue_that_stands_still_says_why(held: str, word: str) -> None:
    assert word in show(JOB, 2, "zh", "log", held)["title"]
    assert show(RUN, 2, "zh", "log", held)["title"] == "正在生成"


def test_a_job_that_waits_for_its_next_attempt_says_when_and_why() -> None:
    waiting = replace(JOB, error=Failure.of(WorkerDied(reason="SIGKILL")), not_before=time.time() + 29.8, attempts=1)
    zh, en = show(waiting, 3, "zh", "log"), show(waiting, 3, "en", "log", "paused")
    assert zh["title"] == "刚才没有成功，30 秒后自动再试" and "处理进程意外退出" in zh["note"]
    assert en["title"] == "It did not work; the next attempt begins in 30 s" and "again" not in en
    over = replace(waiting, not_before=time.time() - 1)
    assert show(over, 0, "zh", "log")["title"] == "排队中，马上开始" and show(over, 0, "zh", "log")["note"]


def test_a_running_job_shows_measured_numbers() -> None:
    value = show(replace(RUN, started=time.time() - 12), 0, "en", "log")
    assert value["percent"] == 25
    assert value["numbers"] == ["frame 50 of 200", "20.0 fps", "about 7.5 s left in this step"]
    assert value["time"] == "12 s so far"
    assert [step["state"] for step in value["steps"]] == ["done", "done", "done", "now", "todo"]


def test_what_is_not_known_is_not_said() -> None:
    value = show(replace(RUN, fps=None, seconds_left=None), 0, "zh", "log")
    assert value["numbers"] == ["第 50 / 200 帧"]
    listening = show(replace(RUN, stage="listen", done=0, total=1, fps=None, seconds_left=None), 0, "zh", "log")
    assert listening["numbers"] == [] and listening["percent"] == 0


def test_a_job_that_is_being_stopped_says_so() -> None:
    assert show(replace(RUN, stopping=True), 0, "zh", "log")["title"] == "正在停止……"


def test_a_failure_is_a_sentence_with_a_remedy_in_the_readers_language() -> None:
    failed = replace(JOB, state=FAILED, error=Failure.of(NoFace(name="dog.png", frames=1)))
    zh, en = (show(failed, 0, language, "log") for language in ("zh", "en"))
    assert zh["problem"] == "在“dog.png”里没有找到可用的人脸（看了 1 帧）。" and "人脸端正" in zh["remedy"]
    assert en["problem"].startswith("No usable face was found in “dog.png”") and en["remedy"]


def test_a_bug_names_the_log_and_the_job() -> None:
    failed = replace(JOB, state=FAILED, error=Failure.of(HeyGemError(reason="ZeroDivisionError")))
    assert "运行实时日志.log" in show(failed, 0, "zh", "运行实时日志.log")["remedy"]
    assert "42" in show(failed, 0, "en", "运行实时日志.log")["remedy"]
    refused = problem(ZeroDivisionError("secret"), "en", "x.log")
    assert "x.log" in refused["remedy"] and "secret" not in str(refused)


def test_a_cancelled_job_says_so_and_can_be_tried_again() -> None:
    value = show(replace(JOB, state=CANCELLED), 0, "zh", "log")
    assert value["title"] == "已取消" and "可以随时重试" in value["text"] and value["again"] == "重试"


def take(quality: dict[str, Any]) -> Take:
    return Take(
        path=Path("/o/测试 a&b_voice.mp4"),
        frames=200,
        fps=Fraction(30000, 1001),
        seconds=6.67,
        width=640,
        height=480,
        engine="mesh 1",
        device="CPU",
        stages={"render": 5.0},
        quality=quality,
        warnings=["3 of 200 frames show no usable face and were left as they are"],
    )


def done(quality: dict[str, Any], language: str = "zh") -> dict[str, Any]:
    return show(replace(JOB, state=DONE, started=100.0, ended=108.0, take=take(quality)), 0, language, "log")


def test_a_take_shows_file_facts_and_warnings() -> None:
    value = done({})
    assert value["file"] == "测试 a&b_voice.mp4"
    assert value["url"] == "api/v1/jobs/42/result"
    assert value["time"] == "用时 8.0 秒"
    assert "29.97 帧/秒" in value["facts"] and "640 × 480" in value["facts"]
    assert value["stages"] == [{"name": "生成画面", "time": "5.0 秒"}]
    assert value["warnings"] == ["有 3 / 200 帧看不到可用的脸，这些画面保持原样。"]
    assert JOB.state == QUEUED


def test_a_good_take_shows_its_score_and_no_reason() -> None:
    value = done(judge({"covered": 1.0, "width": 300.0}))
    assert (value["score"], value["level"], value["reasons"]) == ("质量 100 / 100（估计）", "good", [])


def test_a_poor_take_says_why_and_what_to_do_in_both_languages() -> None:
    quality = judge({"covered": 1.0, "width": 60.0, "turn": 40.0, "clarity": 20.0, "sharpness": 0.89})
    zh, en = done(quality), done(quality, "en")
    assert zh["score"].startswith("质量 43 / 100") and en["score"].startswith("Quality 43 / 100")
    assert zh["level"] == en["level"] == "poor" and len(zh["reasons"]) == len(en["reasons"]) == 3
    assert zh["reasons"][1] == "脸太小（约 60 像素宽）：请用更近的镜头，或尺寸更大的原始视频。"
    assert en["reasons"][0] == "The head is turned away by 40° on average: let the person look into the camera."


def test_a_take_of_an_older_version_has_no_score() -> None:
    assert "score" not in done({"covered": 1.0, "speaking": 0.9})
