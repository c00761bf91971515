"""The parts of the login: attempts, seal, key, words."""

from __future__ import annotations

import re
import stat
import string
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from itsdangerous import TimestampSigner

from api import attempts, session
from api.attempts import Attempts
from api.session import Seal
from api.words import WORDS, say
from heygem.errors import OutputError
from heygem.keyfile import key_of


def test_the_wait_doubles_ends_and_is_forgotten() -> None:
    now = [1000.0]
    some = Attempts(3, lambda: now[0])
    waits = []
    for _ in range(14):
        some.mistaken("ann")
        waits.append(some.wait("ann"))
    assert waits == [0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]
    assert some.wait("bob") == 0
    now[0] += 299
    assert some.wait("ann") == 1
    now[0] += 1
    assert some.wait("ann") == 0
    some.forget("ann")
    some.mistaken("ann")
    assert some.wait("ann") == 0
    for _ in range(3):
        some.mistaken("ann")
    now[0] += attempts.MEMORY + 1
    some.mistaken("ann")
    assert some.wait("ann") == 0, "an hour later it is the first mistake again"


def test_the_memory_of_mistakes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_MOST", 3)
    some = Attempts(1)
    for name in "abcd":
        some.mistaken(name)
    assert [some.wait(name) > 0 for name in "abcd"] == [False, True, True, True]


def test_a_seal_is_of_one_key_and_of_one_week(monkeypatch: pytest.MonkeyPatch) -> None:
    seal = Seal(b"k" * 32)
    value = seal.close("王小明", "mark")
    assert seal.open(value) == ("王小明", "mark") and value.isascii()
    assert Seal(b"x" * 32).open(value) is None and seal.open(value[:-2]) is None
    born = TimestampSigner.get_timestamp
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: born(self) + session.SECONDS + 1)
    assert seal.open(value) is None


def test_the_key_is_made_once_also_by_many_at_a_time(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: key_of(tmp_path / "home" / "session.key"), range(8)))
    assert len(keys) == 1 and len(keys.pop()) == 32
    [file] = (tmp_path / "home").iterdir()
    assert file.name == "session.key" and stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_short_key_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "session.key").write_bytes(b"abc")
    with pytest.raises(OutputError, match="cut short"):
        key_of(tmp_path / "session.key")


@pytest.mark.parametrize("key", WORDS)
def test_every_sentence_in_both_languages_with_the_same_values(key: str) -> None:
    zh, en = WORDS[key]
    assert re.search(r"[\u4e00-\u9fff]", zh) and not re.search(r"[\u4e00-\u9fff]", en)
    fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (zh, en)]
    assert fields[0] == fields[1]
    assert say(key, "en", seconds=3) == en.format(seconds=3)
