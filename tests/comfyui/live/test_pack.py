"""What a real ComfyUI finds in the pack, and what the pack refuses there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from heygem.comfyui_install import PACK, make_stub
from tests.comfyui import lines
from tests.comfyui.lines import node
from tests.comfyui.live.client import Client, Refused
from tests.comfyui.live.conftest import SECRETS, Live
from tests.comfyui.live.engine import Engine
from tests.comfyui.live.films import films, good, seen, until
from tests.engines.brought import bring

ZH = json.loads((PACK / "locales" / "zh" / "nodeDefs.json").read_text("utf-8"))


def ours(client: Client) -> set[str]:
    return {name for name in client.nodes() if name.startswith("HeyGem")}


def test_every_node_is_there_and_nothing_is_left_out(live: Live):
    assert len(ZH) >= 18 and ours(live.client) == set(ZH)
    assert "IMPORT FAILED" not in live.engine.said() and "left out" not in live.engine.said()


def test_where_links_cannot_be_made_a_small_folder_does_the_same(checkout: Path, tmp_path: Path):
    engine = Engine(checkout, tmp_path, add=lambda base: make_stub(PACK, base / "custom_nodes" / "comfyui-heygem"))
    try:
        engine.start()
        assert ours(Client(engine.address)) == set(ZH)
    finally:
        engine.end()


def test_labels_in_chinese_are_served(client: Client):
    served = client.get("/i18n").json()["zh"]["nodeDefs"]
    for name, told in client.nodes().items():
        if name in ZH:
            assert served[name]["display_name"] == ZH[name]["display_name"]
            inputs = {key for group in ("required", "optional") for key in told["input"].get(group, {})}
            assert set(served[name]["inputs"]) == inputs, name
            assert len(served[name]["outputs"]) == len(told["output"]), name


def test_every_node_has_help_in_both_languages(client: Client):
    for name in ZH:
        for page in (f"{name}.md", f"{name}/zh.md"):
            answer = client.get(f"/extensions/comfyui-heygem/docs/{page}")
            assert answer.status_code == 200 and len(answer.text) > 100, page


def test_the_example_workflows_are_offered(client: Client):
    offered = client.get("/workflow_templates").json()["comfyui-heygem"]
    assert set(offered) == set(lines.LINES)
    for name in offered:
        assert client.get(f"/api/workflow_templates/comfyui-heygem/{name}.json").json()["nodes"]
        assert client.get(f"/api/workflow_templates/comfyui-heygem/{name}.jpg").content[:2] == b"\xff\xd8"


class TestRefused:
    @pytest.mark.parametrize("name", ["../secret", "lessons/../../secret", "/etc", "a\0b"])
    def test_names_that_lead_out_before_anything_runs(self, live: Live, name: str):
        (live.engine.base / "secret").mkdir(exist_ok=True)
        with pytest.raises(Refused) as said:
            live.client.run(with_source(name))
        assert "input folder" in said.value.problems["1"]

    def test_links_that_lead_out(self, live: Live):
        outside = live.engine.base / "outside"
        outside.mkdir(exist_ok=True)
        (live.engine.input / "link").symlink_to(outside)
        with pytest.raises(Refused, match="input folder"):
            live.client.run(with_source("link"))

    def test_tables_that_lead_out(self, live: Live):
        (live.engine.base / "film.mp4").write_bytes((live.engine.input / "person.mp4").read_bytes())
        (live.engine.input / "out.csv").write_text("video,audio\n../film.mp4,voice.wav\n", "utf-8")
        ended = live.client.run(with_source("out.csv"))
        assert ended.status == "error" and "input folder" in ended.problem

    def test_names_that_come_from_another_node(self, live: Live):
        prompt = {**with_source(["s", 0]), "s": node("PrimitiveString", value="../secret")}
        ended = live.client.run(prompt)
        assert ended.status == "error" and "input folder" in ended.problem

    def test_results_outside_of_the_output_folder(self, live: Live):
        prompt = lines.batch()
        prompt["5"]["inputs"]["name"] = "../../escaped/report"
        ended = live.client.run(prompt)
        assert ended.status == "error" and "output folder" in ended.problem
        assert not list(live.engine.base.parent.rglob("escaped"))

    def test_values_that_no_widget_has(self, live: Live):
        prompt = lines.single()
        prompt["3"]["inputs"] |= {"mouth_strength": 7, "engine": "../../evil"}
        with pytest.raises(Refused, match=r"mouth_strength.*engine|engine.*mouth_strength"):
            live.client.run(prompt)


def with_source(source: object) -> lines.Prompt:
    return {"1": node("HeyGemPairList", source=source), "2": node("PreviewAny", source=["1", 2])}


def test_no_secret_is_in_results_history_or_log(live: Live):
    ended = good(live, lines.teacher())
    (film,) = films(live, ended, "9")
    assert "prompt" in seen(film)["tags"]  # ComfyUI writes down everything that was typed
    secrets = [*SECRETS.values(), live.receiver.url]
    content = film.read_bytes() + live.engine.said().encode() + live.client.get("/history").content
    assert [secret for secret in secrets if secret.encode() in content] == []


class TestMemory:
    def test_networks_leave_when_comfyui_frees_its_models(self, live: Live):
        bring(live.engine.base / "home", "wav2lip")
        prompt = lines.single()
        prompt["3"]["inputs"] |= {"engine": "wav2lip", "use_gpu": False, "quality": "draft"}
        told = json.loads(good(live, prompt).text("5"))
        assert told["engine"].startswith("wav2lip") and told["device"].startswith("CPU")
        assert held(live) == "1 HeyGemNetworks"
        live.client.free()
        until(lambda: held(live) == "0 ")

    def test_weights_that_are_missing_are_named_with_a_command(self, live: Live):
        prompt = lines.single()
        prompt["3"]["inputs"]["engine"] = "musetalk"
        ended = live.client.run(prompt)
        assert ended.status == "error" and "heygem" in ended.problem and "weights" in ended.problem


def held(live: Live) -> str:
    return good(live, {"1": node("TestsHeld")}).text("1")
