"""The cache: whole entries or none, bounded, safe for several processes."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from pathlib import Path

import pytest

from heygem.cache import Cache, Entry, content_key


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
