"""``heygem jobs list | show | cancel | retry | pause | resume | prune``: the list of jobs that the page works on.

They read and write the same store as a running page, which sees it within half a second.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from heygem.commands import quiet_settings
from heygem.errors import HeyGemError, OptionInvalid

if TYPE_CHECKING:
    from heygem.jobs.job import Job
    from heygem.jobs.queue import Queue

Check = Callable[[], None]


def register(commands: Any) -> None:
    """Adds the group to the subparsers of ``heygem``."""
    group = commands.add_parser("jobs", help="the jobs of the page: look, stop, try again, tidy up").add_subparsers(
        metavar="ACTION", required=True
    )
    listed = group.add_parser("list", help="the newest jobs, one a line")
    listed.add_argument("--state", action="append", default=[], help="queued, running, done, failed or cancelled")
    listed.add_argument("--text", default="", metavar="WORDS", help="only jobs whose name contains them")
    listed.add_argument("--limit", type=int, default=20, metavar="N", help="how many (20)")
    listed.add_argument("--json", action="store_true", help="one JSON list on standard output")
    listed.set_defaults(run=_list)
    show = group.add_parser("show", help="everything about one job")
    show.add_argument("job", metavar="ID")
    show.add_argument("--json", action="store_true", help="one JSON object on standard output")
    show.set_defaults(run=_show)
    for name, run, about in (
        ("cancel", _cancel, "stop jobs that wait or run"),
        ("retry", _retry, "let failed or cancelled jobs wait again"),
    ):
        some = group.add_parser(name, help=about)
        some.add_argument("job", metavar="ID", nargs="+")
        some.set_defaults(run=run)
    group.add_parser("pause", help="no further job begins").set_defaults(run=_pause)
    group.add_parser("resume", help="jobs begin again").set_defaults(run=_resume)
    prune = group.add_parser("prune", help="remove now what the settings HEYGEM_KEEP_… no longer keep")
    prune.set_defaults(run=_prune)


def _list(args: argparse.Namespace, check: Check) -> int:
    from heygem.jobs.job import STATES
    from heygem.jobs.store import Filter

    check_states(args.state, STATES)
    jobs, total = open_queue().find(Filter(args.text, args.state, limit=args.limit))
    if args.json:
        print(json.dumps([_plain(job) for job in jobs], ensure_ascii=False))
        return 0
    for job in jobs:
        print(f"{job.id}  {job.state:<9}  {_when(job.created)}  {job.name}{_progress(job)}")
    if total > len(jobs):
        print(f"{total - len(jobs)} more; see --limit", file=sys.stderr)
    return 0


def _show(args: argparse.Namespace, check: Check) -> int:
    job = open_queue().need(args.job)
    plain = _plain(job)
    if args.json:
        print(json.dumps(plain, ensure_ascii=False))
        return 0
    for name, value in plain.items():
        if value not in (None, "", {}, False):
            print(f"{name:<14} {value}")
    return 0


def _cancel(args: argparse.Namespace, check: Check) -> int:
    queue = open_queue()
    return each(args.job, lambda job: "stopped" if queue.cancel(queue.need(job).id) else "had ended already")


def _retry(args: argparse.Namespace, check: Check) -> int:
    queue = open_queue()
    return each(args.job, lambda job: "waits again" if queue.retry(job) else "")


def _pause(args: argparse.Namespace, check: Check) -> int:
    open_queue().pause()
    print("paused; running jobs go on, no further one begins")
    return 0


def _resume(args: argparse.Namespace, check: Check) -> int:
    open_queue().resume()
    print("jobs begin again")
    return 0


def _prune(args: argparse.Namespace, check: Check) -> int:
    from heygem import settings
    from heygem.jobs.retention import caches_of, policy_of, prune

    config = settings.load()
    pruned = prune(open_queue(), policy_of(config), caches_of(config))
    print(
        f"removed {pruned.jobs} jobs, the inputs of {pruned.inputs}, {pruned.strays} stray folders and "
        f"{pruned.cached} analyses; {pruned.bytes / 1e6:.1f} MB of results are free again"
    )
    return 0


def each(jobs: list[str], act: Callable[[str], str]) -> int:
    """Every job, also where one of them fails. The exit code."""
    failed = 0
    for job in jobs:
        try:
            print(f"{job} {act(job)}")
        except HeyGemError as error:
            failed = 1
            print(f"error: {error.message} [{error.code}]\nhint: {error.hint}", file=sys.stderr)
    return failed


def check_states(asked: Sequence[str], known: Sequence[str]) -> None:
    """Raises OptionInvalid for one that is unknown."""
    if unknown := [state for state in asked if state not in known]:
        raise OptionInvalid(option="state", value=unknown[0], allowed=", ".join(known))


def open_queue() -> Queue:
    """The list of jobs; from now on nothing of ours goes to the log. Raises StoreBusy, StoreUnusable."""
    from heygem.jobs.queue import Queue
    from heygem.jobs.store import Store

    config = quiet_settings()
    return Queue(Store(config.store, config.outputs), config.min_free_mb << 20)


def _plain(job: Job) -> dict[str, Any]:
    """Plain values for people and JSON."""
    return {
        "id": job.id,
        "state": "stopping" if job.stopping else job.state,
        "name": job.name,
        "batch": job.batch,
        "folder": str(job.folder),
        "created": _when(job.created),
        "started": _when(job.started),
        "ended": _when(job.ended),
        "stage": job.stage,
        "done": job.done,
        "total": job.total,
        "attempts": job.attempts,
        "interruptions": job.interruptions,
        "pinned": job.pinned,
        "error": {"code": job.error.code, "message": job.error.message, "hint": job.error.hint} if job.error else None,
        "result": str(job.take.path) if job.take else None,
        "score": job.take.quality.get("score") if job.take else None,
    }


def _progress(job: Job) -> str:
    if job.state == "running" and job.total:
        return f"  {job.stage} {job.done}/{job.total}"
    return f"  {job.error.message}" if job.error and job.state == "failed" else ""


def _when(seconds: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) if seconds else ""
