"""The archive itself: its length is known before, large files and many files are right, memory stays flat."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from api import archive
from api.archive import Member, length, members, stream


@pytest.mark.parametrize("names", [[], ["a.mp4"], ["名字 🙂.mp4", "b.mp4"], [f"{n}.mp4" for n in range(50)]])
def test_the_length_is_that_of_the_archive(tmp_path, names):
    for n, name in enumerate(names):
        (tmp_path / name).write_bytes(os.urandom(n * 1000))
    files = members(tmp_path / name for name in names)
    out = tmp_path / "out.zip"
    out.write_bytes(b"".join(stream(files)))
    assert out.stat().st_size == length(files)
    with zipfile.ZipFile(out) as found:
        assert found.namelist() == names and found.testzip() is None
        assert all(found.read(name) == (tmp_path / name).read_bytes() for name in names)
        assert all(info.compress_type == zipfile.ZIP_STORED for info in found.infolist())


def test_equal_names_are_numbered_and_missing_files_left_out(tmp_path):
    for folder in "abc":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.mp4").write_text(folder)
    paths = [tmp_path / folder / "x.mp4" for folder in "abcd"]
    assert [member.name for member in members(paths)] == ["x.mp4", "x (2).mp4", "x (3).mp4"]


def test_a_file_from_before_there_were_archives(tmp_path):
    (tmp_path / "old.mp4").write_text("old")
    os.utime(tmp_path / "old.mp4", (0, 0))
    b"".join(stream(members([tmp_path / "old.mp4"])))


LIMIT = 1 << 16


@pytest.mark.parametrize("sizes", [[LIMIT + 1], [LIMIT], [LIMIT - 1], [60_000] * 3, [62_500, 1], [1] * 40, [1] * 1200])
def test_the_length_beyond_the_limits_of_old_archives(tmp_path, monkeypatch, sizes):
    """The limits of 2 GB and 65,535 files, brought down to where a test can go."""
    for module in (zipfile, archive):
        monkeypatch.setattr(module, "ZIP64_LIMIT", LIMIT)
        monkeypatch.setattr(module, "ZIP_FILECOUNT_LIMIT", 30)
    for n, size in enumerate(sizes):
        (tmp_path / f"{n}.mp4").write_bytes(b"x" * size)
    files = members(tmp_path / f"{n}.mp4" for n in range(len(sizes)))
    assert len(b"".join(stream(files))) == length(files)


def test_the_length_of_a_terabyte_is_known_at_once():
    assert length([Member("x.mp4", Path("x.mp4"), 1 << 40)]) > 1 << 40


FLAT = """
import resource, sys
from pathlib import Path
from api.archive import length, members, stream
files = members(map(Path, sys.argv[1:]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
total = sum(map(len, stream(files)))
assert total == length(files), (total, length(files))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize(
    "size",
    [
        200_000_000,
        pytest.param(2_200_000_000, marks=pytest.mark.slow, id="sizes and offsets of 64 bits"),
    ],
)
def test_memory_is_flat(tmp_path, size):
    """Two files that are holes."""
    paths = [tmp_path / f"{n}.mp4" for n in range(2)]
    for path in paths:
        with path.open("wb") as file:
            file.truncate(size)
    root = Path(__file__).parents[2]
    grown = subprocess.check_output([sys.executable, "-c", FLAT, *paths], cwd=root, text=True)
    assert int(grown) < 16 << 10, "kilobytes"
