"""Threads that start, fail and stop together: read ahead and write behind through bounded queues."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from types import TracebackType
from typing import Generic, TypeVar

import cv2
from threadpoolctl import threadpool_limits

T = TypeVar("T")

_END = object()
_PATIENCE = 0.1  # seconds between looks at the stop sign


class ReadAhead(Generic[T]):
    """Runs an iterable in a thread, at most ``depth`` items ahead. What it raises is raised in the caller's loop.

    Leaving the ``with`` block stops the thread and closes a generator.
    """

    def __init__(self, items: Iterable[T], depth: int = 4) -> None:
        self._items = items
        self._queue: Queue[object] = Queue(depth)
        self._stop = Event()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="read-ahead", daemon=True)

    def _run(self) -> None:
        try:
            for item in self._items:
                if not _put(self._queue, item, self._stop):
                    break
        except BaseException as error:  # handed to the caller, who raises it
            self._error = error
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()
            _put(self._queue, _END, self._stop)

    def __enter__(self) -> ReadAhead[T]:
        self._thread.start()
        return self

    def __iter__(self) -> Iterator[T]:
        while (item := self._queue.get()) is not _END:
            yield item  # pyright: ignore[reportReturnType]
        if self._error is not None:
            raise self._error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()


class WriteBehind(Generic[T]):
    """Calls ``write`` in a thread, at most ``depth`` items behind. What it raises, ``put`` or leaving raises."""

    def __init__(self, write: Callable[[T], None], depth: int = 4) -> None:
        self._write = write
        self._queue: Queue[object] = Queue(depth)
        self._stop = Event()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="write-behind", daemon=True)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    item = self._queue.get(timeout=_PATIENCE)
                except Empty:
                    continue
                if item is _END:
                    return
                self._write(item)  # pyright: ignore[reportArgumentType]
        except BaseException as error:  # handed to the caller, who raises it
            self._error = error
            self._stop.set()

    def put(self, item: T) -> None:
        """Queues an item; waits while the queue is full. Raises what the writing thread raised."""
        if not _put(self._queue, item, self._stop) and self._error is not None:
            raise self._error

    def __enter__(self) -> WriteBehind[T]:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if kind is None:
            _put(self._queue, _END, self._stop)
        else:
            self._stop.set()
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error


@contextmanager
def one_thread() -> Iterator[None]:
    """Decoder, engine and encoder keep the cores busy: OpenCV's and NumPy's threads would only stand in their way."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(1, "blas"):
            yield
    finally:
        cv2.setNumThreads(threads)


def _put(queue: Queue[object], item: object, stop: Event) -> bool:
    """Puts unless the other side has stopped."""
    while not stop.is_set():
        try:
            queue.put(item, timeout=_PATIENCE)
            return True
        except Full:
            continue
    return False
