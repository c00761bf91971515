"""Files of subtitles as people have them: every form, every encoding, and what is wrong with the others."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest

from heygem.errors import SubtitlesUnusable
from heygem.finish.captions import MOST_BYTES, Captions, bare, read
from heygem.finish.lines import broken

SRT = "1\n00:00:00,500 --> 00:00:01,250\n你好\n\n2\n00:00:02,000 --> 00:00:03,000\n第二行\n继续\n"
SIMPLIFIED = "1\n00:00:00,500 --> 00:00:01,250\n大家好，今天我们要介绍一款非常有意思的产品。\n"
TRADITIONAL = "1\n00:00:00,500 --> 00:00:01,250\n大家好，今天我們要介紹一款非常有意思的產品。\n"
ASS = """[Script Info]
; a comment
PlayResX: 640
PlayResY: 360
Video File: /etc/passwd

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,40,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,2,0,2,10,10,10,1

[Fonts]
fontname: evil_0.ttf
!!!!!!!!

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,not seen
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\pos(10,10)}Hello\\NWorld
Dialogue: 0,0:00:03.00,0:00:02.00,Default,,0,0,0,,left over
"""


def write(tmp_path: Path, text: str | bytes, name: str = "lines.srt") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def lines(captions: Captions) -> list[tuple[int, int, str]]:
    return [(event.start, event.end, bare(event.text)) for event in captions.subs.events]


def test_srt(tmp_path: Path) -> None:
    captions = read(write(tmp_path, SRT))
    assert captions.plain
    assert lines(captions) == [(500, 1250, "你好"), (2000, 3000, "第二行\n继续")]


@pytest.mark.parametrize(
    "text",
    [
        SRT.replace("\n", "\r\n"),
        SRT.replace("\n", "\r\r\n"),
        SRT.replace("\n", "\n\n"),
        SRT.replace("1\n00", "00").replace("2\n00", "00"),
        SRT.replace("1\n00", "0\n00").replace("2\n00", "1\n00"),
        SRT.replace(",", "."),
        "\n\nfirst some words\n\n" + SRT,
        SRT.replace(",250", ",250  X1:10 X2:20 Y1:1 Y2:2"),
    ],
    ids=["crlf", "crcrlf", "double", "no numbers", "from zero", "points", "preface", "coordinates"],
)
def test_srt_as_other_programs_write_it(tmp_path: Path, text: str) -> None:
    assert lines(read(write(tmp_path, text))) == [(500, 1250, "你好"), (2000, 3000, "第二行\n继续")]


def test_a_line_that_is_a_number_stays(tmp_path: Path) -> None:
    text = "1\n00:00:00,000 --> 00:00:01,000\n100\n\n2\n00:00:01,000 --> 00:00:02,000\n1 + 1 =\n2\n\n"
    assert lines(read(write(tmp_path, text))) == [(0, 1000, "100"), (1000, 2000, "1 + 1 =\n2")]


def test_a_number_alone_is_a_text_where_none_is_numbered(tmp_path: Path) -> None:
    text = "".join(f"00:00:0{n},000 --> 00:00:0{n + 1},000\n{n + 2}\n\n" for n in range(3))
    assert lines(read(write(tmp_path, text))) == [(0, 1000, "2"), (1000, 2000, "3"), (2000, 3000, "4")]
    web = "WEBVTT\n\n1\n" + text.replace(",", ".").replace("\n\n0", "\n\nname\n0").replace("\n3\n", "\nthree\n3\n")
    assert lines(read(write(tmp_path, web))) == [(0, 1000, "2"), (1000, 2000, "three\n3"), (2000, 3000, "4")]


@pytest.mark.parametrize("text", [SRT, "WEBVTT\n\n" + SRT])
def test_a_text_that_looks_like_a_time_is_a_text_where_times_have_arrows(tmp_path: Path, text: str) -> None:
    found = lines(read(write(tmp_path, text.replace("继续", "9:00-17:00 open"))))
    assert found == [(500, 1250, "你好"), (2000, 3000, "第二行\n9:00-17:00 open")]


def test_numbers_go_behind_two_marks_of_the_encoding(tmp_path: Path) -> None:
    assert lines(read(write(tmp_path, "\ufeff\ufeff" + SRT))) == [(500, 1250, "你好"), (2000, 3000, "第二行\n继续")]


def test_webvtt(tmp_path: Path) -> None:
    text = """WEBVTT - title

STYLE
::cue { color: red }

intro
00:00.500 --> 00:01.250 align:start position:0%
<v Ann>Fish &amp; <i>chips</i></v>

NOTE not for the viewer

