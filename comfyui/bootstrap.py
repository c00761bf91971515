"""Makes HeyGem's packages importable from the checkout that this folder lies in. sys.path stays as it is: ComfyUI owns
the names at its top (app, utils, server, nodes)."""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]  # through the link in custom_nodes


def ensure_heygem() -> None:
    """Raises ImportError where HeyGem is neither installed nor beside this folder."""
    if "heygem" in sys.modules or getattr(find_spec("heygem"), "origin", None):  # a mere folder of this name has none
        return
    if not (ROOT / "heygem" / "engines" / "base.py").is_file():
        raise ImportError(
            f"HeyGem is neither installed nor in {ROOT}: link this folder by python -m heygem.comfyui_install"
        )
    _load(ROOT / "heygem")


def ensure_storage() -> None:
    """The package that shares results, which has a name that others may have taken. Raises ImportError."""
    import heygem

    ours = Path(heygem.__path__[0]).resolve().parent / "storage" / "__init__.py"
    taken = sys.modules.get("storage")
    found = getattr(taken, "__file__", None) if taken else getattr(find_spec("storage"), "origin", None)
    if taken is None and found is None and ours.is_file():
        _load(ours.parent)
    elif found is None or Path(found).resolve() != ours:
        raise ImportError(f"HeyGem's storage cannot be used: {found or 'another part of ComfyUI'} has taken its name")


def _load(package: Path) -> None:
    spec = spec_from_file_location(package.name, package / "__init__.py", submodule_search_locations=[str(package)])
    assert spec and spec.loader
    module = sys.modules[package.name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[package.name]
        raise
