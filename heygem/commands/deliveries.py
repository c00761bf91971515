"""``heygem deliveries list | retry | revoke``: results on their way to the storage.

They read and write the same store as a running page, which sees it within a second and does the work.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from heygem.commands.jobs import check_states, each, open_queue

if TYPE_CHECKING:
    from heygem.jobs.job import Delivery
    from heygem.jobs.queue import Queue
    from storage.sharing import Sharing

Check = Callable[[], None]


def register(commands: Any) -> None:
    """Adds the group to the subparsers of ``heygem``."""
    group = commands.add_parser("deliveries", help="results on their way to the storage").add_subparsers(
        metavar="ACTION", required=True
    )
    listed = group.add_parser("list", help="the newest ones, one a line")
    listed.add_argument("--state", action="append", default=[], help="pending, uploading, delivered, failed or revoked")
    listed.add_argument("--limit", type=int, default=20, metavar="N", help="how many (20)")
    listed.add_argument("--json", action="store_true", help="one JSON list on standard output")
    listed.set_defaults(run=_list)
    retry = group.add_parser("retry", help="send results now: failed ones, waiting ones, ones never sent")
    retry.add_argument("job", metavar="ID", nargs="*", help="default: all that failed")
    retry.set_defaults(run=_retry)
    revoke = group.add_parser("revoke", help="delete results from the storage, which ends all links to them")
    revoke.add_argument("job", metavar="ID", nargs="+")
    revoke.set_defaults(run=_revoke)


def _list(args: argparse.Namespace, check: Check) -> int:
    from heygem.jobs.deliveries import Deliveries
    from heygem.jobs.job import DELIVERY_STATES

    check_states(args.state, DELIVERY_STATES)
    found = Deliveries(open_queue().store).find(args.state, args.limit)
    if args.json:
        print(json.dumps([_plain(one) for one in found], ensure_ascii=False))
        return 0
    for one in found:
        print(f"{one.job}  {one.state:<9}  {one.size / 1e6:8.1f} MB  {one.name}{_more(one)}")
    return 0


def _retry(args: argparse.Namespace, check: Check) -> int:
    from heygem.jobs.deliveries import Deliveries
    from heygem.jobs.job import UNDELIVERED

    queue = open_queue()
    jobs = args.job or [one.job for one in Deliveries(queue.store).find([UNDELIVERED], -1)]
    return each(jobs, lambda job: _sharing(queue).deliver(job).state)


def _revoke(args: argparse.Namespace, check: Check) -> int:
    queue = open_queue()

    def revoke(job: str) -> str:
        sharing = _sharing(queue)
        if sharing.delivery_of(job) is None:
            queue.need(job)
        sharing.revoke(job)
        return "revoked"

    return each(args.job, revoke)


def _sharing(queue: Queue) -> Sharing:
    from heygem import settings
    from storage.sharing import Sharing

    return Sharing(queue, settings.load())


def _plain(one: Delivery) -> dict[str, Any]:
    same = ("job", "name", "state", "storage", "key", "size", "sent", "tries", "made", "ended", "next")
    error = {"code": one.error.code, "message": one.error.message, "hint": one.error.hint} if one.error else None
    return {**{name: getattr(one, name) for name in same}, "error": error}


def _more(one: Delivery) -> str:
    if one.state == "uploading" and one.size:
        return f"  {100 * one.sent / one.size:.0f} %"
    again = f"  next try {time.strftime('%H:%M:%S', time.localtime(one.next))}" if one.next else ""
    return f"  {one.error.message}{again}" if one.error else ""
