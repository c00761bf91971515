"""The list of chosen videos: verdicts in words, first pictures as files."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from heygem.jobs.preflight import BAD, GOOD, WARN, Verdict
from ui.draft import poster_path, row_id, sentence, show_draft


@pytest.fixture
def uploads(tmp_path: Path) -> list[str]:
    paths = [tmp_path / str(n) / f"{name}.mp4" for n, name in enumerate(("good", "small", "bad", "new"))]
    for path in paths:
        path.parent.mkdir()
        path.touch()
    return [str(path) for path in paths]


def desk(paths: list[str]) -> Any:
    """A desk whose preflight has looked at all but the last; the real one is asked in tests/e2e."""
    verdicts = [
        Verdict(GOOD, (), 1, 8.0, 512, 512, False, b"JPEG"),
        Verdict(WARN, (("preflight_narrow", {"width": "87"}),), 1, 0.0, 160, 160, True, b"JPEG"),
        Verdict(BAD, (("input.empty", {"name": "<b>bad.mp4"}),)),
    ]
    known = dict(zip(map(Path, paths), verdicts, strict=False))
    return SimpleNamespace(preflight=SimpleNamespace(ask=known.get))


def test_rows_say_what_was_found(uploads: list[str]) -> None:
    view = show_draft(uploads, desk(uploads), "zh")
    good, small, bad, new = view["rows"]
    assert (good["name"], good["word"], good["facts"]) == ("good.mp4", "可以使用", ["8.0 秒", "512 × 512"])
    assert small["facts"] == ["照片", "160 × 160"] and "87 像素" in small["lines"][0]
    assert (bad["level"], bad["facts"], bad["poster"]) == (BAD, [], "")
    assert bad["lines"] == ["“b bad.mp4”是空文件，里面没有内容。 可能是导出或上传时中断了，请重新导出或上传。"]
    assert (new["word"], new["lines"]) == ("正在检查……", [])
    assert view["summary"] == ["共 4 个", "1 个可以使用", "1 个需要注意", "1 个可能失败", "1 个正在检查"]
    assert len(view["about"]) == 2 and len({row["id"] for row in view["rows"]}) == 4


def test_first_pictures_are_files_beside_the_uploads(uploads: list[str]) -> None:
    for _ in range(2):
        good, *_ = show_draft(uploads, desk(uploads), "en")["rows"]
    file = poster_path(Path(uploads[0]))
    assert file.read_bytes() == b"JPEG" and good["poster"].endswith("/0/good.poster.jpg")
    assert [*file.parent.glob("*.part")] == []


def test_an_empty_list_is_empty() -> None:
    assert show_draft([], desk([]), "zh")["rows"] == []


def test_every_verdict_has_its_sentence() -> None:
    from ui.words.preflight import PREFLIGHT

    for key, (zh, _) in PREFLIGHT.items():
        details = {name: "3" for name in ("frames", "count", "width", "height", "degrees", "fps", "minutes")}  # noqa: C420
        assert sentence((key, details), "zh") == zh.format(**details)
    assert row_id("a") != row_id("b")
