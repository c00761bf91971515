"""The files of deploy/: read by the real tools where they are, and true to the product."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from heygem.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
TEXTS = {path.name: path.read_text("utf-8") for path in (*DEPLOY.iterdir(), *ROOT.glob("docs/server*.md"))}
ANALYZE = shutil.which("systemd-analyze")


@pytest.mark.skipif(ANALYZE is None, reason="needs systemd-analyze")
def test_systemd_reads_the_service_without_a_word(tmp_path: Path) -> None:
    unit = tmp_path / "heygem.service"  # its program lies elsewhere on this machine, and its user is not here
    text = TEXTS["heygem.service"].replace("/opt/heygem/.venv/bin/python", "/bin/sh").replace("=heygem\n", "=root\n")
    unit.write_text(text, "utf-8")
    quiet = {**os.environ, "SYSTEMD_LOG_LEVEL": "warning"}
    done = subprocess.run([str(ANALYZE), "verify", unit], capture_output=True, text=True, check=False, env=quiet)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_setting_that_is_named_exists() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name, text in TEXTS.items():
        assert set(re.findall(r"\bHEYGEM_[A-Z_]+\b", text)) <= known, name


def test_the_proxy_lets_through_what_the_page_takes() -> None:
    (size,) = re.findall(r"client_max_body_size (\d+)m;", TEXTS["nginx.conf"])
    assert int(size) > Settings.model_fields["max_upload_mb"].default


def test_the_image_holds_every_package_of_the_product() -> None:
    kept = set(re.findall(r"^!([\w./]+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    wanted |= {f"{name}.py" for name in project["tool"]["setuptools"]["py-modules"]}
    assert wanted | {"requirements.txt", "pyproject.toml", "scripts/setup.sh", "README.md"} <= kept


def test_the_image_calls_functions_that_are_there() -> None:
    setup = (ROOT / "scripts" / "setup.sh").read_text("utf-8")
    called = [*re.findall(r"&& (\w+)(?= &&|\n| \\)", TEXTS["Containerfile"])]
    assert {"make_venv", "install_libraries", "mend_opencv", "setup_venv"} == set(called)
    for name in called:
        assert f"\n{name}() {{" in setup, name
