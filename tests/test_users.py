"""The file of users: hashed, private, read anew, closed where it is damaged."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path

import pytest

from heygem.errors import OptionInvalid, UsersUnusable
from heygem.users import Users


@pytest.fixture
def users(tmp_path: Path) -> Users:
    return Users(tmp_path / "home" / "users.json")


def test_a_user_is_added_changed_and_removed(users: Users) -> None:
    assert not users.exists() and users.names() == [] and not users.check("ann", "")
    assert users.set("ann", "correct horse") is True
    assert users.check("ann", "correct horse") and not users.check("ann", "Correct horse")
    before = users.mark("ann")
    assert users.set("ann", "battery staple") is False
    assert users.check("ann", "battery staple") and not users.check("ann", "correct horse")
    assert before and users.mark("ann") not in (None, before)
    users.remove("ann")
    assert users.names() == [] and users.mark("ann") is None and not users.check("ann", "battery staple")
    assert users.exists(), "an empty file still asks for a login"


def test_the_file_holds_hashes_and_is_private(users: Users) -> None:
    users.set("王小明", "correct horse")
    assert stat.S_IMODE(users.file.stat().st_mode) == 0o600
    assert json.loads(users.file.read_text("utf-8"))["王小明"].startswith("$argon2id$")
    assert "correct" not in users.file.read_text("utf-8")
    assert [path.name for path in users.file.parent.iterdir()] == ["users.json"]


def test_names_in_other_forms_are_the_same_user(users: Users) -> None:
    users.set("Ann.Lee", "correct horse")
    assert users.check(" ＡＮＮ.lee ", "correct horse") and users.names() == ["ann.lee"]
    assert users.set("ANN.LEE", "correct horse") is False


@pytest.mark.parametrize(("name", "password"), [("", "correct horse"), ("a b", "correct horse"), ("ann", "short")])
def test_bad_names_and_short_passwords_are_refused(users: Users, name: str, password: str) -> None:
    with pytest.raises(OptionInvalid) as caught:
        users.set(name, password)
    assert "short" not in caught.value.message + caught.value.hint and not users.exists()


def test_who_is_not_there_cannot_be_removed(users: Users) -> None:
    users.set("ann", "correct horse")
    with pytest.raises(OptionInvalid, match="bob"):
        users.remove("bob")


def test_a_change_by_another_process_is_seen(users: Users) -> None:
    users.set("ann", "correct horse")
    assert users.check("ann", "correct horse")
    Users(users.file).set("ann", "battery staple")
    assert users.check("ann", "battery staple") and not users.check("ann", "correct horse")


@pytest.mark.parametrize("content", ["", "[]", '{"ann": "plain"}', '{"ann": 1}', "\x00", '{"ann": '])
def test_a_damaged_file_lets_nobody_in(users: Users, content: str) -> None:
    users.file.parent.mkdir()
    users.file.write_text(content)
    for act in (users.names, lambda: users.check("ann", "plain"), lambda: users.mark("ann")):
        with pytest.raises(UsersUnusable, match="hashed passwords"):
            act()


def test_an_unknown_name_takes_as_long_as_a_known_one(users: Users) -> None:
    users.set("ann", "correct horse")

    def seconds(name: str) -> float:
        began = time.process_time()
        assert not users.check(name, "wrong horse")
        return time.process_time() - began

    known, unknown = (min(seconds(name) for _ in range(4)) for name in ("ann", "bob"))
    assert 0.5 < known / unknown < 2
