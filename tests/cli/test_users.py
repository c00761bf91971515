"""``heygem users`` as an administrator meets it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

from heygem import cli
from heygem.users import Users


def told(shell, password: str, *arguments: str) -> tuple[int, str, str]:
    with shell.start("users", *arguments, stdin=subprocess.PIPE) as child:
        out, error = child.communicate(password, timeout=60)
    return child.returncode, out, error


def test_add_list_remove(shell, tmp_path):
    shell.environment["HEYGEM_USERS_FILE"] = str(tmp_path / "who.json")
    code, out, error = told(shell, "correct horse\n", "add", "ann")
    assert (code, out) == (0, "ann may log in now\n") and "login from now on" in error
    assert Users(tmp_path / "who.json").check("ann", "correct horse")
    assert told(shell, "battery staple\n", "add", "Ann") == (0, "Ann has a new password\n", "")
    assert told(shell, "", "list") == (0, "ann\n", "")
    code, out, error = told(shell, "", "remove", "ann")
    assert code == 0 and "remove " + str(tmp_path / "who.json") in error
    code, out, error = told(shell, "", "remove", "ann")
    assert code == 2 and "“ann”" in error and "Traceback" not in error
    code, out, error = told(shell, "short\n", "add", "bob")
    assert code == 2 and "8 to 256 characters" in error


def test_on_a_terminal_the_password_is_asked_twice_and_never_shown(shell, tmp_path):
    shell.environment["HEYGEM_USERS_FILE"] = str(tmp_path / "who.json")
    for second, code in (("correct horse", 0), ("other", 2)):
        pid, terminal = pty.fork()
        if pid == 0:  # the child, on a terminal of its own
            os.chdir(shell.folder)
            os.execve(sys.executable, [sys.executable, "-m", "heygem", "users", "add", "ann"], shell.environment)
        shown = b""
        for prompt, answer in ((b"Password: ", "correct horse"), (b"Once more: ", second)):
            while prompt not in shown:
                shown += os.read(terminal, 1024)
            os.write(terminal, f"{answer}\n".encode())
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == code
        os.close(terminal)
        assert b"horse" not in shown
    assert Users(tmp_path / "who.json").check("ann", "correct horse")


def test_the_end_of_the_input_is_no_password(tmp_path, monkeypatch, capsys):
    def ends(prompt: str) -> str:
        raise EOFError

    monkeypatch.setenv("HEYGEM_USERS_FILE", str(tmp_path / "who.json"))
    monkeypatch.setattr("getpass.getpass", ends)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert cli.main(["users", "add", "ann"]) == 2
    assert "8 to 256 characters" in capsys.readouterr().err and list(tmp_path.iterdir()) == []
