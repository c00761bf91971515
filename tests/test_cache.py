"""The cache: whole entries or none, bounded, safe for several processes."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest
from loguru import logger

from heygem import cache as cache_module
from heygem.cache import Cache, Entry, content_key, reserve
from tests.disks import Disk


def still() -> None:
    """A beat of one who need not wait."""


def add(cache: Cache, key: str, size: int = 10, facts: dict | None = None) -> Entry:
    with cache.workshop(f"for {key}", still) as folder:
        (folder / "data").write_bytes(bytes(size))
        return cache.keep(key, folder, facts or {})


def names(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()}


def test_content_key_is_sha256_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"heygem" * 100_000)
    assert content_key(path) == hashlib.sha256(b"heygem" * 100_000).hexdigest()


def test_an_entry_is_found_with_its_facts(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.find("a") is None
    add(cache, "a", facts={"people": 2})
    found = cache.find("a")
    assert found is not None and found.facts == {"people": 2} and (found.folder / "data").stat().st_size == 10


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Cache(tmp_path).workshop("a", still) as folder:
        (folder / "data").write_bytes(b"half")
        raise RuntimeError
    assert not names(tmp_path)


@pytest.mark.parametrize("harm", ["short", "gone", "manifest", "no manifest"])
def test_damage_is_noticed_and_cleared(tmp_path: Path, harm: str) -> None:
    cache = Cache(tmp_path)
    add(cache, "a")
    if harm == "short":
        (tmp_path / "a" / "data").write_bytes(bytes(5))
    elif harm == "gone":
        (tmp_path / "a" / "data").unlink()
    elif harm == "manifest":
        (tmp_path / "a" / "entry.json").write_text("[1, 2")
    else:
        (tmp_path / "a" / "entry.json").unlink()
    assert cache.find("a") is None
    assert not names(tmp_path)
    add(cache, "a")
    assert cache.find("a") is not None


def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, most=2600)
    for age, key in enumerate("abc"):
        add(cache, key, 800)
        os.utime(tmp_path / key, (1000 + age, 1000 + age))
    assert cache.find("a") is not None  # used now
    add(cache, "d", 800)
    assert names(tmp_path) == {"a", "c", "d"}


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path, most=1000)
    held = add(cache, "a", 900)
    add(cache, "b", 900)
    assert "a" in names(tmp_path)
    del held
    add(cache, "c", 900)
    assert names(tmp_path) == {"c"}


def test_who_comes_second_takes_what_is_there(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with cache.workshop("slow", still) as slow:
        (slow / "data").write_bytes(b"slow")
        add(cache, "a", facts={"who": "fast"})
        entry = cache.keep("a", slow, {"who": "slow"})
    assert entry.facts == {"who": "fast"}
    assert names(tmp_path) == {"a"}


def test_a_broken_entry_gives_way(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "rest").write_bytes(b"x")
    assert add(cache, "a", facts={"who": "new"}).facts == {"who": "new"}
    assert cache.find("a") is not None


def test_abandoned_workshops_are_swept(tmp_path: Path) -> None:
    old, young = tmp_path / "old.part", tmp_path / "young.part"
    for folder in (old, young):
        folder.mkdir()
    os.utime(old, (1000, 1000))
    add(Cache(tmp_path), "a")
    assert names(tmp_path) == {"a", "young.part"}


def fork(work: Callable[..., None], *arguments: object) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=work, args=arguments)
    process.start()
    return process


def _fill(folder: Path) -> None:
    """Slow, and leaves a mark of every time it ran."""
    with (folder.parent.parent / "times").open("a") as file:
        file.write("x")
    (folder / "data").write_bytes(bytes(1000))
    time.sleep(0.3)


def _ask(root: Path) -> None:
    entry = Cache(root).entry("a", _fill, still)
    assert (entry.folder / "data").stat().st_size == 1000


def test_several_processes_make_an_entry_once(tmp_path: Path) -> None:
    askers = [fork(_ask, tmp_path / "cache") for _ in range(4)]
    for asker in askers:
        asker.join(30)
    assert [asker.exitcode for asker in askers] == [0] * 4
    assert (tmp_path / "times").read_text() == "x"
    assert names(tmp_path / "cache") == {"a"}, "no lock is left behind"


def _hold(root: Path, key: str, ready: Path) -> None:
    with Cache(root).workshop(key, still) as folder:
        (folder / "half").write_bytes(b"half")
        ready.touch()
        time.sleep(60)


def _held(tmp_path: Path, key: str) -> BaseProcess:
    """A process that is at work on ``key``."""
    holder = fork(_hold, tmp_path / "cache", key, tmp_path / "ready")
    deadline = time.monotonic() + 20
    while not (tmp_path / "ready").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return holder


def test_a_killed_holder_blocks_nobody_and_its_half_work_is_gone(tmp_path: Path) -> None:
    holder = _held(tmp_path, "a")
    assert names(tmp_path / "cache") == {"a.part", "a.lock"}
    threading.Timer(0.3, holder.kill).start()
    begun = time.monotonic()
    entry = Cache(tmp_path / "cache").entry("a", _fill, still)
    assert 0.2 < time.monotonic() - begun < 5
    assert names(entry.folder) == {"data", "entry.json"}
    assert names(tmp_path / "cache") == {"a"}
    holder.join(5)


def test_who_waits_gives_signs_of_life_and_may_give_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "PATIENCE", 0.05)
    beats = []

    def beat() -> None:
        beats.append(time.monotonic())
        if len(beats) == 4:
            raise KeyboardInterrupt

    holder = _held(tmp_path, "a")
    with pytest.raises(KeyboardInterrupt):
        Cache(tmp_path / "cache").entry("a", _fill, beat)
    assert np.diff(beats).max() < 0.5
    assert names(tmp_path / "cache") == {"a.part", "a.lock"}, "the work of the other goes on"
    Cache(tmp_path / "cache").entry("b", _fill, still)  # another key does not wait
    holder.kill()
    holder.join(5)


def test_a_hit_needs_no_lock(tmp_path: Path) -> None:
    add(Cache(tmp_path / "cache"), "a")
    holder = _held(tmp_path, "a")
    assert Cache(tmp_path / "cache").entry("a", _fill, lambda: pytest.fail("it waited")).facts == {}
    holder.kill()
    holder.join(5)


def test_locks_of_the_killed_are_swept(tmp_path: Path) -> None:
    for name in ("old.lock", "young.lock"):
        (tmp_path / name).touch()
    os.utime(tmp_path / "old.lock", (1000, 1000))
    add(Cache(tmp_path), "a")
    assert names(tmp_path) == {"a", "young.lock"}


def test_a_full_disk_is_an_error_of_the_entry_and_leaves_nothing(disk: Callable[[str], Disk]) -> None:
    full = disk("64k")
    with pytest.raises(OSError, match="No space"):
        add(Cache(full.path), "a", 100_000)
    assert not names(full.path)


@pytest.mark.parametrize("harm", ["full", "read-only", "a file"])
def test_where_the_folder_fails_the_work_is_done_without_it(
    disk: Callable[[str], Disk], tmp_path: Path, harm: str
) -> None:
    small = disk("64k")
    root = small.path / "cache"
    if harm == "read-only":
        small.read_only()
    elif harm == "a file":
        root.write_text("not a folder")
    lines: list[str] = []
    sink = logger.add(lines.append, level="WARNING", format="{message}")

    def fill(folder: Path) -> None:
        (folder / "data").write_bytes(bytes(100_000))

    found = Cache(root).attempt(lambda cache: (cache.entry("a", fill, still).folder / "data").read_bytes())
    logger.remove(sink)
    assert found == bytes(100_000)
    assert len(lines) == 1 and "cache cannot be used" in lines[0]
    assert not (root.is_dir() and names(root))


def test_a_read_only_cache_is_still_read(disk: Callable[[str], Disk]) -> None:
    small = disk("64k")
    add(Cache(small.path), "a", facts={"who": "me"})
    small.read_only()
    found = Cache(small.path).find("a")
    assert found is not None and found.facts == {"who": "me"}


def _map(path: Path) -> None:
    mapped = np.lib.format.open_memmap(path, "w+", np.float32, (1 << 18,))
    try:
        reserve(path)
    except OSError:
        os._exit(7)
    mapped[:] = 1


def test_a_map_that_does_not_fit_on_the_disk_is_an_error_and_no_crash(disk: Callable[[str], Disk]) -> None:
    """Without reserve() the system answers the write with SIGBUS."""
    small = disk("256k")
    child = fork(_map, small.path / "map.npy")
    child.join(20)
    assert child.exitcode == 7


def _race(root: Path, n: int) -> None:
    for _ in range(15):
        entry = add(Cache(root), "a", 1000, {"n": n})
        assert (entry.folder / "data").stat().st_size == 1000


def test_processes_that_build_the_same_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_race, args=(tmp_path, n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert names(tmp_path) == {"a"}
