"""The layer table of ARCHITECTURE.md, read and held: who imports whom, how long a file is, what an import costs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("heygem", "ui", "api", "storage")
SOURCES = sorted([*(path for part in PARTS for path in ROOT.glob(f"{part}/**/*.py")), *ROOT.glob("app.py")])
ALONE = {
    "gradio": ("ui",),
    "boto3": ("storage",),
    "mediapipe": ("heygem.faces", "heygem.training"),
    "insightface": ("heygem.faces",),
}
"""Library -> the only parts that may import it."""
HEAVY = ("torch", "mediapipe", "gradio", "cv2", "av", "pydantic", "numpy")


def layer_table() -> dict[str, int]:
    """Part -> layer, from the table in ARCHITECTURE.md."""
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", (ROOT / "ARCHITECTURE.md").read_text("utf-8"), re.MULTILINE)
    return {part: int(layer) for layer, parts in rows for part in re.findall(r"`([\w.]+)`", parts)}


LAYERS = layer_table()
NODES = sorted(ROOT.glob("comfyui/**/*.py"))
"""Guests of another program: of no layer."""


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str | None:
    """The row of the table that a module belongs to: the longest part that it starts with."""
    owners = [part for part in LAYERS if f"{module}.".startswith(f"{part}.")]
    return max(owners, key=len, default=None)


def imports(path: Path) -> Iterator[str]:
    """Absolute names of everything that a file imports, also inside functions and under TYPE_CHECKING."""
    package = module_name(path).split(".") if path.name == "__init__.py" else module_name(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def test_the_table_is_read_and_complete():
    assert LAYERS["heygem.errors"] == 0 and LAYERS["heygem.pipeline"] == 5 and LAYERS["app"] == 10
    strays = [module_name(path) for path in SOURCES if part_of(module_name(path)) is None]
    assert strays in (["heygem"], ["heygem", "heygem.__main__"])


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_run_downwards(path):
    mine = part_of(module_name(path))
    if mine is None:
        return  # heygem/__init__.py re-exports lazily, __main__ starts the command line
    for name in imports(path):
        theirs = part_of(name)
        if theirs and theirs != mine:
            assert LAYERS[theirs] < LAYERS[mine], f"{mine} (layer {LAYERS[mine]}) imports {name} ({LAYERS[theirs]})"


@pytest.mark.parametrize("library", ALONE)
def test_libraries_that_one_part_alone_may_import(library):
    for path in SOURCES:
        if any(name.split(".")[0] == library for name in imports(path)):
            assert module_name(path).startswith(ALONE[library]), f"{module_name(path)} imports {library}"


def test_training_is_imported_by_nobody():
    for path in SOURCES:
        mine = module_name(path)
        wanted = [name for name in imports(path) if name.startswith("heygem.training")]
        assert mine.startswith("heygem.training") or not wanted, mine


@pytest.mark.parametrize("path", [*SOURCES, *NODES], ids=module_name)
def test_files_and_functions_are_short(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            arguments = len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs)
            assert length <= 50, f"{node.name} has {length} lines"
            assert arguments - (node.args.args[:1] != [] and node.args.args[0].arg in ("self", "cls")) <= 6, node.name


def test_nothing_names_a_place_on_one_machine():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    place = re.compile(r"(?<![\w./<])/(work|root|home/\w+|Users)/\w")
    for name in tracked.stdout.splitlines():
        path = ROOT / name
        if path.suffix in (".py", ".md", ".sh", ".toml", ".txt", ".js", ".css", ".html") and path.is_file():
            assert not place.search(path.read_text("utf-8")), name


def test_import_is_light():
    probe = (
        "import sys, time; begin = time.perf_counter(); import heygem, heygem.errors, heygem.tick;"
        "print(time.perf_counter() - begin, *sys.modules)"
    )
    seconds, *modules = subprocess.check_output([sys.executable, "-c", probe], cwd=ROOT, text=True).split()
    assert float(seconds) < 0.3
    assert not {name for name in modules if name in HEAVY}
