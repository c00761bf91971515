"""The job card: a job as a reader sees it. Shared by every tab."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import gradio as gr

from heygem.jobs.job import CANCELLED, FAILED, QUEUED, Job
from heygem.quality.score import reasons
from heygem.tick import STAGES
from ui.files import problem, url
from ui.words import because, duration, explain, say, warn

GOOD, FAIR = 80, 60
"""Scores from which a result is called that."""
_TEMPLATE = Path(__file__).with_name("card.html")


def job_card(**more: Any) -> gr.HTML:
    """The component; its value is what ``show`` or ``refuse`` returns. Names are escaped by the template."""
    return gr.HTML({}, html_template=_TEMPLATE.read_text("utf-8"), apply_default_css=False, **more)


def show(job: Job | None, ahead: int, language: str, log: str) -> dict[str, Any]:
    """The value for a job. ahead: jobs that come first."""
    if job is None:
        return {"state": "empty", "text": say("empty", language)}
    value = {"id": job.id, "state": job.state, "title": _title(job, ahead, language), "name": _name(job)}
    if job.busy:
        return {**value, **_progress(job, language)}
    if job.state == CANCELLED:
        return {**value, "text": say("cancelled_about", language)}
    if job.state == FAILED and job.error:
        message, hint = explain(job.error.code, {**job.error.details, "log": log, "job": job.id}, language)
        return {**value, "problem": message, "remedy": hint}
    return {**value, **_take(job, language)}


def refuse(error: Exception, language: str, log: str) -> dict[str, Any]:
    """The value for something that never became a job."""
    return {"state": FAILED, "title": say("state_failed", language), **problem(error, language, log)}


def _title(job: Job, ahead: int, language: str) -> str:
    if job.stopping:
        return say("state_stopping", language)
    if job.state == QUEUED:
        return say("state_queued", language, ahead=ahead) if ahead else say("state_next", language)
    return say(f"state_{job.state}", language)


def _name(job: Job) -> str:
    return f"{job.request.video.name} + {job.request.audio.name}"


def _progress(job: Job, language: str) -> dict[str, Any]:
    """Stages, and the numbers of the current one: only what was measured."""
    now = STAGES.index(job.stage) if job.stage in STAGES else -1
    steps = [
        {"name": say(f"stage_{stage}", language), "state": "done" if i < now else "now" if i == now else "todo"}
        for i, stage in enumerate(STAGES)
    ]
    numbers = []
    if job.total > 1:
        numbers.append(say("frames", language, done=job.done, total=job.total))
    if job.fps is not None and job.seconds_left is not None:
        numbers += [
            say("fps", language, n=f"{job.fps:.1f}"),
            say("left", language, time=duration(job.seconds_left, language)),
        ]
    elapsed = duration(time.time() - job.started, language) if job.started else ""
    return {
        "steps": steps,
        "percent": round(100 * job.done / job.total) if job.total else 0,
        "numbers": numbers,
        "time": say("elapsed", language, time=elapsed) if elapsed else "",
    }


def _take(job: Job, language: str) -> dict[str, Any]:
    take = job.take
    assert take is not None and job.started and job.ended
    return {
        "time": say("took", language, time=duration(job.ended - job.started, language)),
        "url": url(take.path),
        "file": take.path.name,
        "download": say("download", language),
        "facts": [
            f"{take.width} × {take.height}",
            duration(take.seconds, language),
            say("fps", language, n=f"{float(take.fps):.5g}"),
            say("fact_frames", language, n=take.frames),
            take.engine,
            take.device,
        ],
        "stages": [
            {"name": say(f"stage_{stage}", language), "time": duration(seconds, language)}
            for stage, seconds in take.stages.items()
        ],
        "warnings": [warn(warning, language) for warning in take.warnings],
        **_score(take.quality, language),
    }


def _score(quality: dict[str, Any], language: str) -> dict[str, Any]:
    """The score, how good that is, and what took most of it; nothing for a take without one."""
    score = quality.get("score")
    if score is None:
        return {}
    return {
        "score": say("score", language, n=score),
        "level": "good" if score >= GOOD else "fair" if score >= FAIR else "poor",
        "reasons": [because(part, quality, language) for part in reasons(quality)],
    }
