"""``heygem weights`` as an administrator meets it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
from pathlib import Path

import pytest
import torch

from heygem.cli import main
from heygem.weights.store import WEIGHTS
from heygem.weights.table import TABLE
from tests.weights import made
from tests.weights.hub import hub
from tests.weights.test_download import published


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEYGEM_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": made.wav2lip(8)}, tmp_path / "mine.pth")
    return tmp_path / "home"


def test_list_says_what_is_there_and_what_may_be_done_with_it(capsys, home):
    assert main(["weights", "list"]) == 0
    shown = capsys.readouterr().out
    for row in TABLE.values():
        assert row.name in shown and row.page in shown and row.licence in shown and row.reason in shown
    assert not home.exists()
    main(["weights", "add", "mine.pth"])
    (home / "weights" / "sd-vae").mkdir()
    capsys.readouterr()
    assert main(["weights", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == list(TABLE)
    assert rows["wav2lip-256"]["state"] == "installed" and rows["sd-vae"]["state"] == "damaged"
    assert rows["musetalk"]["state"] == "not installed" and rows["musetalk"]["size"] == 3_400_074_924


def test_add_verify_remove(capsys, home):
    assert main(["weights", "add", "mine.pth", "--i-have-rights", "--json"]) == 0
    out, error = capsys.readouterr()
    assert json.loads(out)["name"] == "wav2lip-256" and json.loads(out)["rights"] is True
    assert "UNCLEAR" in error
    assert main(["weights", "verify"]) == 0
    assert capsys.readouterr().out == "wav2lip-256: ok\n"
    file = home / "weights" / "wav2lip-256" / WEIGHTS
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert main(["weights", "verify", "wav2lip-256"]) == 1
    out, error = capsys.readouterr()
    assert out == "wav2lip-256: damaged\n" and "heygem weights remove" in error
    assert main(["weights", "remove", "wav2lip-256"]) == 0
    assert main(["weights", "verify", "wav2lip-256"]) == 1
    assert "not installed" in capsys.readouterr().err


def test_wrong_calls_say_what_is_possible(capsys, tmp_path):
    torch.save(made.wav2lip(), tmp_path / "mine.pth")
    assert main(["weights", "add", "mine.pth"]) == 1
    assert "wav2lip, wav2lip-gan" in capsys.readouterr().err
    assert main(["weights", "add", "mine.pth", "--name", "wav2lip-gan"]) == 0
    assert main(["weights", "add", "mine.pth", "--name", "gan"]) == 2
    assert main(["weights", "add", "none.pth"]) == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    out = io.BytesIO()
    torch.save(made.parsing(), out)
    published(monkeypatch, "face-parsing", out.getvalue())
    with hub(out.getvalue()) as running:
        monkeypatch.setenv("HEYGEM_WEIGHTS_MIRROR", running.url)
        yield running


def test_a_script_has_to_say_yes(capsys, server, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert main(["weights", "download", "face-parsing"]) == 2
    error = capsys.readouterr().err
    assert "CelebAMask-HQ" in error and "--yes" in error and server.asked == []
    assert main(["weights", "download", "face-parsing", "--yes", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["original_sha256"] == hashlib.sha256(server.content).hexdigest()
    assert facts["licence"] == TABLE["face-parsing"].licence


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("", 1), ("no", 1)])
def test_on_a_terminal_it_is_asked(capsys, server, monkeypatch, answer, code):
    ours, theirs = os.openpty()
    with open(theirs) as terminal:  # noqa: PTH123  a descriptor
        monkeypatch.setattr(sys, "stdin", terminal)
        os.write(ours, f"{answer}\n".encode())
        assert main(["weights", "download", "face-parsing"]) == code
    os.close(ours)
    assert "[y/N]" in capsys.readouterr().err
    assert len(server.asked) == (code == 0)


def test_a_commercial_server_refuses_before_it_asks(capsys, server, monkeypatch):
    monkeypatch.setenv("HEYGEM_COMMERCIAL", "true")
    assert main(["weights", "download", "face-parsing", "--yes"]) == 1
    assert "HEYGEM_COMMERCIAL" in capsys.readouterr().err and server.asked == []
    assert main(["weights", "download", "face-parsing", "--yes", "--i-have-rights"]) == 0


def test_what_is_in_no_hub_says_where_to_get_it(capsys):
    assert main(["weights", "download", "wav2lip", "--yes"]) == 1
    assert "https://github.com/Rudrabha/Wav2Lip" in capsys.readouterr().err
