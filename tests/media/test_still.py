"""Photos that cannot be shown are refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heygem.errors import FileUnreadable
from heygem.media.still import load_still


def test_numbers_that_nobody_knows_the_white_of_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "render.tif"
    Image.fromarray(np.full((40, 60), 0.5, np.float32)).save(path)
    with pytest.raises(FileUnreadable, match="floating point"):
        load_still(path)


def test_a_file_that_confuses_the_reader_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def confused(*_: object) -> None:
        raise TypeError("a tuple is no number")

    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "thumbnail", confused)
    with pytest.raises(FileUnreadable, match="damaged"):
        load_still(tmp_path / "a.png")
