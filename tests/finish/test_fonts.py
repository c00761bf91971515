"""Which font is chosen, from folders of made ones, as on machines without fontconfig."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont
from PIL import ImageFont

from heygem.errors import FontMissing
from heygem.finish import fonts
from heygem.finish.fonts import BOLD, face_for, faces_for, faces_named, lacked, signs


def made(family: str, text: str, weight: int = 400, outlines: bool = True) -> TTFont:
    """A font whose signs are squares, 1000 wide on lines 1250 high."""
    glyphs = [".notdef", *(f"u{ord(sign):x}" for sign in text)]
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 800), (900, 800), (900, 0)):
        pen.lineTo(point)
    pen.closePath()
    square = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap({ord(sign): f"u{ord(sign):x}" for sign in text})
    if outlines:
        builder.setupGlyf(dict.fromkeys(glyphs, square))
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 100)))
    builder.setupHorizontalHeader(ascent=1000, descent=-250)
    builder.setupNameTable({"familyName": family, "styleName": "Bold" if weight > 500 else "Regular"})
    builder.setupOS2(usWeightClass=weight, usWinAscent=1000, usWinDescent=250)
    builder.setupPost()
    return builder.font


def font_for(text: str, name: str = "") -> Path:
    return face_for(text, name).path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of fonts of a machine without fontconfig."""
    monkeypatch.setattr(fonts.shutil, "which", lambda name: None)
    monkeypatch.setattr(fonts, "_folders", lambda: [tmp_path])
    monkeypatch.setattr(fonts, "_spare", lambda: [])
    return tmp_path


def test_the_most_readable_font_with_all_signs_is_taken(folder: Path) -> None:
    made("A Strange One", "ab你好").save(folder / "a.ttf")
    made("WenQuanYi Micro Hei", "ab你好").save(folder / "b.ttf")
    made("Noto Sans CJK SC", "ab你").save(folder / "c.ttf")
    made("DejaVu Sans", "ab").save(folder / "d.ttf")
    assert font_for("a你").name == "c.ttf"
    assert font_for("a你好").name == "b.ttf"
    assert font_for("ab").name == "d.ttf", "Latin alone reads better in a Latin font"
    assert font_for("你好", "a strange one").name == "a.ttf"


def test_japanese_and_korean_have_their_own_faces(folder: Path) -> None:
    for family in ("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR"):
        made(family, "語かカ한").save(folder / f"{family[-2:]}.ttf")
    assert [font_for(text).stem for text in ("語", "語か", "カ", "한")] == ["SC", "JP", "JP", "KR"]


def test_the_weight_nearest_to_what_is_asked_for(folder: Path) -> None:
    for weight in (300, 400, 700, 900):
        made("Noto Sans", "a", weight).save(folder / f"{weight}.ttf")
    assert (face_for("a").weight, face_for("a", weight=BOLD).weight) == (400, 700)


def test_the_face_of_a_collection(folder: Path) -> None:
    collection = TTCollection()
    collection.fonts = [made("Other", "ab"), made("Noto Sans SC", "ab你")]
    collection.save(folder / "both.ttc")
    face = face_for("你")
    assert (face.path.name, face.index, face.family) == ("both.ttc", 1, "Noto Sans SC")
    assert ImageFont.truetype(str(face.path), 20, index=face.index).getname()[0] == "Noto Sans SC"
    assert [face.index for face in faces_named(["Other", "none"])["other"]] == [0]


def test_several_fonts_where_no_one_has_all_signs(folder: Path) -> None:
    made("Noto Sans SC", "你好").save(folder / "a.ttf")
    made("Arabic", "سلام").save(folder / "b.ttf")
    assert {face.path.name for face in faces_for("你好 سلام")} == {"a.ttf", "b.ttf"}
    with pytest.raises(FontMissing):
        font_for("你好 سلام")


def test_what_is_lacking_is_said(folder: Path) -> None:
    made("Latin", "abc").save(folder / "a.ttf")
    for text, name, reason, what in (
        ("a你好", "", "no installed font has all its signs", "你好"),
        ("a你好", "latin", "this font lacks signs of it", "latin: 你好"),
        ("abc", "Comic", "this font is not installed", "Comic"),
    ):
        with pytest.raises(FontMissing) as error:
            faces_for(text, name)
        assert (error.value.details["reason"], error.value.details["what"]) == (reason, what)
        assert "fonts-noto-cjk" in error.value.hint


