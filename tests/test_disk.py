"""A take on disks that are full or read-only: real file systems, filled by the take itself."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from loguru import logger

from heygem.errors import OutputError
from heygem.media.sound import RATE
from heygem.pipeline import Options, lipsync
from tests.disks import Disk
from tests.media.clips import wav
from ui.words import explain

MakeDisk = Callable[[str], Disk]
DRAFT = Options(quality="draft")


@pytest.mark.parametrize("size", ["8k", "72k", "140k"])
def test_a_disk_that_becomes_full_during_a_take(
    portrait: Path, voice: Path, disk: MakeDisk, avatar_cache: Path, size: str
) -> None:
    """In its first bytes, in its middle, and when the file is closed."""
    full = disk(size).path
    with pytest.raises(OutputError) as caught:
        lipsync(portrait, voice, full / "out.mp4", Options(quality="high"), cache=avatar_cache)
    assert caught.value.details == {"name": "out.mp4", "reason": "No space left on device"}
    assert "磁盘满了" in explain(caught.value.code, caught.value.details, "zh")[0]
    assert list(full.iterdir()) == []


def test_a_read_only_folder_is_refused_before_the_work(portrait: Path, voice: Path, disk: MakeDisk) -> None:
    locked, stages = disk("1m"), set()
    locked.read_only()
    with pytest.raises(OutputError) as caught:
        lipsync(portrait, voice, locked.path / "out.mp4", tick=lambda stage, *_: stages.add(stage))
    assert "not writable" in caught.value.message and stages == {"probe"}


def test_where_the_record_cannot_be_written_no_film_stays(
    portrait: Path, voice: Path, tmp_path: Path, avatar_cache: Path
) -> None:
    (tmp_path / "out.take.json").mkdir()
    with pytest.raises(OutputError) as caught:
        lipsync(portrait, voice, tmp_path / "out.mp4", DRAFT, cache=avatar_cache)
    assert "out.take.json" in caught.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["out.take.json"]


@pytest.mark.parametrize(
    ("size", "kept"), [("4k", set()), ("80k", {"landmarks.npy"}), ("148k", {"samples.f32"}), ("1m", set())]
)
def test_a_cache_without_room_fails_no_take(
    portrait: Path, voice: Path, disk: MakeDisk, tmp_path: Path, avatar_cache: Path, size: str, kept: set[str]
) -> None:
    """Nothing fits, the samples of the voice do not fit, only they do, or the disk is read-only."""
    small = disk(size)
    if size == "1m":
        small.read_only()
    lines: list[str] = []
    sink = logger.add(lines.append, level="WARNING", format="{message}")
    take = lipsync(portrait, voice, tmp_path / "out.mp4", DRAFT, cache=small.path)
    logger.remove(sink)
    assert any("cache cannot be used" in line for line in lines)
    usual = lipsync(portrait, voice, tmp_path / "usual.mp4", DRAFT, cache=avatar_cache)
    assert take.path.read_bytes() == usual.path.read_bytes()
    assert {path.name for path in small.path.rglob("*")} & {"landmarks.npy", "samples.f32"} == kept
    assert not list(small.path.glob("*/*.part")) and not list(small.path.glob("*/*.lock"))


def test_no_room_for_temporary_files_either(
    portrait: Path, speech: np.ndarray, disk: MakeDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = disk("64k").path
    (full / "tmp").mkdir()
    sound = wav(tmp_path / "voice.wav", speech, RATE)
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(full / "tmp"))
    with pytest.raises(OutputError) as caught:
        lipsync(portrait, sound, tmp_path / "out.mp4", DRAFT, cache=full / "cache")
    assert caught.value.details["reason"] == "No space left on device"
    assert [path.name for path in tmp_path.glob("out*")] == [] and list((full / "tmp").iterdir()) == []
