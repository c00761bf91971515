"""A job as a reader sees it: the card of the tab 单个处理, and the words that the rows of other tabs share with it."""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from heygem.jobs.job import CANCELLED, DONE, QUEUED, Job
from heygem.quality.score import reasons
from heygem.tick import COUNTED, STAGES
from ui.delivery import playable, sharing
from ui.template import template
from ui.words import because, duration, explain, quoted, say, warn

GOOD, FAIR = 80, 60
"""Scores from which a result is called that."""


def job_card(**more: Any) -> gr.HTML:
    """The component; its value is what ``show`` returns. Its event ``act`` asks for another attempt."""
    return template("card", {}, "act", **more)


def show(job: Job | None, ahead: int, language: str, log: str, held: str | None = None) -> dict[str, Any]:
    """The value for a job. ahead: jobs that come first. held: why the whole queue stands still, as ``Queue.held``."""
    if job is None:
        return {"state": "empty", "text": say("empty", language)}
    name = f"{job.request.video.name} + {job.request.audio.name}"
    value = {"id": job.id, "state": job.state, "title": title(job, ahead, language, held), "name": name}
    if job.busy:
        return {**value, **_progress(job, language), **_before(job, language, log)}
    if job.state == DONE:
        return {**value, **_take(job, language), **sharing(job, language, log)}
    about = say("cancelled_about", language) if job.state == CANCELLED else ""
    return {**value, "text": about, **failure(job, language, log), "again": say("try_again", language)}


def title(job: Job, ahead: int, language: str, held: str | None = None) -> str:
    """The state of a job in a few words."""
    if job.stopping:
        return say("state_stopping", language)
    if job.state != QUEUED:
        return say(f"state_{job.state}", language)
    if (wait := seconds_to_wait(job)) > 0:
        return say("state_again", language, time=duration(wait, language))
    if held:
        return say(f"held_{held}", language)
    return say("state_queued", language, ahead=ahead) if ahead else say("state_next", language)


def numbers(job: Job, language: str) -> list[str]:
    """What was measured of the current stage, and nothing else."""
    found = [say("frames", language, done=job.done, total=job.total)] if job.total > 1 else []
    if job.fps is not None and job.seconds_left is not None:
        left = say("left", language, time=duration(job.seconds_left, language))
        found += [say("fps", language, n=f"{job.fps:.1f}"), left]
    return found


def percent(job: Job) -> int:
    """How much of the current stage is done; 0 in stages that count no frames."""
    return round(100 * job.done / job.total) if job.stage in COUNTED and job.total else 0


def failure(job: Job, language: str, log: str) -> dict[str, str]:
    """The error of the last failed attempt in two sentences; nothing where there was none."""
    if job.error is None:
        return {}
    message, hint = explain(job.error.code, {**job.error.details, "log": log, "job": job.id}, language)
    return {"problem": message, "remedy": hint}


def seconds_to_wait(job: Job) -> float:
    """Until the next attempt of a job that failed and waits for it; 0 for any other."""
    if job.state != QUEUED or job.not_before is None or job.error is None:
        return 0.0
    return max(job.not_before - time.time(), 0.0)


def result_url(job: Job) -> str:
    """Relative, so that it also works behind a proxy's sub-path."""
    return f"api/v1/jobs/{job.id}/result"


def _before(job: Job, language: str, log: str) -> dict[str, str]:
    """Why an earlier attempt failed, while a further one waits or runs."""
    failed = failure(job, language, log)
    return {"note": say("earlier", language, problem=failed["problem"])} if failed else {}


def _progress(job: Job, language: str) -> dict[str, Any]:
    """Stages, and the numbers of the current one."""
    now = STAGES.index(job.stage) if job.stage in STAGES else -1
    steps = [
        {"name": say(f"stage_{stage}", language), "state": "done" if i < now else "now" if i == now else "todo"}
        for i, stage in enumerate(STAGES)
    ]
    elapsed = duration(max(time.time() - job.started, 0), language) if job.started and job.state != QUEUED else ""
    return {
        "steps": steps,
        "percent": percent(job),
        "numbers": numbers(job, language),
        "time": say("elapsed", language, time=elapsed) if elapsed else "",
    }


def _take(job: Job, language: str) -> dict[str, Any]:
    take = job.take
    assert take is not None and job.started and job.ended
    return {
        "time": say("took", language, time=duration(job.ended - job.started, language)),
        "url": result_url(job) if playable(job) else "",
        "file": take.path.name,
        "download": say("download", language),
        "facts": [
            f"{take.width} × {take.height}",
            duration(take.seconds, language),
            say("fps", language, n=f"{float(take.fps):.5g}"),
            say("fact_frames", language, n=take.frames),
            take.engine,
            *(
                say(f"done_{part}", language, place=quoted(place, language))
                for part, place in (take.devices or {"engine": take.device}).items()
            ),
        ],
        "stages": [
            {"name": say(f"stage_{stage}", language), "time": duration(seconds, language)}
            for stage, seconds in take.stages.items()
        ],
        "warnings": [warn(warning, language) for warning in take.warnings],
        **grade(take.quality, language),
        "reasons": [because(part, take.quality, language) for part in reasons(take.quality)],
    }


def grade(quality: dict[str, Any], language: str, key: str = "score") -> dict[str, str]:
    """The score in words and how good that is; nothing for a take without one."""
    score = quality.get("score")
    if score is None:
        return {}
    level = "good" if score >= GOOD else "fair" if score >= FAIR else "poor"
    return {"score": say(key, language, n=score), "level": level}
