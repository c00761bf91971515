"""Which language a text is in, and how sure that is."""

from __future__ import annotations

import pytest

from heygem.say import language_of
from heygem.say.tongue import LANGUAGES


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("zh", "大家好，欢迎来到我们的频道，今天聊一聊人工智能。"),
        ("zh", "大家好，歡迎來到我們的頻道"),
        ("zh", "你好"),
        ("zh", "我用 iPhone 15 拍照，然后 share 到朋友圈"),
        ("yue", "今日天氣好好，我哋去飲茶"),
        ("en", "The quick brown fox jumps over the lazy dog"),
        ("en", "Hello everybody"),
        ("en", "HELLO EVERYBODY, WELCOME"),
        ("ja", "東京は日本の首都です"),
        ("ja", "カタカナ"),
        ("ko", "안녕하세요 세계"),
        ("fr", "Bonjour tout le monde"),
        ("de", "Guten Tag, wie geht es Ihnen?"),
        ("es", "Buenos días"),
        ("it", "Buongiorno a tutti"),
        ("pt", "Muito obrigado pela vossa atenção"),
        ("ru", "Добрый день"),
        ("uk", "Привіт, як справи?"),
        ("ar", "مرحبا بالعالم"),
        ("he", "שלום"),
        ("hi", "नमस्ते"),
        ("th", "สวัสดี"),
        ("el", "γεια σου"),
        ("vi", "xin chào"),
        ("tr", "Günaydın arkadaşlar"),
        ("mn", "Монгол улсын нийслэл Улаанбаатар хот юм."),
    ],
)
def test_the_language_of_a_text(code: str, text: str) -> None:
    found = language_of(text)
    assert found.code == code and found.name == LANGUAGES.get(code, code) and 0.3 < found.sureness <= 1


def test_a_longer_text_is_surer() -> None:
    short, long = language_of("good morning"), language_of("good morning everybody and welcome to this channel")
    assert short.code == long.code == "en" and short.sureness < 0.7 < 0.9 < long.sureness


def test_what_says_too_little_is_a_guess_that_says_so() -> None:
    assert language_of("Hallo").code == "en" and language_of("Hallo").sureness < 0.25
    assert language_of("東京").sureness < 0.8 < language_of("我们在东京见面").sureness


@pytest.mark.parametrize("text", ["", "  \n", "123 456", "…!?", "😀"])
def test_no_letters_no_language(text: str) -> None:
    assert (language_of(text).code, language_of(text).sureness) == ("und", 0.0)


def test_a_long_text_is_quick() -> None:
    assert language_of("word " * 100_000 + "你好" * 1000).code == "en"
