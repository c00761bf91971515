"""The pack as ComfyUI sees it: schemas, labels, help, what it does at import, what is left where a part is missing."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.comfyui import fake_comfy
from tests.comfyui.conftest import PACK
from tests.comfyui.engine import load_pack, nodes_of
from tests.comfyui.lines import LINES
from tests.comfyui.live.notes import NOTES

ROOT = PACK.parent


def schemas(nodes):
    return {name: node.GET_SCHEMA() for name, node in nodes.items()}


def test_ids_are_ours_and_every_node_is_in_one_category(nodes):
    assert len(nodes) == 18
    for name, schema in schemas(nodes).items():
        assert name.startswith("HeyGem") and schema.category == "HeyGem" and schema.display_name.startswith("HeyGem ")
        assert schema.description.endswith((".", "?")) and schema.search_aliases is not None
        assert all(one.tooltip for one in (*schema.inputs, *schema.outputs)), name


def test_no_keyword_is_lost_on_this_core(nodes, pack, monkeypatch):
    """compat.new drops what a core does not know; on the one that we are made for that would be a slip of the pen."""
    lost = []
    compat = sys.modules[f"{pack.__name__}.compat"]

    def strict(kind, *args, **given):
        lost.extend(given.keys() - inspect.signature(kind).parameters.keys())
        return kind(*args, **given)

    monkeypatch.setattr(compat, "new", strict)
    monkeypatch.setattr(sys.modules[f"{pack.__name__}.inputs"], "new", strict)
    schemas(nodes)
    assert lost == []


def test_a_core_that_knows_fewer_keywords_still_gets_the_node(pack):
    compat = sys.modules[f"{pack.__name__}.compat"]
    assert compat.new(lambda name, *, size: (name, size), "a", size=1, colour="red") == ("a", 1)
    assert compat.new(lambda **given: given, colour="red") == {"colour": "red"}


def test_execute_takes_what_the_schema_promises(nodes):
    for name, node in nodes.items():
        known = inspect.signature(node.execute).parameters
        takes_all = any(one.kind is one.VAR_KEYWORD for one in known.values())
        inputs = {one.id: one for one in node.GET_SCHEMA().inputs}
        for one in inputs.values():
            assert one.id in known or takes_all, f"{name}.{one.id}"
            if one.optional and one.id in known:
                assert known[one.id].default is not inspect.Parameter.empty, f"{name}.{one.id}"
        named = {one for one, value in known.items() if value.kind is not value.VAR_KEYWORD}
        assert named <= inputs.keys(), name
        for check in ("validate_inputs", "fingerprint_inputs"):
            if hook := getattr(node, check, None):
                hook(**dict.fromkeys(inspect.signature(hook).parameters.keys() - {"_"}))  # links arrive as None


def test_choices_and_defaults_are_those_of_the_core(nodes, pack):
    from heygem.engines import ENGINES
    from heygem.engines.base import REGIONS, Style
    from heygem.finish.base import CAPTIONS, PLACES, Finish
    from heygem.pipeline import LENGTHS, QUALITIES, RESOLUTIONS, Options

    head = {one.id: one for one in nodes["HeyGemTalkingHead"].GET_SCHEMA().inputs}
    wanted = {"engine": ENGINES, "resolution": RESOLUTIONS, "quality": QUALITIES, "length": LENGTHS}
    assert {name: head[name].options for name in wanted} == {name: list(known) for name, known in wanted.items()}
    sockets = sys.modules[f"{pack.__name__}.sockets"]
    said = {name: one.default for name, one in head.items() if one.default is not None}
    for strange in ("name", "on_error"):
        said.pop(strange)
    assert sockets.options_of(sockets.widgets(**said)) == Options()

    for name in ("HeyGemExpression", "HeyGemParameters"):
        for one in nodes[name].GET_SCHEMA().inputs:
            option = {"mouth_strength": "strength"}.get(one.id, one.id)
            if option in {field.name for field in fields(Style)}:
                assert one.default == getattr(Style(), option), f"{name}.{one.id}"
            if one.id == "region":
                assert one.options == list(REGIONS)
    captions = {one.id: one for one in nodes["HeyGemSubtitles"].GET_SCHEMA().inputs}
    assert captions["captions"].options == list(CAPTIONS) and captions["logo_place"].options == list(PLACES)
    for name, option in {"size": "subtitle_size", "logo_size": "logo_size", "logo_opacity": "logo_opacity"}.items():
        assert captions[name].default == getattr(Finish(), option)


def test_chinese_labels_are_complete_and_chinese(nodes):
    labels = json.loads((PACK / "locales/zh/nodeDefs.json").read_text("utf-8"))
    assert labels.keys() == nodes.keys()
    for name, schema in schemas(nodes).items():
        words = labels[name]
        assert words["inputs"].keys() == {one.id for one in schema.inputs}, name
        assert words["outputs"].keys() == {str(n) for n in range(len(schema.outputs))}, name
        texts = [words["display_name"], words["description"]]
        texts += [text for one in words["inputs"].values() for text in (one["name"], one["tooltip"])]
        texts += [text for one in words["outputs"].values() for text in (one["name"], one["tooltip"])]
        assert all(re.search("[一-鿿]", text) for text in texts), name


def test_every_node_has_help_in_both_languages(nodes):
    docs = PACK / "web" / "docs"
    assert {path.stem for path in docs.glob("*.md")} == nodes.keys()
    for name, schema in schemas(nodes).items():
        english, chinese = ((docs / f).read_text("utf-8") for f in (f"{name}.md", f"{name}/zh.md"))
        for one in schema.inputs:
            assert f"`{one.id}`" in english and f"`{one.id}`" in chinese, f"{name}.{one.id}"
            assert one.tooltip in english, f"{name}.{one.id}"
        assert schema.description in english, name
        assert re.search("[一-鿿]", chinese) and len(english) > 200


@pytest.mark.parametrize("line", LINES)
def test_production_lines_name_only_what_there_is(line, nodes):
    prompt = LINES[line]()
    core = {"LoadVideo", "LoadAudio", "LoadImage", "SaveVideo", "PreviewAny"}
    for node in prompt.values():
        kind, inputs = node["class_type"], node["inputs"]
        assert kind in core or kind in nodes
        if kind in nodes:
            known = {one.id: one for one in nodes[kind].GET_SCHEMA().inputs}
            assert inputs.keys() <= known.keys(), kind
            for name, value in inputs.items():
                if known[name].options and not isinstance(value, list):
                    assert value in known[name].options, f"{kind}.{name}"
        for value in inputs.values():
            if isinstance(value, list):
                source = prompt[value[0]]["class_type"]
                assert source in core or value[1] < len(nodes[source].GET_SCHEMA().outputs), f"{kind} {value}"


def test_no_widget_asks_for_a_secret(nodes):
    """ComfyUI writes every widget into the tags of the videos that it saves."""
    for name, schema in schemas(nodes).items():
        for one in schema.inputs:
            assert not re.search("key$|secret|token|password|url|endpoint|bucket", one.id.replace("key_colour", "")), (
                name
            )


def test_import_does_nothing_and_loads_nothing_heavy():
    probe = (
        "import sys; from pathlib import Path; from tests.comfyui import fake_comfy\n"
        "held = set(sys.modules); path = list(sys.path); fake_comfy.install(Path('.'))\n"
        "from tests.comfyui.engine import load_pack, nodes_of\n"
        f"pack = load_pack(Path({str(PACK)!r})); found = nodes_of(pack)\n"
        "assert sys.path == path and 'storage' not in sys.modules and 'ui' not in sys.modules\n"
        "print(len(found), *(set(sys.modules) - held))"
    )
    count, *loaded = subprocess.check_output([sys.executable, "-c", probe], cwd=ROOT, text=True).split()
    heavy = {"torch", "mediapipe", "gradio", "cv2", "numpy", "pydantic", "boto3", "httpx", "loguru", "scipy", "PIL"}
    assert count == "18" and not heavy & {name.split(".")[0] for name in loaded}


def test_a_missing_library_takes_away_its_node_alone(pack, nodes, monkeypatch, caplog):
    real = importlib.util.find_spec
    part = sys.modules[f"{pack.__name__}.nodes"]
    monkeypatch.setattr(part, "find_spec", lambda name: None if name == "espeakng_loader" else real(name))
    left = nodes_of(pack)
    assert nodes.keys() - left.keys() == {"HeyGemTextToSpeech"}
    assert "espeakng_loader" in caplog.text


def test_a_schema_that_fails_takes_away_its_node_alone(pack, nodes, monkeypatch, caplog):
    def wrong():
        raise TypeError("unexpected keyword")

    monkeypatch.setattr(nodes["HeyGemCompare"], "define_schema", wrong)
    assert nodes.keys() - nodes_of(pack).keys() == {"HeyGemCompare"}
    assert "unexpected keyword" in caplog.text


def test_a_module_that_fails_takes_away_its_nodes_alone(pack, nodes, monkeypatch, caplog):
    part = sys.modules[f"{pack.__name__}.nodes"]
    real = part.import_module

    def broken(name, package):
        if name == ".telling":
            raise ImportError("no such thing")
        return real(name, package)

    monkeypatch.setattr(part, "import_module", broken)
    assert nodes.keys() - nodes_of(pack).keys() == {"HeyGemNotify"}


def test_a_copied_folder_says_what_to_do(tmp_path, monkeypatch):
    import shutil

    copy = tmp_path / "custom_nodes" / "heygem-nodes"
    shutil.copytree(PACK, copy)
    fake_comfy.install(tmp_path)
    held = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "heygem"}
    for name in held:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    with pytest.raises(ImportError, match=r"heygem\.comfyui_install"):
        load_pack(copy)


def test_heygem_is_found_beside_the_pack_and_a_mere_folder_of_its_name_is_none(pack, monkeypatch):
    bootstrap = sys.modules[f"{pack.__name__}.bootstrap"]
    monkeypatch.delitem(sys.modules, "heygem")
    monkeypatch.setattr(bootstrap, "find_spec", lambda _: SimpleNamespace(origin=None))
    path = list(sys.path)
    bootstrap.ensure_heygem()
    assert sys.modules["heygem"].__path__ == [str(ROOT / "heygem")] and sys.path == path


@pytest.mark.parametrize("name", ["__init__", "__init__.py"])
def test_storage_is_found_beside_heygem_and_never_taken_from_others(name, pack, monkeypatch, tmp_path):
    """Where nobody has the name it is loaded from the checkout; where somebody has, only that node says so."""
    bootstrap = sys.modules[f"{pack.__name__}.bootstrap"]
    for known in [one for one in sys.modules if one.split(".")[0] == "storage"]:
        monkeypatch.delitem(sys.modules, known)
    if name == "__init__":
        monkeypatch.setattr(bootstrap, "find_spec", lambda _: None)
        bootstrap.ensure_storage()
        assert Path(sys.modules["storage"].__path__[0]) == ROOT / "storage"
        bootstrap.ensure_storage()
    else:
        foreign = sys.modules["storage"] = type(sys)("storage")
        foreign.__file__ = str(tmp_path / name)
        with pytest.raises(ImportError, match="has taken its name"):
            bootstrap.ensure_storage()
    monkeypatch.delitem(sys.modules, "storage", raising=False)


def test_requirements_are_light_and_the_registry_knows_them():
    lines = (PACK / "requirements.txt").read_text("utf-8").splitlines()
    wanted = [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
    names = {re.split(r"[<>=!~ ]", one)[0] for one in wanted}
    assert not names & {"torch", "torchvision", "torchaudio", "gradio", "numpy", "pillow", "opencv-python"}
    assert not [one for one in wanted if "==" in one]
    known = tomllib.loads((PACK / "pyproject.toml").read_text("utf-8"))
    assert known["project"]["dependencies"] == wanted
    assert known["tool"]["comfy"]["requires-comfyui"] == ">=0.12.0"
    assert (PACK / known["project"]["license"]["file"]).read_bytes() == (ROOT / "LICENSE").read_bytes()
    from heygem import __version__

    assert known["project"]["version"] == __version__


def test_the_registry_takes_the_code():
    found = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "S102,S307,E702", str(PACK)],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout


def test_the_entry_point_is_asynchronous(pack):
    assert asyncio.iscoroutinefunction(pack.comfy_entrypoint) and (PACK / pack.WEB_DIRECTORY).is_dir()
    assert not hasattr(pack, "NODE_CLASS_MAPPINGS")  # it would win over the entry point


@pytest.mark.parametrize("line", LINES)
def test_example_workflows_are_the_production_lines(line, nodes):
    """With every widget in its place: one more or one less in a node, and all that follow would be wrong."""
    folder = PACK / "example_workflows"
    assert {path.stem for path in folder.glob("*.json")} == LINES.keys()
    prompt, graph = LINES[line](), json.loads((folder / f"{line}.json").read_text("utf-8"))
    drawn = {str(node["id"]): node for node in graph["nodes"] if node["type"] != "MarkdownNote"}
    assert {key: node["type"] for key, node in drawn.items()} == {key: one["class_type"] for key, one in prompt.items()}
    (note,) = (node for node in graph["nodes"] if node["type"] == "MarkdownNote")
    assert note["widgets_values"] == [NOTES[line].strip()]
    for key, node in drawn.items():
        if node["type"] in nodes:
            inputs = nodes[node["type"]].GET_SCHEMA().inputs
            widgets = [one for one in sorted(inputs, key=lambda one: one.optional) if one.default is not None]
            said, typed = prompt[key]["inputs"], node.get("widgets_values", [])
            assert len(typed) == len(widgets), node["type"]
            for one, value in zip(widgets, typed, strict=True):
                if not isinstance(said.get(one.id), list):
                    assert value == said.get(one.id, one.default), f"{node['type']}.{one.id}"
    linked = {(str(link[1]), link[2], str(link[3])) for link in graph["links"]}
    wanted = {(v[0], v[1], key) for key, one in prompt.items() for v in one["inputs"].values() if isinstance(v, list)}
    assert linked == wanted
