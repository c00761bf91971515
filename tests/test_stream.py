"""Threads start, fail and stop together."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from heygem.media.stream import ReadAhead, WriteBehind


def alive() -> set[str]:
    return {thread.name for thread in threading.enumerate()} & {"read-ahead", "write-behind"}


def test_items_arrive_in_order() -> None:
    with ReadAhead(range(100), depth=3) as ahead:
        assert list(ahead) == list(range(100))
    assert not alive()


def test_reading_stays_within_its_depth() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for n in range(50):
            taken.append(n)
            yield n

    with ReadAhead(items(), depth=3) as ahead:
        first = next(iter(ahead))
        time.sleep(0.3)
        assert first == 0
        assert len(taken) <= 6  # one given, three queued, one waiting to be queued, one of slack
    assert not alive()


def test_error_while_reading_is_raised_in_the_loop_and_earlier_items_are_kept() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken frame")

    got: list[int] = []
    with pytest.raises(ValueError, match="broken frame"), ReadAhead(items()) as ahead:
        got.extend(iter(ahead))
    assert got == [1]
    assert not alive()


def test_leaving_early_stops_the_thread_and_closes_the_generator() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    with ReadAhead(items()) as ahead:
        next(iter(ahead))
    assert closed.is_set()
    assert not alive()


def test_everything_put_is_written_before_the_block_ends() -> None:
    written: list[int] = []

    def slow(item: int) -> None:
        time.sleep(0.002)
        written.append(item)

    with WriteBehind(slow, depth=2) as behind:
        for n in range(50):
            behind.put(n)
    assert written == list(range(50))
    assert not alive()


def test_error_while_writing_reaches_the_caller() -> None:
    def write(item: int) -> None:
        if item == 3:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), WriteBehind(write, depth=1) as behind:
        for n in range(1000):
            behind.put(n)
    assert not alive()


def test_error_on_the_last_item_is_raised_on_leaving() -> None:
    def write(item: int) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), WriteBehind(write) as behind:
        behind.put(1)


def test_an_error_of_the_caller_drops_what_is_queued() -> None:
    written: list[int] = []

    def slow(item: int) -> None:
        time.sleep(0.05)
        written.append(item)

    with pytest.raises(KeyboardInterrupt), WriteBehind(slow, depth=8) as behind:
        for n in range(8):
            behind.put(n)
        raise KeyboardInterrupt
    assert len(written) < 8
    assert not alive()
