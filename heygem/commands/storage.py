"""``heygem storage check | setup | sweep | put FILE | link KEY | delete KEY``: where results are shared from."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heygem.commands import quiet_settings
from heygem.errors import FileMissing, OptionInvalid

if TYPE_CHECKING:
    from heygem.settings import Settings
    from storage import Link, Storage
    from storage.s3 import S3

Check = Callable[[], None]


def register(commands: Any) -> None:
    """Adds the group to the subparsers of ``heygem``."""
    group = commands.add_parser("storage", help="cloud storage: try it, set it up, put, link, delete").add_subparsers(
        metavar="ACTION", required=True
    )
    checked = group.add_parser("check", help="tries every right that is needed, and says what to change")
    checked.add_argument("--json", action="store_true", help="one JSON list on standard output")
    checked.set_defaults(run=_check)
    group.add_parser("setup", help="once for each bucket: results leave by themselves").set_defaults(run=_setup)
    sweep = group.add_parser("sweep", help="gives up uploads that are dead")
    sweep.add_argument("--older", type=float, metavar="DAYS", help="also removes results that lie there for longer")
    sweep.set_defaults(run=_sweep)
    put = group.add_parser("put", help="uploads a file and prints its key and a link; goes on after an interruption")
    put.add_argument("file", type=Path, metavar="FILE")
    put.add_argument("--key", help="where to; default: a place that nobody can guess, the same for the same file")
    _add_link_options(put)
    put.set_defaults(run=_put)
    link = group.add_parser("link", help="prints a new link")
    link.add_argument("key", metavar="KEY")
    _add_link_options(link)
    link.set_defaults(run=_link)
    delete = group.add_parser("delete", help="removes an object; every link to it ends")
    delete.add_argument("key", metavar="KEY")
    delete.set_defaults(run=_delete)


def _add_link_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", help="what the download is called; default: the name of the file")
    parser.add_argument("--seconds", type=int, metavar="N", help="how long it works; default: HEYGEM_LINK_SECONDS")


def _check(args: argparse.Namespace, check: Check) -> int:
    from heygem.finding import report

    return report(_storage().check(), as_json=args.json)


def _setup(args: argparse.Namespace, check: Check) -> int:
    from heygem.finding import report
    from storage.lifecycle import setup

    return report(setup(_s3()))


def _sweep(args: argparse.Namespace, check: Check) -> int:
    from storage.lifecycle import remove_old

    if args.older is None:
        given_up = _storage().sweep()
        print(f"{given_up} dead uploads given up")
        return 0
    if not args.older > 0:
        raise OptionInvalid(option="older", value=args.older, allowed="a number of days above 0")
    s3 = _s3()
    given_up, removed = s3.sweep(), remove_old(s3, args.older)
    print(f"{given_up} dead uploads given up, {removed} old results removed")
    return 0


def _put(args: argparse.Namespace, check: Check) -> int:
    from heygem.progress import shown
    from storage import Meta

    settings, storage = quiet_settings(), _storage()
    key, name = args.key or _key(settings, args.file), args.name or args.file.name
    with shown(check) as tick:
        item = storage.put(args.file, key, Meta(name), lambda done, total: tick("upload", done, total))
    print(item.key)
    _print_link(storage.link(item.key, Meta(name), args.seconds or settings.link_seconds))
    return 0


def _link(args: argparse.Namespace, check: Check) -> int:
    from storage import Meta

    settings, storage = quiet_settings(), _storage()
    if storage.exists(args.key) is None:
        raise FileMissing(name=args.key)
    name = args.name or args.key.rpartition("/")[2]
    _print_link(storage.link(args.key, Meta(name), args.seconds or settings.link_seconds))
    return 0


def _delete(args: argparse.Namespace, check: Check) -> int:
    _storage().delete(args.key)
    print(f"{args.key} removed")
    return 0


def _print_link(link: Link) -> None:
    print(link.url)
    until = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(link.expires))
    why = (
        ", earlier than asked for: at most seven days, and no longer than temporary credentials" if link.capped else ""
    )
    print(f"works until {until}{why}", file=sys.stderr)


def _key(settings: Settings, file: Path) -> str:
    """The same for the same file, so that a second call goes on; its time in nanoseconds cannot be guessed."""
    from storage.base import key_of, short_hash

    if not file.is_file():
        raise FileMissing(name=file.name)
    state = file.stat()
    token = short_hash(str(file.absolute()), str(state.st_size), str(state.st_mtime_ns))
    return key_of(settings.s3_prefix, "files", token, file.name)


def _storage() -> Storage:
    from storage import open_storage

    return open_storage(quiet_settings())


def _s3() -> S3:
    storage = _storage()
    if storage.name != "s3":
        raise OptionInvalid(option="HEYGEM_STORAGE", value=f"“{storage.name}” here", allowed="s3")
    from storage.s3 import S3

    assert isinstance(storage, S3)
    return storage
