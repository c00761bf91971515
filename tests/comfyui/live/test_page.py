"""The example workflows in ComfyUI's own page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from heygem.comfyui_install import PACK
from tests.comfyui import lines
from tests.comfyui.live.client import Client, filled
from tests.comfyui.live.page import load, opened, prompt, run
from tests.e2e.conftest import chromium as chromium

pytestmark = pytest.mark.browser
FOLDER = PACK / "example_workflows"


MISSING = "window.app.graph._nodes.map(one => one.type).filter(type => !LiteGraph.registered_node_types[type])"
BOXES = "window.app.graph._nodes.map(one => [...one.pos, one.pos[0] + one.size[0], one.pos[1] + one.size[1]])"
HEAD = "window.app.graph._nodes.find(one => one.type == 'HeyGemTalkingHead')"
LISTEN = """() => {
    window.told = {bar: [], pictures: 0};
    window.app.api.addEventListener("progress", ({detail}) => window.told.bar.push([detail.value, detail.max]));
    window.app.api.addEventListener("b_preview_with_metadata", () => window.told.pictures++);
}"""


def kinds(prompt: lines.Prompt) -> dict[str, str]:
    return {key: one["class_type"] for key, one in prompt.items()}


def workflow(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def page(client: Client, chromium: Any) -> Iterator[Any]:
    with opened(chromium, client) as page:
        yield page


@pytest.mark.parametrize("name", lines.LINES)
def test_an_example_says_what_its_line_says(page: Any, client: Client, name: str):
    load(page, workflow(name))
    assert page.evaluate(MISSING) == []
    sent, wanted = prompt(page), filled(lines.LINES[name](), client.nodes())
    assert kinds(sent) == kinds(wanted)
    for key, one in wanted.items():
        assert {given: sent[key]["inputs"].get(given) for given in one["inputs"]} == one["inputs"], one["class_type"]


@pytest.mark.parametrize("name", lines.LINES)
def test_no_node_hides_another(page: Any, name: str):
    load(page, workflow(name))
    boxes = page.evaluate(BOXES)
    for n, (left, top, right, low) in enumerate(boxes):
        for left2, top2, right2, low2 in boxes[n + 1 :]:
            assert right <= left2 or right2 <= left or low <= top2 - 30 or low2 <= top - 30  # the title stands above


def test_the_bar_moves_and_a_picture_is_shown(page: Any):
    load(page, workflow("single"))
    page.evaluate(LISTEN)
    page.evaluate(f"{HEAD}.widgets.find(one => one.name == 'smoothness').value = 0.35")  # else it is in the cache
    run(page)
    told = page.evaluate("window.told")
    values = [value for value, _ in told["bar"]]
    assert len(values) > 5 and values == sorted(values) and told["bar"][-1] == [1000, 1000] and told["pictures"] >= 1


def test_chinese_pages_have_chinese_labels(client: Client, chromium: Any):
    names = json.loads((PACK / "locales" / "zh" / "nodeDefs.json").read_text("utf-8"))["HeyGemTalkingHead"]
    with opened(chromium, client, "zh") as page:
        load(page, workflow("single"))
        title = page.evaluate(f"{HEAD}.title")
        widgets = page.evaluate(f"{HEAD}.widgets.map(one => one.label)")
        outputs = page.evaluate(f"{HEAD}.outputs.map(one => one.localized_name)")
    labels = [names["inputs"][name]["name"] for name in ("engine", "resolution", "quality")]
    assert title == names["display_name"] and set(labels) <= set(widgets)
    assert outputs == [names["outputs"][key]["name"] for key in sorted(names["outputs"])]