01:00:02.000 --> 01:00:03.000
<00:00:02.000><c> word</c><00:00:02.500><c> by word</c>
"""
    assert lines(read(write(tmp_path, text))) == [(500, 1250, "Fish & chips"), (3_602_000, 3_603_000, "word by word")]


@pytest.mark.parametrize(
    "line",
    [
        "00:00:01,200 --> 00:00:03,500 你好",
        "0:01.2 - 0:03.5 你好",
        "0:01.20–0:03.500：你好",
        "[00:01.2 - 00:03.5] 你好",
        "（0:01.2～0:03.5）你好",
        "00:00:01.2 -> 00:00:03.5\t你好",
        "0:01.2至0:03.5 | 你好",
        "0:01.2 --> 0:03.5\n你好",
    ],
)
def test_a_text_with_times(tmp_path: Path, line: str) -> None:
    text = f"{line}\n0:04 - 0:05 再见\n"
    assert lines(read(write(tmp_path, text, "lines.txt"))) == [(1200, 3500, "你好"), (4000, 5000, "再见")]


def test_lyrics_go_on_until_the_next_line(tmp_path: Path) -> None:
    text = "[ti:Song]\n[offset:+200]\n[00:01.20] one\n[00:03.50][00:07.5]again\n[00:05]\n"
    found = lines(read(write(tmp_path, text, "song.lrc")))
    assert found == [(1000, 3300, "one"), (3300, 4800, "again"), (7300, 11300, "again")]


def test_lyrics_in_two_languages_are_seen_together(tmp_path: Path) -> None:
    text = "[00:01]one\n[00:01]一\n[00:03]two\n[00:03]二\n"
    assert lines(read(write(tmp_path, text, "song.lrc"))) == [(1000, 3000, "one\n一"), (3000, 7000, "two\n二")]


def test_ass_keeps_its_styles_and_nothing_else(tmp_path: Path) -> None:
    captions = read(write(tmp_path, ASS))
    assert not captions.plain and captions.subs.styles["Default"].fontname == "Arial"
    assert lines(captions) == [(1000, 2000, "Hello\nWorld")]
    assert captions.subs.events[0].text.startswith(r"{\pos(10,10)}")
    assert captions.subs.info == {"PlayResX": "640", "PlayResY": "360"}
    written = captions.subs.to_string("ass")
    assert not any(word in written for word in ("evil", "passwd", "not seen", "left over", "[Fonts]"))


def test_ssa(tmp_path: Path) -> None:
    text = """[Script Info]
ScriptType: v4.00

