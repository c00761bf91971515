"""The tree of errors: every one has a code, a message and a hint, and survives the way between processes."""

from __future__ import annotations

import pickle
import re

import pytest

from heygem import errors
from heygem.errors import HeyGemError, InputError
from heygem.errors.base import error_of


def kinds(root: type[HeyGemError] = HeyGemError) -> list[type[HeyGemError]]:
    return [kind for child in root.__subclasses__() for kind in (child, *kinds(child))]


LEAVES = [kind for kind in kinds() if not kind.__subclasses__()]


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_every_error_has_a_code_a_message_and_a_hint(kind):
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", kind.code)
    assert kind.remedy and kind.template and "\n" not in kind.template + kind.remedy
    fields = re.findall(r"{(\w+)}", kind.template + kind.remedy)
    error = kind(**{name: f"<{name}>" for name in fields})
    assert all(f"<{name}>" in error.message + error.hint for name in fields)
    assert "{" not in error.message + error.hint
    assert str(error) == error.message


def test_codes_are_unique():
    codes = [kind.code for kind in LEAVES]
    assert len(codes) == len(set(codes))


def test_the_tree_in_the_docstring_is_the_tree_in_the_code():
    drawn = dict(re.findall(r"[├└]── (\w+) +([a-z]+\.[a-z_]+)", errors.__doc__ or ""))
    assert drawn == {kind.__name__: kind.code for kind in LEAVES}


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_errors_travel_between_processes(kind):
    error = kind(name="a {b} ü.mp4", reason="x")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.details, again.message, again.hint) == (kind, error.details, error.message, error.hint)


def test_a_detail_that_was_not_given_reads_as_nothing():
    assert errors.FileUnreadable(name="a.mp4").message == "“a.mp4” cannot be read as : ."


def test_braces_in_a_file_name_are_only_text():
    assert "{0.__class__}" in errors.FileMissing(name="{0.__class__}").message


def test_half_a_sign_can_be_sent_and_stored():
    error = errors.FileMissing(name="a\ud83d.mp4")
    assert error.message.encode() and error.details == {"name": "a?.mp4"}


def test_what_the_user_caused_can_be_caught_at_once():
    assert issubclass(errors.NoFace, InputError) and issubclass(errors.OptionInvalid, InputError)
    assert not issubclass(errors.Cancelled, InputError)


def test_an_error_is_found_by_its_code():
    found = error_of("input.empty", {"name": "a.mp4"})
    assert type(found) is errors.FileEmpty and found.details == {"name": "a.mp4"}
    assert type(error_of("from.the.future", {"reason": "x"})) is HeyGemError
