"""``heygem engines``: which engines are ready, what the others lack, what their licences allow."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heygem.engines.cards import Card
    from heygem.errors import HeyGemError

Check = Callable[[], None]


def register(commands: Any) -> None:
    """Adds the command to the subparsers of ``heygem``."""
    parser = commands.add_parser("engines", help="which engines are ready, and what the others lack")
    parser.add_argument("--json", action="store_true", help="one JSON list on standard output")
    parser.set_defaults(run=_list)


def _list(args: argparse.Namespace, check: Check) -> int:
    from heygem import settings
    from heygem.engines.cards import cards

    found = cards(settings.load())
    if args.json:
        print(json.dumps([_plain(card) for card in found], ensure_ascii=False))
        return 0
    for card in found:
        print(f"{card.name:<14}{card.state:<9}{card.device}")
        print(f"{'':<14}commercial use: {card.licence.commercial}; {card.licence.reason}")
        for problem in card.problems:
            print(f"{'':<14}{problem.message}")
            for line in _steps(card, problem):
                print(f"{'':<14}→ {line}")
    return 0


def _steps(card: Card, problem: HeyGemError) -> list[str]:
    """What to do: commands, with the file that one of them needs, else the hint."""
    part = next((part for part in card.parts if part.problem is problem), None)
    if part is None or not part.commands:
        return [problem.hint]
    source = f"   (FILE: {part.row.files[0].name}, published at {part.row.page})"
    return [line + source * (" FILE " in line) for line in part.commands]


def _plain(card: Card) -> dict[str, Any]:
    return {
        "name": card.name,
        "title": card.title,
        "state": card.state,
        "device": card.device,
        "licence": vars(card.licence),
        "errors": [{"code": one.code, "message": one.message, "hint": one.hint} for one in card.problems],
        "commands": [line for part in card.parts if not part.row.optional for line in part.commands],
    }
