"""Mouth pictures: what is kept when there is too much."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from heygem.faces.mouths import Mouths, Spool
from heygem.media.frame import Frame

BOX = (0, 0, 8, 4)
BYTES = 8 * 4 * 3 // 2


def picture(value: int, height: int = 4) -> Frame:
    return Frame(np.full((height * 3 // 2, 8), value % 256, np.uint8))


def fill(spool: Spool, track: int, frames: range, gap: float = 0.0) -> None:
    for n in frames:
        spool.add(track, n, BOX, picture(n), (gap, 0.5, 0.0))


def read(frames: np.ndarray, boxes: np.ndarray, path: Path) -> Mouths:
    return Mouths(frames, boxes, np.fromfile(path, np.uint8))


def test_everything_comes_back_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path, length=5)
    for n in range(12):
        spool.add(0, n, (0, 0, 8, 4 + n % 2 * 2), picture(n, 4 + n % 2 * 2), (0.1, 0.5, 0))
    mouths = read(*spool.pack({0}, np.ones(12, bool), tmp_path / "out"), tmp_path / "out")
    assert mouths.frames.tolist() == list(range(12)) and len(mouths) == 12
    for k in range(12):
        assert mouths.picture(k).height == 4 + k % 2 * 2 and (mouths.picture(k).data == k).all()


def test_only_wanted_tracks_and_frames(tmp_path: Path) -> None:
    spool = Spool(tmp_path, length=5)
    fill(spool, 0, range(0, 10))
    fill(spool, 1, range(5, 15))
    wanted = np.ones(15, bool)
    wanted[7:9] = False
    mouths = read(*spool.pack({1}, wanted, tmp_path / "out"), tmp_path / "out")
    assert mouths.frames.tolist() == [5, 6, *range(9, 15)]
    others = read(*spool.pack({0}, wanted, tmp_path / "other"), tmp_path / "other")
    assert others.frames.tolist() == [*range(7), 9], "one spool serves several people"


def test_over_budget_the_most_alike_seconds_go(tmp_path: Path) -> None:
    spool = Spool(tmp_path, length=5)
    for start, gap in ((0, 0.0), (5, 0.3), (10, 0.001), (15, 0.15)):
        fill(spool, 0, range(start, start + 5), gap)
    frames, _ = spool.pack({0}, np.ones(20, bool), tmp_path / "out", budget=15 * BYTES)
    assert len(frames) == 15 and set(range(5, 10)) | set(range(15, 20)) <= set(frames.tolist())


def test_the_spool_itself_is_bounded(tmp_path: Path) -> None:
    spool = Spool(tmp_path, length=5, budget=20 * BYTES)
    for n in range(100):
        spool.add(n // 50, n, BOX, picture(n), (n / 100, 0.5, 0))
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 20 * BYTES
    frames, _ = spool.pack({1}, np.ones(100, bool), tmp_path / "out")
    assert len(frames) and set(frames.tolist()) <= set(range(50, 100))


def test_one_huge_picture_is_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path, length=5)
    fill(spool, 0, range(1))
    frames, boxes = spool.pack({0}, np.ones(1, bool), tmp_path / "out", budget=1)
    assert frames.tolist() == [0] and boxes.tolist() == [list(BOX)]


def test_no_pictures_at_all(tmp_path: Path) -> None:
    mouths = read(*Spool(tmp_path, length=5).pack(set(), np.zeros(0, bool), tmp_path / "out"), tmp_path / "out")
    assert len(mouths) == 0 and mouths.boxes.shape == (0, 4)
