"""What every storage promises, on this server's own disk and on real S3 servers alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from heygem.errors import Cancelled, FileMissing, OptionInvalid
from storage import Meta, Storage
from storage.base import MOST_SECONDS

KEY = "heygem/2026-11-21/batch/0123abcd-lesson-1.mp4"
META = Meta("王老师 第1课.mp4")


@pytest.fixture(params=["local", "swift", pytest.param("ceph", marks=pytest.mark.slow)])
def storage(request: pytest.FixtureRequest) -> Storage:
    if request.param == "local":
        return request.getfixturevalue("local")
    return request.getfixturevalue(f"{request.param}_bucket").open()


def test_what_is_put_is_there_until_it_is_deleted(storage: Storage, video: Callable[[int], Path]) -> None:
    assert storage.exists(KEY) is None
    seen: list[tuple[int, int]] = []
    item = storage.put(video(300_000), KEY, META, lambda *now: seen.append(now))
    assert (item.key, item.size) == (KEY, 300_000)
    assert seen[-1] == (300_000, 300_000) and all(total == 300_000 for _, total in seen)
    assert storage.exists(KEY) == item
    storage.delete(KEY)
    assert storage.exists(KEY) is None
    storage.delete(KEY)


def test_what_is_put_again_replaces(storage: Storage, video: Callable[..., Path]) -> None:
    storage.put(video(1000), KEY, META)
    storage.put(video(2000, "other.mp4"), KEY, META)
    item = storage.exists(KEY)
    assert item and item.size == 2000


def test_a_file_that_is_not_there_is_named(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match=r"gone\.mp4"):
        storage.put(tmp_path / "gone.mp4", KEY, META)
    with pytest.raises(FileMissing):
        storage.put(tmp_path, KEY, META)


def test_cancelled_means_that_nothing_stays_open(storage: Storage, video: Callable[[int], Path]) -> None:
    def stop(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        storage.put(video(300_000), KEY, META, stop)


def test_links_end_when_they_say(storage: Storage, video: Callable[[int], Path]) -> None:
    storage.put(video(1000), KEY, META)
    day, week = storage.link(KEY, META, 86400), storage.link(KEY, META, MOST_SECONDS + 1)
    assert not day.capped and week.capped
    assert week.expires - day.expires == pytest.approx(MOST_SECONDS - 86400, abs=2)
    assert day.url != storage.link(KEY, META, 3600).url


@pytest.mark.parametrize("key", ["", "/etc/passwd", "a/../b", "a//b", "a b", "a?b", "a/", "x" * 1000])
def test_a_key_cannot_lead_elsewhere(storage: Storage, key: str, video: Callable[[int], Path]) -> None:
    for act in (
        lambda: storage.put(video(10), key, META),
        lambda: storage.link(key, META, 60),
        lambda: storage.exists(key),
        lambda: storage.delete(key),
    ):
        with pytest.raises(OptionInvalid):
            act()


def test_sweeping_an_orderly_storage_finds_nothing(storage: Storage, video: Callable[[int], Path]) -> None:
    storage.put(video(1000), KEY, META)
    assert storage.sweep() == 0
    assert storage.exists(KEY)
