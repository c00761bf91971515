"""python -m heygem.comfyui_install: makes the link, does it once, takes it away, and never touches what is not ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from heygem import comfyui_install
from heygem.comfyui_install import NAME, PACK, install, main, make_stub, undo
from heygem.errors import OptionInvalid, OutputError
from tests.comfyui import fake_comfy
from tests.comfyui.engine import load_pack, nodes_of


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a ComfyUI, with a sign in its name that ComfyUI replaces."""
    home = tmp_path / "Comfy.UI 中"
    for name in ("comfy", "custom_nodes"):
        (home / name).mkdir(parents=True)
    (home / "main.py").touch()
    return home


def test_it_links_once_and_takes_the_link_away(home):
    place = home / "custom_nodes" / NAME
    assert install(home) == place == install(home) and place.is_symlink() and place.resolve() == PACK
    assert [path.name for path in (home / "custom_nodes").iterdir()] == [NAME]
    assert undo(home) and not undo(home) and not place.exists() and PACK.is_dir()


def test_a_link_to_another_checkout_or_to_one_that_is_gone_is_led_here(home, tmp_path):
    place, other = home / "custom_nodes" / NAME, tmp_path / "HeyGem" / "comfyui"
    shutil.copytree(PACK, other, ignore=shutil.ignore_patterns("__pycache__"))
    place.symlink_to(other)
    assert install(home).resolve() == PACK and other.is_dir()
    place.unlink()
    place.symlink_to(tmp_path / "gone" / "comfyui")
    assert install(home).resolve() == PACK


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_is_not_ours_stays(home, tmp_path, kind, capsys):
    place, target = home / "custom_nodes" / NAME, tmp_path / "somebody"
    target.mkdir()
    if kind == "folder":
        place.mkdir()
        (place / "__init__.py").write_text("of somebody else", "utf-8")
    elif kind == "file":
        place.write_text("of somebody else", "utf-8")
    else:
        place.symlink_to(target)
    for call in (install, undo):
        with pytest.raises(OutputError, match="move it away first"):
            call(home)
    assert place.exists() and target.is_dir()
    assert main([str(home)]) == 1 and "move it away first" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["main.py", "comfy", "custom_nodes"])
def test_what_is_no_comfyui_is_said(home, missing, capsys):
    path = home / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(OptionInvalid):
        install(home)
    assert main([str(home)]) == 2 and "custom_nodes" in capsys.readouterr().err


def test_a_heygem_without_its_checkout_says_so(home, tmp_path):
    with pytest.raises(OutputError, match="repository"):
        install(home, tmp_path / "nothing")
    assert not any((home / "custom_nodes").iterdir())


def test_a_folder_that_only_names_the_place_works_as_well(home):
    """For Windows where no junction can be made."""
    place = home / "custom_nodes" / NAME
    make_stub(PACK, place)
    fake_comfy.install(home)
    module = load_pack(place)
    assert len(nodes_of(module)) == 18 and Path(module.WEB_DIRECTORY, "docs").is_dir()
    assert (place / "locales" / "zh" / "nodeDefs.json").read_bytes() == (
        PACK / "locales" / "zh" / "nodeDefs.json"
    ).read_bytes()
    assert [path.name for path in place.parent.iterdir()] == [NAME]
    assert install(home).is_symlink() and undo(home)


def test_windows_takes_a_junction_and_where_there_is_none_a_folder(home, monkeypatch):
    place, made = home / "custom_nodes" / NAME, []

    class Windows:
        fails = False

        @classmethod
        def CreateJunction(cls, source: str, target: str) -> None:
            if cls.fails:
                raise OSError("not on this disk")
            made.append((source, target))

    monkeypatch.setattr(comfyui_install.sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "_winapi", Windows)  # pyright: ignore[reportArgumentType]
    install(home)
    assert made == [(str(PACK), str(place))]
    Windows.fails = True
    install(home)
    assert (place / "__init__.py").is_file() and not place.is_symlink()
    assert undo(home) and not place.exists()


def test_the_command_says_what_comes_next(home):
    command = [sys.executable, "-m", "heygem.comfyui_install"]
    done = subprocess.run([*command, str(home)], cwd=PACK.parent, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.strip() == str(home / "custom_nodes" / NAME)
    assert "requirements.txt" in done.stderr
    done = subprocess.run([*command, str(home), "--undo"], cwd=PACK.parent, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.strip() == "removed"
