"""``heygem weights list | add FILE | verify [NAME] | remove NAME | download NAME``: weights of engines and effects."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heygem.commands import quiet_settings
from heygem.errors import HeyGemError, OptionInvalid

if TYPE_CHECKING:
    from heygem.settings import Settings
    from heygem.weights.store import Installed, WeightStore
    from heygem.weights.table import Weights

Check = Callable[[], None]
_MIB = 1 << 20


def register(commands: Any) -> None:
    """Adds the group to the subparsers of ``heygem``."""
    group = commands.add_parser(
        "weights", help="weights of engines: look, add, verify, remove, download"
    ).add_subparsers(metavar="ACTION", required=True)
    _add_action(group, "list", _list, "all that HeyGem knows: what is installed, licences, where they come from")
    add = _add_action(group, "add", _add, "takes a file of yours: .pth, .pt, .bin, .ckpt, .safetensors")
    add.add_argument("file", type=Path, metavar="FILE")
    add.add_argument("--name", help="which weights these are; default: as they are recognised")
    _add_rights(add)
    verify = _add_action(group, "verify", _verify, "reads installed weights and compares their checksums")
    verify.add_argument("name", metavar="NAME", nargs="?", help="default: all that are installed")
    remove = _add_action(group, "remove", _remove, "takes installed weights away")
    remove.add_argument("name", metavar="NAME")
    download = _add_action(group, "download", _download, "shows the licence, asks, fetches and installs")
    download.add_argument("name", metavar="NAME")
    download.add_argument("--yes", action="store_true", help="the licence was read and is accepted; for scripts")
    _add_rights(download)


def _add_action(group: Any, name: str, run: Callable[..., int], text: str) -> argparse.ArgumentParser:
    parser = group.add_parser(name, help=text)
    parser.add_argument("--json", action="store_true", help="JSON on standard output")
    parser.set_defaults(run=run)
    return parser


def _add_rights(parser: argparse.ArgumentParser) -> None:
    text = "you have the right to use these weights, where their licence is unclear"
    parser.add_argument("--i-have-rights", action="store_true", help=text)


def _list(args: argparse.Namespace, check: Check) -> int:
    from heygem.weights.table import TABLE

    store = _store(quiet_settings())
    rows = [_row(row, store) for row in TABLE.values()]
    if args.json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    for row in rows:
        size = f", {row['size'] / _MIB:.0f} MiB" if row["size"] else ""
        print(f"{row['name']:<13} {row['state']}{size}  ({', '.join([*row['engines'], *row['effects']])})")
        print(f"{'':<13} commercial use: {row['commercial']}; {row['reason']}")
        print(f"{'':<13} licence of the code: {row['code']}")
        print(f"{'':<13} licence of the weights: {row['licence']}")
        print(f"{'':<13} {row['page']}")
    return 0


def _row(row: Weights, store: WeightStore) -> dict[str, Any]:
    """size: of what is installed, else of the published file, where that is known."""
    try:
        found, state = store.find(row.name), "not installed"
    except HeyGemError:
        found, state = None, "damaged"
    return {
        "name": row.name,
        "network": row.network,
        "engines": row.engines,
        "effects": row.effects,
        "optional": row.optional,
        "state": "installed" if found else state,
        "size": found.facts.size if found else row.files[0].size,
        "code": row.code,
        "licence": row.licence,
        "commercial": row.commercial,
        "reason": row.reason,
        "rights": bool(found and found.facts.rights),
        "page": row.page,
    }


def _add(args: argparse.Namespace, check: Check) -> int:
    from heygem.weights.licence import lines
    from heygem.weights.table import row

    found = _store(quiet_settings()).add(args.file, args.name, args.i_have_rights, beat=check)
    print("\n".join(lines(row(found.name))), file=sys.stderr)
    _show(found, args.json)
    return 0


def _verify(args: argparse.Namespace, check: Check) -> int:
    from heygem.weights.table import TABLE

    store, states = _store(quiet_settings()), {}
    for name in [args.name] if args.name else TABLE:
        try:
            if args.name or store.find(name):
                store.verify(name, check)
                states[name] = "ok"
        except HeyGemError as error:
            if error.code != "weights.damaged":
                raise
            states[name] = "damaged"
            print(f"{error.message} {error.hint}", file=sys.stderr)
    print(json.dumps(states) if args.json else "\n".join(f"{name}: {state}" for name, state in states.items()))
    return int("damaged" in states.values())


def _remove(args: argparse.Namespace, check: Check) -> int:
    _store(quiet_settings()).remove(args.name)
    print(json.dumps({"removed": args.name}) if args.json else f"{args.name} removed")
    return 0


def _download(args: argparse.Namespace, check: Check) -> int:
    from heygem.progress import shown
    from heygem.weights import download
    from heygem.weights.licence import allow, lines

    settings = quiet_settings()
    source = download.source(args.name, settings)
    allow(source.row, args.i_have_rights, settings)
    size = f", {source.file.size / _MIB:.0f} MiB" if source.file.size else ""
    print("\n".join([*lines(source.row), f"from: {source.url}{size}"]), file=sys.stderr)
    if not args.yes and not _agreed():
        print("nothing was downloaded", file=sys.stderr)
        return 1
    with shown(check) as tick:
        found = download.download(
            args.name,
            settings,
            accepted=True,
            rights=args.i_have_rights,
            tell=lambda done, total: tick("download", done // _MIB, max(total, done) // _MIB),
        )
    _show(found, args.json)
    return 0


def _agreed() -> bool:
    """An answer on the terminal; a script has to say --yes."""
    if not sys.stdin.isatty():
        raise OptionInvalid(option="--yes", value="left out here", allowed="--yes, once the licence above was read")
    print("Download these weights under this licence? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _show(found: Installed, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print(json.dumps({"name": found.name, **asdict(found.facts)}, ensure_ascii=False))
    else:
        print(f"{found.name} installed from {found.facts.original}, {found.facts.size / _MIB:.0f} MiB")


def _store(settings: Settings) -> WeightStore:
    from heygem.weights.store import WeightStore

    return WeightStore(settings.weights)
