"""The place of a result: what is wrong with it is said before the work."""

from __future__ import annotations

from pathlib import Path

import pytest

from heygem.errors import OptionInvalid, OutputError
from heygem.media.target import check_target


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere/a.mp4", "does not exist"),
        ("file.txt/a.mp4", "does not exist"),
        ("folder.mp4", "it is a folder"),
        ("file.mp4", "one of the inputs"),
        (f"{'x' * 241}.mp4", "too long"),
        (f"{'x' * 300}/a.mp4", "too long"),
    ],
)
def test_what_would_fail_after_the_work_is_refused_before(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    for file in ("file.txt", "file.mp4"):
        (tmp_path / file).touch()
    with pytest.raises(OutputError, match=reason):
        check_target(tmp_path / name, [tmp_path / "x" / "../file.mp4", tmp_path / "file.mp4"])


def test_what_is_well(tmp_path: Path) -> None:
    (tmp_path / "there.mp4").touch()
    inputs = [tmp_path / "none.mp4", tmp_path / ("x" * 300)]
    for name in ("there.mp4", "new.MP4", f"{'x' * 240}.mp4"):
        check_target(tmp_path / name, inputs)


def test_the_suffix_is_that_of_the_kind(tmp_path: Path) -> None:
    check_target(tmp_path / "a.PNG", [], (".jpg", ".png"), "preview")
    with pytest.raises(OptionInvalid) as refused:
        check_target(tmp_path / "a.gif", [], (".jpg", ".png"), "preview")
    assert refused.value.details["option"] == "preview" and ".jpg or .png" in refused.value.hint
