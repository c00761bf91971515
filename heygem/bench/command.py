"""``heygem bench``: what is measured, and where it is written."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Check = Callable[[], None]


def register(commands: Any) -> None:
    """Adds the command to the subparsers of ``heygem``."""
    bench = commands.add_parser("bench", help="measure speed, memory and quality on this machine")
    bench.add_argument("--video", type=Path, metavar="FILE", help="default: a 20 s clip made on the spot")
    bench.add_argument("--audio", type=Path, metavar="FILE", help="default: a recording as long as the video")
    bench.add_argument(
        "--memory", action="store_true", help="compare the memory for 1, 10 and 30 minutes of sound instead"
    )
    bench.add_argument("--engine", metavar="NAME", help="the engine that is measured, with its installed weights")
    bench.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where speed is measured")
    bench.add_argument("--draft", action="store_true", help="the draft quality; the clip made on the spot is 1280x720")
    bench.add_argument(
        "--rounds", type=int, default=3, metavar="N", help="how often speed is measured (default: %(default)s)"
    )
    bench.add_argument("--queue", action="store_true", help="kills, a thousand jobs, a long batch, a long day instead")
    bench.add_argument("--quality", action="store_true", help="render a fixed suite and measure the results instead")
    bench.add_argument("--media", type=Path, metavar="FOLDER", help="clips for it; default: a few made on the spot")
    bench.add_argument(
        "--only", default="", metavar="NAME", help="cases, or measures of the queue, with NAME in their name"
    )
    bench.add_argument("--out", type=Path, metavar="FOLDER", help="keeps its results, figures and page of pictures")
    bench.add_argument("--against", type=Path, metavar="FILE", help="quality.json of an earlier run to compare with")
    bench.add_argument("--json", action="store_true", help="one JSON object on standard output")
    bench.add_argument("--save", action="store_true", help="append the table to benchmarks/RESULTS.md or QUALITY.md")
    bench.set_defaults(run=_run)


def _run(args: argparse.Namespace, check: Check) -> int:
    from heygem import bench
    from heygem.engines import DEFAULT

    if args.quality:
        return _quality(args, check)
    if args.queue:
        return _queue(args)
    if args.memory:
        found = bench.memory(args.video, args.engine or DEFAULT)
    else:
        rounds, engine = max(args.rounds, 1), args.engine or DEFAULT
        found = bench.speed(args.video, args.audio, args.draft, rounds, engine, args.device)
    print(json.dumps(found, ensure_ascii=False) if args.json else bench.table(found))
    if args.save:
        bench.save(found)
    return 0


def _quality(args: argparse.Namespace, check: Check) -> int:
    from tempfile import TemporaryDirectory

    from heygem.bench import quality, report

    before = report.earlier(args.against) if args.against else None
    with TemporaryDirectory() as folder:
        out = args.out or Path(folder)
        found = quality.quality(args.media, args.only, out, check)
        report.write(found, out)
    print(json.dumps(found, ensure_ascii=False) if args.json else report.table(found))
    if before:
        print("\n" + report.compare(found, before))
    if args.save:
        report.save(found)
    return 0


def _queue(args: argparse.Namespace) -> int:
    from heygem import bench
    from heygem.bench import queue

    found = queue.measure(args.only, lambda name: print(f"measuring: {name}", file=sys.stderr, flush=True))
    print(json.dumps(found, ensure_ascii=False) if args.json else bench.table(found))
    if args.save:
        bench.save(found)
    return 0
