"""``heygem users add NAME | list | remove NAME``: who may log in to the page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from heygem.errors import OptionInvalid

if TYPE_CHECKING:
    from heygem.users import Users


def register(commands: Any) -> None:
    """Adds the group to the subparsers of ``heygem``."""
    group = commands.add_parser("users", help="who may log in to the page").add_subparsers(
        metavar="ACTION", required=True
    )
    add = group.add_parser("add", help="a new user, or a new password; it is asked for, or read from standard input")
    add.add_argument("name", metavar="NAME")
    add.set_defaults(run=_add)
    group.add_parser("list", help="all names").set_defaults(run=_list)
    remove = group.add_parser("remove", help="takes the right to log in away, at once")
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(run=_remove)


def _add(args: argparse.Namespace, check: Callable[[], None]) -> int:
    users = _users()
    first = not users.exists()
    new = users.set(args.name, _password())
    print(f"{args.name} may log in now" if new else f"{args.name} has a new password")
    if first:
        print("The page and the API ask for a login from now on.", file=sys.stderr)
    return 0


def _list(args: argparse.Namespace, check: Callable[[], None]) -> int:
    for name in _users().names():
        print(name)
    return 0


def _remove(args: argparse.Namespace, check: Callable[[], None]) -> int:
    users = _users()
    users.remove(args.name)
    print(f"{args.name} may not log in any more")
    if not users.names():
        print(f"Nobody can log in now. To switch the login off, remove {users.file}.", file=sys.stderr)
    return 0


def _users() -> Users:
    from heygem import settings
    from heygem.users import Users

    return Users(settings.load().users)


def _password() -> str:
    """Asked twice on a terminal; otherwise the first line of standard input. Empty where there is none."""
    from getpass import getpass

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    try:
        password, again = getpass("Password: "), getpass("Once more: ")
    except EOFError:  # Ctrl-D
        return ""
    if again != password:
        raise OptionInvalid(option="the password", value="two different ones", allowed="the same twice")
    return password
