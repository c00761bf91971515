"""Who guesses passwords has to wait, longer and longer."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

LONGEST = 300.0
"""Seconds: the longest wait. Short enough that nobody is locked out for long by somebody else's guesses."""
MEMORY = 3600.0
"""Seconds after the last mistake until all is forgotten."""
_MOST = 10_000


class Attempts:
    """Counts the mistakes of each key, in memory: ``free`` cost nothing, then the wait doubles from 2 seconds on."""

    def __init__(self, free: int, now: Callable[[], float] = time.monotonic) -> None:
        self._free, self._now = free, now
        self._mistakes: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def wait(self, key: Hashable) -> float:
        """Seconds until the next attempt is allowed; 0: now."""
        count, last = self._mistakes.get(key, (0, 0.0))
        pause = min(2.0 ** (count - self._free + 1), LONGEST) if count >= self._free else 0.0
        return max(0.0, last + pause - self._now())

    def mistaken(self, key: Hashable) -> None:
        """One more mistake."""
        count, last = self._mistakes.pop(key, (0, 0.0))
        self._mistakes[key] = (1 if self._now() - last > MEMORY else count + 1, self._now())
        if len(self._mistakes) > _MOST:
            self._mistakes.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        """It was the right password."""
        self._mistakes.pop(key, None)
