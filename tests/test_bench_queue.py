"""The measures of the queue, small: that they measure the real program, and that a missed aim shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from heygem import bench
from heygem.bench import queue


def test_a_missed_aim_shows_in_the_table() -> None:
    found = [queue._found("cancel", "3.00 s", "2 s", False), queue._found("first", "4.0 s", "10 s", True)]
    rows = bench.table({"kind": "queue", **bench.where(), "clip": "x", "found": found}).splitlines()
    assert rows[-2:] == ["| cancel | 3.00 s | 2 s | **no** |", "| first | 4.0 s | 10 s | yes |"]


def test_figures_at_95_percent() -> None:
    assert queue._at_95("x", [0.001] * 19 + [0.1], 0.005)["met"] is False
    assert queue._at_95("x", [0.001] * 99 + [0.1], 0.005)["met"] is True


@pytest.mark.slow
def test_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    found = {one["what"]: one for one in queue.storm(tmp_path, kills=3, jobs=2)}
    assert found["3 kills in a batch of 2: done"]["value"] == "2 of 2"
    assert found["results beside one a job"]["met"] and found["half-written files left"]["met"]
