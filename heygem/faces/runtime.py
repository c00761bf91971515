"""MediaPipe without its chatter: it writes start-up notes to file descriptor 2 from C++, past every Python setting."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_CHATTER = (b"XNNPACK delegate", b"absl::InitializeLog", b"inference_feedback_manager", b"gl_context")
_lock = threading.Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """Holds back the process's standard error for a moment; all but MediaPipe's start-up notes is written after."""
    with _lock, tempfile.TemporaryFile() as held:
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
