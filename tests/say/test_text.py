"""Texts before they are spoken: cleaned, divided, and Chinese numbers and syllables that espeak cannot say."""

from __future__ import annotations

import pytest

from heygem.errors import TextEmpty, TextTooLong
from heygem.say import chinese
from heygem.say.text import LONGEST, clean, portions, unreadable


def test_what_nobody_can_say_is_gone() -> None:
    assert clean("\ufeff a\x00b\x1b[1m\ud800 c\r\nd\u2028e\tf\u0301 ") == "ab[1m c\nd\ne\tf\u0301"
    assert clean("e\u0301") == "é"


@pytest.mark.parametrize("text", ["", " \n", "。！?", "\x00\x07", "😀"])
def test_a_text_without_a_word(text: str) -> None:
    with pytest.raises(TextEmpty):
        clean(text)


def test_the_longest_text() -> None:
    assert len(clean("好" * LONGEST)) == LONGEST
    with pytest.raises(TextTooLong, match=r"20001 signs; the most is 20000"):
        clean("好" * (LONGEST + 1))


@pytest.mark.parametrize(
    ("most", "text", "parts"),
    [
        (20, "short", ["short"]),
        (20, "One two. Three four. Five", ["One two. Three four.", "Five"]),
        (13, "价格是3.5元。一共三句！好", ["价格是3.5元。一共三句！", "好"]),
        (6, "价格是3.5元。一共", ["价格是3.5", "元。一共"]),
        (20, "one, two, three, four, five", ["one, two, three,", "four, five"]),
        (20, "a" * 25, ["a" * 20, "a" * 5]),
        (20, "Hi. " + "x" * 30, ["Hi.", "x" * 20, "x" * 10]),
        (20, "word. ..." + " " * 30, ["word. ..."]),
    ],
)
def test_long_texts_are_divided_where_one_breathes(most: int, text: str, parts: list[str]) -> None:
    assert portions(text, most) == parts


def test_nothing_is_lost_between_portions() -> None:
    text = "这是第一句，比较长。这是第二句；Version 1.2 is out! 第三句？" * 40
    parts = portions(text, 100)
    assert all(len(part) <= 100 for part in parts) and "".join(parts).replace(" ", "") == text.replace(" ", "")


def test_signs_that_a_voice_would_only_spell() -> None:
    assert unreadable("你好 hello 你", han=False, kana=False) == "你好"
    assert unreadable("你好", han=True, kana=False) == ""
    assert unreadable("東京は", han=False, kana=True) == "東京"
    assert unreadable("𠮷野家", han=True, kana=True) == "𠮷", "outside of all dictionaries"
    assert unreadable("привет, 안녕, Ægir · 3%", han=False, kana=False) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2024年5月1日", "二零二四年五月一日"),
        ("增长3.5%", "增长百分之三点五"),
        ("10086人", "一万零八十六人"),
        ("电话13800138000", "电话一三八零零一三八零零零"),
        ("1,234.5元", "一千二百三十四点五元"),
        ("1,000,000,000", "十亿"),
        ("12:30和9:05和8:00", "十二点三十分和九点零五分和八点"),
        ("0 10 15 110 1005 20001 100000 1200000", "零 十 十五 一百一十 一千零五 二万零一 十万 一百二十万"),
        ("007", "零零七"),
        ("号码是13800138000,110,120。", "号码是一三八零零一三八零零零,一百一十,一百二十。"),
        ("12345,678元", "一万二千三百四十五,六百七十八元"),
        ("1,2345和3,456%", "一,二千三百四十五和百分之三千四百五十六"),
        ("单价,1,234元", "单价,一千二百三十四元"),
        ("2,000,000,000,000,000", "二千万亿"),
        ("1,000,000,000,000,000,001", "一零零零零零零零零零零零零零零零零零一"),
        ("没有数字", "没有数字"),
        pytest.param("1" * 20_000, "一" * 20_000, id="many digits"),
    ],
)
def test_numbers_as_they_are_said(text: str, said: str) -> None:
    assert chinese.said(text) == said


def test_only_our_own_sounds_stand_in_brackets() -> None:
    assert chinese.sounded("熊[[boo]] [[[") == "[[S;j'ong35]][ [boo]] [ [ ["
