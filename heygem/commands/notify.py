"""``heygem notify list | test [CHANNEL …]``: where the ends of jobs are announced."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from heygem.errors import HeyGemError


def register(commands: Any) -> None:
    """Adds the group to the subparsers of ``heygem``."""
    group = commands.add_parser("notify", help="who is told when jobs end: look, send a test").add_subparsers(
        metavar="ACTION", required=True
    )
    group.add_parser("list", help="all channels, where they lead, and what they have sent").set_defaults(run=_list)
    test = group.add_parser("test", help="send a test message")
    test.add_argument("channel", metavar="CHANNEL", nargs="*", help="its name in the list; default: all that are set")
    test.set_defaults(run=_test)


def _list(args: argparse.Namespace, check: Callable[[], None]) -> int:
    from heygem import settings
    from heygem.jobs.notices import Notices
    from heygem.jobs.store import Store
    from heygem.notify import CHANNELS

    config = settings.load()
    notices = Notices(Store(config.store, config.outputs)) if config.store.is_file() else None
    for name, kind in CHANNELS.items():
        try:
            channel = kind.open(config)
            where = channel.target if channel else "not set"
        except HeyGemError as error:
            where = f"set wrongly: {error.message} {error.hint}"
        counts = notices.counts(name) if notices else {}
        numbers = ", ".join(f"{n} {state}" for state, n in counts.items())
        print(f"{name:<9} {where}{f'  ({numbers})' if numbers else ''}")
        if notices and (problem := notices.last_error(name)):
            print(f"{'':<9} {problem}")
    if config.notify_on == "off":
        print("HEYGEM_NOTIFY_ON is off: nothing is sent.", file=sys.stderr)
    return 0


def _test(args: argparse.Namespace, check: Callable[[], None]) -> int:
    from heygem import settings
    from heygem.notify import open_channels, send_test

    config = settings.load()
    names = args.channel or [channel.name for channel in open_channels(config)]
    if not names:
        print("No channel is set; docs/notify.md says how.", file=sys.stderr)
        return 1
    failed = 0
    for name in names:
        check()
        outcome = send_test(config, name)
        if isinstance(outcome, HeyGemError):
            failed += 1
            print(f"{name}: {outcome.message} {outcome.hint}", file=sys.stderr)
        else:
            print(f"{name}: sent to {outcome}")
    return 1 if failed else 0
