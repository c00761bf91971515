"""The process that reads a stranger's file: the file on standard input, safetensors on standard output.

It answers in one line of JSON on standard error: ``{"ok": true}``, or ``{"reason": KEY}`` of ``inert.REASONS``. Whoever
started it believes nothing of this: the result is read by safetensors, the key is looked up. The parent is ``convert``.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
import zlib  # noqa: F401  all that is used under the lock has to be loaded before it

from heygem.weights import choose, forms, writing
from heygem.weights.inert import FULL, Refused
from heygem.weights.lock import lock

_MEMORY = 1 << 30  # bytes beside the file itself
_ROOM = (2, 128 << 20)  # a result may be twice its source and this much larger


def main(seconds: int) -> None:
    """Reads, writes and ends, within so many seconds of the processor."""
    "".encode("cp437")  # zipfile's encoding of names, loaded now
    size = os.fstat(0).st_size
    source, out = open(0, "rb"), open(1, "wb")  # noqa: SIM115  the end of the process closes them
    mapped = mmap.mmap(0, 0, access=mmap.ACCESS_READ)
    lock(_MEMORY, seconds, _ROOM[0] * size + _ROOM[1])
    try:
        content = forms.read(source, size)
        writing.write(choose.weights(content.tree), content.places, mapped, out)
        out.flush()
        answer: dict[str, object] = {"ok": True}
    except Refused as refused:
        answer = {"reason": str(refused)}
    except MemoryError:
        answer = {"reason": "large"}
    except OSError as error:
        answer = {"reason": FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else "damaged"}
    except Exception:  # whatever a damaged or hostile file does to its reader
        answer = {"reason": "damaged"}
    os.write(2, json.dumps(answer).encode())
    os._exit(0)
