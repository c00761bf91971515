"""Every Python process that finds this first writes its outgoing connections into the file $CONNECTIONS."""

import os
import sys

_FILE = os.environ.get("CONNECTIONS")


def _note(event: str, arguments: tuple) -> None:
    if event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        with open(_FILE or os.devnull, "a") as out:  # noqa: PTH123  pathlib is not loaded so early
            print(arguments[1][0], arguments[1][1], file=out)


if _FILE:
    sys.addaudithook(_note)
