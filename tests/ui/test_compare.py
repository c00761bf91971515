"""What the window of a comparison is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from heygem.jobs import comparison
from heygem.jobs.fleet import InlineFleet
from heygem.jobs.job import Job
from heygem.jobs.queue import Queue
from heygem.settings import load
from tests.jobs.made import queue_in, request, take_of
from ui import compare
from ui.compare import MOST, Compare
from ui.desk import Desk


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    queue = queue_in(tmp_path)
    yield queue
    queue.store.close()


@pytest.fixture
def window(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Compare:
    monkeypatch.setattr(compare, "live", lambda *_, **__: None)
    preflight: Any = None  # nothing is chosen in these tests
    return Compare(Desk(queue, InlineFleet(queue), preflight, load(outputs=queue.outputs), Path("the.log")))


def done(queue: Queue, folder: Path, video: str) -> Job:
    job = queue.submit(request(folder, video))
    claimed = queue.store.claim("w")
    assert claimed and queue.finish(claimed, "w", take_of(job))
    return queue.need(job.id)


def test_films_in_the_order_of_choosing(window: Compare, queue: Queue, tmp_path: Path) -> None:
    first, second = done(queue, tmp_path, "b.mp4"), done(queue, tmp_path, "${a}.mp4")
    shown = window.answer({"jobs": [first.id, second.id]}, "en")
    assert [film["url"] for film in shown["films"]] == [f"api/v1/jobs/{job.id}/result" for job in (first, second)]
    assert shown["films"][0] | {"name": "b_voice", "score": "Quality 87", "level": "good"} == shown["films"][0]
    assert shown["ready"] and "problem" not in shown and "${" not in str(shown)
    assert window.answer({"jobs": [first.id]}, "zh")["words"]["compare"] == "并排对比"


def test_what_is_too_long_plays_but_is_not_made_into_one(
    window: Compare, queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [done(queue, tmp_path, f"{n}.mp4").id for n in "ab"]
    monkeypatch.setattr(comparison, "MOST_SECONDS", 3)
    shown = window.answer({"jobs": jobs}, "zh")
    assert len(shown["films"]) == 2 and "ready" not in shown and "一共 0.1 分钟" in shown["problem"]


def test_what_cannot_be_shown_is_a_sentence(window: Compare, queue: Queue, tmp_path: Path) -> None:
    ended = done(queue, tmp_path, "a.mp4")
    waiting = queue.submit(request(tmp_path, "w.mp4"))
    for other, words in ((waiting.id, "“queued”"), ("none", "没有编号")):
        shown = window.answer({"jobs": [ended.id, other]}, "zh")
        assert shown["films"] == [] and "ready" not in shown and words in shown["problem"] and shown["remedy"]


@pytest.mark.parametrize("question", [{}, {"jobs": None}, {"jobs": "abc"}, {"jobs": [{}, 7]}, {"jobs": ["x"] * 10**5}])
def test_nothing_in_a_question_is_trusted(window: Compare, question: dict[str, Any]) -> None:
    assert window.answer(question, "en")["films"] == []


def test_no_more_than_fit(window: Compare, queue: Queue, tmp_path: Path) -> None:
    job = done(queue, tmp_path, "a.mp4").id
    assert len(window.answer({"jobs": [job] * 9}, "en")["films"]) == MOST
