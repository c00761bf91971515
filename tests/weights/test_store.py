"""The folder of weights: whole or not there, in several processes, and never another file than was written down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from heygem.errors import (
    FileEmpty,
    FileMissing,
    OptionInvalid,
    OutputError,
    WeightsDamaged,
    WeightsMissing,
    WeightsUnusable,
)
from heygem.weights.store import FACTS, WEIGHTS, WeightStore, sha256_of
from tests.weights import made


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return WeightStore(tmp_path / "home" / "weights")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.save({"state_dict": made.wav2lip()}, tmp_path / "wav2lip.pth")
    return tmp_path / "wav2lip.pth"


def test_looking_creates_nothing(store, tmp_path):
    assert store.installed() == [] and store.find("wav2lip") is None
    with pytest.raises(WeightsMissing) as caught:
        store.state("wav2lip")
    assert "heygem weights add FILE --name wav2lip" in caught.value.hint
    assert "https://github.com/Rudrabha/Wav2Lip" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_what_was_added_is_found_with_its_facts(store, file):
    found = store.add(file, rights=True)
    assert found == store.find("wav2lip") and [found] == store.installed()
    facts = found.facts
    assert (facts.original, facts.original_size, facts.rights) == ("wav2lip.pth", file.stat().st_size, True)
    assert facts.original_sha256 == sha256_of(file) and facts.sha256 == sha256_of(found.file)
    assert found.file == store.root / "wav2lip" / WEIGHTS
    wanted = torch.load(file)["state_dict"]
    state = store.state("wav2lip")
    assert all(torch.equal(state[name], wanted[name]) for name in wanted) and set(state) == set(wanted)
    assert sorted(path.name for path in store.root.iterdir()) == ["changing.lock", "wav2lip"]


def test_adding_again_replaces(store, file):
    store.add(file)
    torch.save(made.wav2lip(), file)
    again = store.add(file, "wav2lip")
    assert store.installed() == [again] and store.verify("wav2lip") == again


def test_a_file_that_is_no_use_changes_nothing(store, file, tmp_path):
    before = store.add(file)
    file.write_bytes(b"<html>")
    with pytest.raises(WeightsUnusable, match="web page") as caught:
        store.add(file)
    assert "wav2lip.pth" in caught.value.message
    with pytest.raises(FileMissing):
        store.add(tmp_path / "nothing.pth")
    (tmp_path / "empty.pth").touch()
    with pytest.raises(FileEmpty):
        store.add(tmp_path / "empty.pth")
    with pytest.raises(OptionInvalid):
        store.add(file, "wav3lip")
    assert store.installed() == [before]
    assert sorted(path.name for path in store.root.iterdir()) == ["changing.lock", "wav2lip"]


def test_a_change_on_the_disk_is_found(store, file):
    found = store.add(file)
    assert store.verify("wav2lip") == found
    content = bytearray(found.file.read_bytes())
    content[-1] ^= 1
    found.file.write_bytes(content)
    assert store.find("wav2lip"), "it has its size, and nobody reads gigabytes to look"
    with pytest.raises(WeightsDamaged, match="content") as caught:
        store.verify("wav2lip")
    assert "heygem weights remove wav2lip" in caught.value.hint
    found.file.write_bytes(content[:-1])
    with pytest.raises(WeightsDamaged, match="another size"):
        store.state("wav2lip")
    assert store.installed() == []
    (store.root / "wav2lip" / FACTS).write_text("{}")
    with pytest.raises(WeightsDamaged, match="facts"):
        store.find("wav2lip")
    (store.root / "wav2lip" / FACTS).unlink()
    with pytest.raises(WeightsDamaged, match="missing"):
        store.find("wav2lip")
    store.remove("wav2lip")
    assert store.find("wav2lip") is None
    with pytest.raises(WeightsMissing):
        store.remove("wav2lip")


def test_facts_of_a_later_version_can_be_read(store, file):
    found = store.add(file)
    (store.root / "wav2lip" / FACTS).write_text(json.dumps({**asdict(found.facts), "mood": "fine"}))
    assert store.find("wav2lip") == found


def test_who_looks_while_weights_are_replaced_always_finds_them(store, file):
    store.add(file)
    lost, done = [], threading.Event()

    def look():
        while not done.is_set():
            try:
                lost.extend([] if store.find("wav2lip") else [None])
            except WeightsDamaged as error:
                lost.append(error)

    thread = threading.Thread(target=look)
    thread.start()
    for _ in range(3):
        store.add(file)
    done.set()
    thread.join()
    assert not lost


def test_a_process_that_is_killed_leaves_nothing_under_the_name(store, file):
    code = (
        "import sys, os, signal; from pathlib import Path; from heygem.weights import store\n"
        "store.sha256_of = lambda path, beat: os.kill(os.getpid(), 9) if path.name == store.WEIGHTS else 'x' * 64\n"
        "store.WeightStore(Path(sys.argv[1])).add(Path(sys.argv[2]))"
    )
    assert subprocess.run([sys.executable, "-c", code, store.root, file]).returncode == -9
    assert store.find("wav2lip") is None
    (left,) = store.root.glob("*.part")
    store.add(file)
    assert left.exists(), "somebody may be at work there"
    os.utime(left, (0, time.time() - 90_000))
    store.add(file)
    assert not left.exists()


def test_a_full_disk_and_a_read_only_one(file, disk):
    small = disk("64k")
    torch.save({**made.wav2lip(), "large": torch.randn(100_000)}, file)
    with pytest.raises(OutputError, match="No space left"):
        WeightStore(small.path / "weights").add(file)
    assert [path.name for path in (small.path / "weights").iterdir()] == []
    torch.save(made.wav2lip(), file)
    store = WeightStore(small.path / "weights")
    found = store.add(file)
    small.read_only()
    assert store.find("wav2lip") == found and store.find("sd-vae") is None
    with pytest.raises(OutputError, match="Read-only"):
        store.add(file)
    with pytest.raises(OutputError, match="Read-only"):
        store.remove("wav2lip")