[V4 Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, TertiaryColour, BackColour, Bold, Italic, \
BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, AlphaLevel, Encoding
Style: Default,Arial,28,16777215,65535,65535,0,-1,0,1,2,0,2,30,30,10,0,0

[Events]
Format: Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: Marked=0,0:00:01.00,0:00:02.00,Default,,0,0,0,,Hello
"""
    captions = read(write(tmp_path, text, "old.ssa"))
    assert lines(captions) == [(1000, 2000, "Hello")] and captions.subs.styles["Default"].bold


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"])
def test_encodings_of_simplified_chinese(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, SIMPLIFIED.encode(encoding))
    assert lines(read(path))[0][2] == "大家好，今天我们要介绍一款非常有意思的产品。"


@pytest.mark.parametrize("text", ["你好", "谢谢你", "“你好”——他说……《红楼梦》", "㐂喆堃，𠮷野家的龘", "ABC 中"])
def test_short_lines_in_gb18030(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n".encode("gb18030"))
    assert lines(read(path)) == [(1000, 2000, text)]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (TRADITIONAL, "big5"),
        (TRADITIONAL, "gb18030"),
        ("1\n00:00:01,000 --> 00:00:02,000\nÇa va? Très bien, merci à vous. Où êtes-vous né?\n", "cp1252"),
        ("1\n00:00:01,000 --> 00:00:02,000\nПривет, сегодня мы расскажем о новом продукте.\n", "cp1251"),
    ],
)
def test_other_old_encodings(tmp_path: Path, text: str, encoding: str) -> None:
    assert lines(read(write(tmp_path, text.encode(encoding))))[0][2] == text.splitlines()[2]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b" \n\n", "it is empty"),
        (b"just a text\nwithout times\n", "no line in it has a text and a time"),
        (b"00:00:01,000 --> 00:00:02,000\n\n", "no line in it has a text and a time"),
        (b"0:05 - 0:03 backwards\n", "a line ends before it begins"),
        (b"0:05 - 0:06 " + b"word " * 500, "a text is too long to be shown"),
        (b"\xd8\x00\x00\xd8" * 99, "it is not a text"),
        (b"[Script Info]\n[Events]\nDialogue: 0,soon,later,Default,,0,0,0,,Hello\n", "it is no whole ASS file"),
        (b"0:01 - 0:02 x\n" * (MOST_BYTES // 14 + 1), "it is larger than 5 MB"),
        (None, "there is no such file"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "lines.srt" if content is None else write(tmp_path, content)
    with pytest.raises(SubtitlesUnusable) as error:
        read(path)
    assert error.value.details["reason"] == reason and error.value.details["name"] == "lines.srt"


def test_times_that_run_backwards_are_named(tmp_path: Path) -> None:
    with pytest.raises(SubtitlesUnusable) as error:
        read(write(tmp_path, "1:02:05 - 1:02:03.5 backwards\n"))
    assert error.value.details["where"] == " (1:02:05.000)"


def test_lines_come_in_the_order_of_their_times_but_in_ass_as_they_stand(tmp_path: Path) -> None:
    text = "0:03 - 0:04 two\n0:01 - 0:02 one\n"
    assert [said for *_, said in lines(read(write(tmp_path, text)))] == ["one", "two"]
    later = "Dialogue: 0,0:00:05.00,0:00:06.00,Default,,0,0,0,,later\n"
    early = "Dialogue: 0,0:00:05.00,0:00:05.50,Default,,0,0,0,,early\n"
    assert [said for *_, said in lines(read(write(tmp_path, ASS + later + early)))][1:] == ["later", "early"]


def test_a_folder_is_not_subtitles(tmp_path: Path) -> None:
    with pytest.raises(SubtitlesUnusable) as error:
        read(tmp_path)
    assert error.value.details["reason"] == "it is not a file"


def test_a_name_that_no_disk_takes_is_said(tmp_path: Path) -> None:
    with pytest.raises(SubtitlesUnusable) as error:
        read(tmp_path / ("x" * 300))
    assert error.value.details["reason"] == "File name too long"


def test_a_video_is_not_subtitles(tmp_path: Path, portrait: Path) -> None:
    with pytest.raises(SubtitlesUnusable):
        read(portrait)


def test_markup_that_is_none_stays_text(tmp_path: Path) -> None:
    said = "<i>a</i> <font color=red>b</font> {c} <3 C:\\new {\\an8}d {\\p1}"
    event = read(write(tmp_path, f"0:01 - 0:02 {said}\n")).subs.events[0]
    assert event.text == "{\\i1}a{\\i0} b \\{c\\} <3 C:\\\u2060new {\\an8}d \\{\\\u2060p1\\}"


def test_signs_written_as_in_html_are_no_markup(tmp_path: Path) -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\nI &lt;hate&gt; <i>it</i> &amp;amp;\n"
    assert lines(read(write(tmp_path, text))) == [(1000, 2000, "I <hate> it &amp;")]


def test_braces_stay_those_that_they_are() -> None:
    assert bare(r"｛注｝ {\i1}\{a\}{\i0}\Nb") == "｛注｝ {a}\nb"


@pytest.mark.parametrize(
    "line",
    [" " * 5_000_000 + "x", "<" * 4_000_000, "[00:01] " * 100_000, "align:a" * 500_000 + " x", "\n" * 2_000_000 + "x"],
    ids=["spaces", "brackets", "times", "settings", "empty lines"],
)
def test_hostile_files_take_no_time(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, f"0:01 - 0:02 {line}\n[Script]\n")
    since = time.process_time()
    with suppress(SubtitlesUnusable):
        read(path)
    assert time.process_time() - since < 10


def width(sign: str) -> float:
    return 1.0 if sign > "\u2e00" else 0.5


LONG = "大家好，今天我们要介绍一款非常有意思的产品，它可以让任何人的照片开口说话，不需要显卡，也不需要下载任何模型。"


@pytest.mark.parametrize("room", [8, 13, 20, 27, 60])
def test_chinese_lines_fit_and_never_begin_with_a_closing_mark(room: int) -> None:
    found = broken(LONG + "“真的吗？”——他问……《红楼梦》！", width, room)
    assert "".join(found) == LONG + "“真的吗？”——他问……《红楼梦》！"
    assert all(sum(map(width, line)) <= room for line in found)
    assert not any(line[0] in "。，！？”—…》" or line[-1] in "“《" for line in found)


def test_lines_are_few_even_and_break_where_a_reader_would() -> None:
    assert broken("大家好，欢迎来到我们的频道！", width, 13) == ["大家好，", "欢迎来到我们的频道！"]
    assert broken("one two three four", width, 6) == ["one two", "three four"]
    assert broken("短", width, 13) == ["短"]
    assert broken("上面\\N下面", width, 13) == ["上面", "下面"]


def test_words_stay_whole_unless_nothing_else_helps() -> None:
    assert broken("HeyGem 支持中文", width, 4) == ["HeyGem", "支持中文"]
    assert broken("abcdefgh", width, 2) == ["abcd", "efgh"]


def test_tags_take_no_room() -> None:
    assert broken("{\\i1}一二{\\i0}三\\{四\\}", width, 6) == ["{\\i1}一二{\\i0}三\\{四\\}"]
    assert broken("{\\i1}一二{\\i0}三四", width, 2) == ["{\\i1}一二{\\i0}", "三四"]
