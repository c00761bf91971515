"""MediaPipe without its chatter and without matplotlib.

It writes start-up notes to file descriptor 2 from C++, past every Python setting. It imports matplotlib, which takes a
third of a second and 30 MB, for drawings that nobody here asks for.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

_CHATTER = (b"XNNPACK delegate", b"absl::InitializeLog", b"inference_feedback_manager", b"gl_context")
_lock = threading.Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """Around imports and starts of MediaPipe. Holds back the process's standard error for a moment; all but MediaPipe's
    start-up notes is written after."""
    with _lock, _no_matplotlib(), tempfile.TemporaryFile() as held:
        kept = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            rest = [line for line in held if not any(word in line for word in _CHATTER)]
            os.write(2, b"".join(rest))


class _Later(ModuleType):
    """A module that is imported when somebody uses it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


@contextmanager
def _no_matplotlib() -> Iterator[None]:
    """What is imported here gets matplotlib only when it draws."""
    if "matplotlib" in sys.modules:
        yield
        return
    package = ModuleType("matplotlib")
    package.pyplot = _Later("matplotlib.pyplot")  # pyright: ignore[reportAttributeAccessIssue]
    sys.modules |= {"matplotlib": package, "matplotlib.pyplot": package.pyplot}
    try:
        yield
    finally:
        del sys.modules["matplotlib"], sys.modules["matplotlib.pyplot"]
