"""The suite from end to end on a clip that it makes itself, and what is written about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from heygem import cli
from heygem.bench import quality, report, suite
from heygem.bench.suite import Case, cases
from heygem.errors import OptionInvalid


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEYGEM_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(suite, "CROSS", 2.0)
        yield tmp_path_factory.mktemp("quality")


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, Any]:
    return quality.quality(None, "own/", folder)


def test_a_clip_with_its_own_sound_is_like_itself(found: dict[str, Any]) -> None:
    (row,) = found["rows"]
    assert row["error"] is None
    measures = row["measures"]
    assert measures["opening"] > 0.8 and abs(measures["opening_offset"]) < 1
    assert measures["lmd"] < 0.05
    assert measures["equal"] == 1 and measures["psnr_before"] == 100
    assert measures["psnr"] > 40 and measures["ssim"] > 0.97
    assert 0.6 < measures["sharpness"] < 1.4 and 0.5 < measures["flicker"] < 2 and 0.9 < measures["seam"] < 1.5
    assert found["medians"] == {"own": measures}
    assert row["stages"]["frames"] == 50


def test_the_page_shows_twelve_mouths_twice(found: dict[str, Any], folder: Path) -> None:
    page = report.write(found, folder)
    sheet = cv2.imread(str(folder / found["rows"][0]["picture"]))
    assert sheet is not None and sheet.shape[1] * 4 == sheet.shape[0] * 6
    original, result = sheet[: len(sheet) // 4], sheet[len(sheet) // 4 : len(sheet) // 2]
    assert 0.5 < np.abs(original.astype(float) - result).mean() < 40
    assert found["rows"][0]["picture"] in page.read_text("utf-8")
    assert json.loads((folder / "quality.json").read_text("utf-8")) == found


def test_somebody_without_a_face_does_not_stop_the_others(folder: Path) -> None:
    nobody = folder / "nobody.png"
    cv2.imwrite(str(nobody), np.full((256, 256, 3), 128, np.uint8))
    row = quality.measured(Case("still", "nobody", nobody, None, 1), folder)
    assert row["error"] == "input.no_face" and not row["measures"]
    table = report.table({**HEAD, "rows": [row], "medians": quality.medians([row])})
    assert "| nobody | input.no_face |" in table


HEAD = {"kind": "quality", "date": "2020-02-02", "commit": "abc", "machine": "A machine", "engine": "mesh"}


def made(sharpness: float, psnr: float) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [
        {"group": "own", "name": name, "error": None, "measures": {"sharpness": value, "psnr": psnr}, "picture": ""}
        for name, value in (("a", sharpness), ("b", sharpness + 0.1), ("c", sharpness + 2))
    ]
    for row in rows:
        row["stages"] = {"analyse": 1, "listen": 0.5, "render": 2, "frames": 100}
    return {**HEAD, "rows": rows, "medians": quality.medians(rows)}


def test_the_table_has_medians_and_every_case() -> None:
    lines = report.table(made(1.0, 45)).splitlines()
    cells = {line.split(" | ")[0]: line.split(" | ") for line in lines if line.startswith("|")}
    at = lines[4].split(" | ").index("sharpness")
    assert cells["| **own, median of 3**"][at] == "1.10" and cells["| c"][at] == "3.00"
    assert len({len(row) for row in cells.values() if len(row) > 1}) == 1
    assert "– / 45.0" in cells["| a"] and cells["| a"][-1].startswith("20")


def test_two_runs_are_compared_by_their_medians() -> None:
    assert "1.10 → 1.30" in report.compare(made(1.2, 45), made(1.0, 45))


def test_save_explains_the_columns_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "QUALITY", tmp_path / "QUALITY.md")
    report.save(made(1.0, 45))
    report.save(made(1.2, 45))
    text = report.QUALITY.read_text("utf-8")
    assert text.count("# Quality\n") == 1 and text.count("**own, median of 3**") == 2
    assert all(f"\n- {name}: " in text for name in report.COLUMNS)


def test_the_suite_is_the_held_out_people_in_seven_languages(media_dir: Path) -> None:
    whole = cases(media_dir)
    groups = [case.group for case in whole]
    assert (groups.count("own"), groups.count("cross"), groups.count("silence"), groups.count("noise")) == (15, 7, 2, 2)
    assert groups.count("still") == len(list((media_dir / "portraits").iterdir()))
    assert all(case.video.is_file() and (case.sound is None or case.sound.is_file()) for case in whole)
    assert len({(case.group, case.name) for case in whole}) == len(whole)


def test_a_folder_without_media_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionInvalid):
        cases(tmp_path)


def test_the_command_prints_and_keeps_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tmp_path / "before.json"
    before.write_text(json.dumps(made(1.0, 45)), "utf-8")
    monkeypatch.setattr(quality, "quality", lambda media, only, folder, check: made(1.2, 45))
    out = tmp_path / "out"
    out.mkdir()
    assert cli.main(["bench", "--quality", "--out", str(out), "--against", str(before)]) == 0
    printed = capsys.readouterr().out
    assert "**own, median of 3**" in printed and "1.10 → 1.30" in printed
    assert sorted(path.name for path in out.iterdir()) == ["index.html", "quality.json", "quality.md"]


def test_figures_that_are_none_are_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quality, "quality", lambda *_: pytest.fail("the suite was rendered"))
    (tmp_path / "list.json").write_text("[]", "utf-8")
    for name in ("list.json", "missing.json"):
        assert cli.main(["bench", "--quality", "--against", str(tmp_path / name)]) == 2
        assert name in capsys.readouterr().err