def test_a_font_that_was_installed_meanwhile_is_found(folder: Path) -> None:
    with pytest.raises(FontMissing):
        font_for("你")
    made("Any", "你").save(folder / "new.ttf")
    assert font_for("你").name == "new.ttf"


def test_emoji_and_what_is_not_seen_need_no_font(folder: Path) -> None:
    made("Latin", "ab").save(folder / "a.ttf")
    assert signs("a b\u200d\ufe0f😀👍🏽♪\n") == {"a", "b"}
    assert font_for("a b 😀👍🏽").name == "a.ttf"


def test_damaged_files_and_pictures_of_signs_are_passed_over(folder: Path) -> None:
    (folder / "a.ttf").write_bytes(b"\x00\x01\x00\x00 this is no font")
    (folder / "b.ttc").write_bytes(b"ttcf")
    made("Noto Sans", "a", outlines=False).save(folder / "c.ttf")
    made("Unknown", "a").save(folder / "d.ttf")
    assert font_for("a").name == "d.ttf"


def test_a_font_of_symbols_alone_has_no_letters(folder: Path) -> None:
    symbols = made("Noto Sans", "\uf061")
    (table, *_) = symbols["cmap"].tables
    table.platformID, table.platEncID = 3, 0
    symbols["cmap"].tables = [table]
    symbols.save(folder / "a.ttf")
    made("Unknown", "a").save(folder / "b.ttf")
    assert font_for("a").name == "b.ttf"


def test_each_font_is_read_once_however_many_signs_are_looked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        made(f"Font {number}", chr(0x4E00 + number)).save(folder / f"{number:02}.ttf")
    faces = [face for found in faces_named(f"font {number}" for number in range(12)).values() for face in found]
    opened: list[Path] = []
    real = TTFont.__init__

    def opens(self: TTFont, file: Path, **given: Any) -> None:
        opened.append(file)
        real(self, file, **given)

    monkeypatch.setattr(TTFont, "__init__", opens)
    fonts._advances.cache_clear()
    assert lacked("一丁丂七丄丅丆万丈三上下不", faces) == {"不"}
    assert len(faces) == len(opened) == 12


def test_many_names_are_looked_up_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(fonts, "_installed", lambda needed: asked.append(needed) or [])
    assert faces_named(["A", "b"]) == {"a": [], "b": []} and len(asked) == 1


def test_widths_are_shares_of_the_height_of_a_line(folder: Path) -> None:
    made("Latin", "a").save(folder / "a.ttf")
    assert face_for("a").advances == {ord("a"): 1000 / 1250}


def test_a_machine_without_fonts_still_writes_latin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts.shutil, "which", lambda name: None)
    monkeypatch.setattr(fonts, "_folders", lambda: [])
    assert font_for("Hello, Привет!").name == "DejaVuSans.ttf"
    assert face_for("Hello", weight=BOLD).path.name == "DejaVuSans-Bold.ttf"


def test_what_fontconfig_says_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for fc-list, which is asked for the signs."""
    made("思源黑体", "你").save(tmp_path / "a.ttf")
    made("Variable", "你").save(tmp_path / "b.ttf")
    program = tmp_path / "fc-list"
    program.write_text(
        f"""#!/bin/sh
case "$3" in *charset=4f60*) ;; *) exit 1 ;; esac
printf '%s/a.ttf\\t0\\tSource Han Sans SC,思源黑体\\tSource Han Sans SC Bold\\t200\\t0\\n' {tmp_path}
printf '%s/b.ttf\\t131072\\tVariable\\tVariable Medium\\t[0 210]\\t0\\n' {tmp_path}
printf '%s/c.pfb\\t0\\tOld\\tOld\\t80\\t0\\n' {tmp_path}
"""
    )
    program.chmod(0o755)
    monkeypatch.setattr(fonts.shutil, "which", lambda name: str(program))
    face = face_for("你", "思源黑体")
    assert (face.family, face.path.name, face.weight) == ("Source Han Sans SC", "a.ttf", 700)
    assert face_for("你", "variable").index == 0
    assert face_for("你").path.name == "a.ttf"
