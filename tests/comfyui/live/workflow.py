"""Makes comfyui/example_workflows anew: ``python -m tests.comfyui.live.workflow``, COMFYUI_DIR set as for the tests.

ComfyUI's own page turns the prompts of ``tests.comfyui.lines`` into graphs; here they are laid out from left to right
and explained, then run once for their pictures. Graphs that the oldest supported page has made load in newer ones.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from heygem.comfyui_install import PACK
from tests.comfyui import lines
from tests.comfyui.live.client import Client
from tests.comfyui.live.engine import Engine
from tests.comfyui.live.inputs import write_inputs
from tests.comfyui.live.notes import NOTES
from tests.comfyui.live.page import load, opened, run, shown

OUT = PACK / "example_workflows"
PICTURES = {"single": ("zh",), "teacher": ("zh",), "batch": ("en",)}
"""Line -> languages in which its picture goes into docs."""
LARGEST = 150_000
"""Bytes of a picture."""
GAP = 70
"""Between nodes, px."""
FLOAT = {"SaveVideo": 420, "HeyGemTalkingHead": 320, "HeyGemRetry": 320, "HeyGemCompare": 320, "HeyGemBatchReport": 160}
FLOAT |= {"HeyGemSaveToStorage": 160, "HeyGemNotify": 120, "HeyGemEnhanceFace": 300, "HeyGemBackground": 300}
"""Kind of node -> room below for what it shows when it has run, px."""
SIZES = {"LoadVideo": (300, 440), "LoadImage": (300, 400), "PreviewAny": (400, 320), "HeyGemSubtitles": (320, 420)}
"""Kind of node -> size with which one sees what is in it."""
BESIDE, ABOVE = (400, 330), (760, 250)
"""Size of the note: left of short lines, over long ones."""
LONG = 4
"""Columns."""
NARROWEST = 230


def graph(page: Any, name: str) -> dict[str, Any]:
    """The workflow of a line as the page has it, laid out."""
    page.evaluate("([prompt, name]) => window.app.loadApiJson(prompt, name)", [lines.LINES[name](), name])
    page.wait_for_timeout(1500)
    made = page.evaluate("window.app.graph.serialize()")
    nodes = [_plain(node) for node in made["nodes"]]
    columns = _lay_out(nodes, made["links"])
    key = max(node["id"] for node in nodes) + 1
    width, height = ABOVE if columns > LONG else BESIDE
    left, top = (0, -height - GAP) if columns > LONG else (-width - GAP, 0)
    note = {"id": key, "type": "MarkdownNote", "title": "HeyGem", "pos": [left, top], "size": [width, height]}
    note |= {"flags": {}, "order": 0, "mode": 0, "inputs": [], "outputs": [], "properties": {}}
    note["widgets_values"] = [NOTES[name].strip()]
    whole = {"last_node_id": key, "last_link_id": made["last_link_id"], "nodes": [note, *nodes], "links": made["links"]}
    return {**whole, "groups": [], "config": {}, "extra": {}, "version": 0.4}


def _plain(node: dict[str, Any]) -> dict[str, Any]:
    """Without what is the page's language or the default."""
    for side in ("inputs", "outputs"):
        node[side] = [_slot(slot) for slot in node.get(side, [])]
    known = ("id", "type", "pos", "size", "flags", "order", "mode", "inputs", "outputs", "properties", "widgets_values")
    return {key: node[key] for key in known if key in node}


def _slot(slot: dict[str, Any]) -> dict[str, Any]:
    known = ("name", "type", "shape", "widget", "link", "slot_index", "links")
    return {key: slot[key] for key in known if slot.get(key) is not None or (key == "link" and key in slot)}


def _lay_out(nodes: list[dict[str, Any]], links: list[list[Any]]) -> int:
    """In columns from left to right: what a node takes is left of it, as near as can be. How many columns."""
    left = 0
    depth = _depths(nodes, links)
    for column in range(max(depth.values()) + 1):
        top, width = 0, 0
        for node in (one for one in nodes if depth[one["id"]] == column):
            size = [
                max(wanted, had)
                for wanted, had in zip(SIZES.get(node["type"], (NARROWEST, 0)), node["size"], strict=True)
            ]
            node["pos"], node["size"] = [left, top], [round(side) for side in size]
            top += node["size"][1] + GAP + FLOAT.get(node["type"], 0)
            width = max(width, node["size"][0])
        left += width + GAP
    return max(depth.values()) + 1


def _depths(nodes: list[dict[str, Any]], links: list[list[Any]]) -> dict[int, int]:
    before = {node["id"]: [link[1] for link in links if link[3] == node["id"]] for node in nodes}
    after = {node["id"]: [link[3] for link in links if link[1] == node["id"]] for node in nodes}

    def depth(key: int) -> int:
        return max((depth(one) + 1 for one in before[key]), default=0)

    found = {key: depth(key) for key in before}
    return {key: at if before[key] else min(found[one] for one in after[key]) - 1 for key, at in found.items()}


def photo(page: Any, out: Path) -> None:
    """A JPEG of the graph, at most LARGEST."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for quality in range(90, 30, -5):
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=quality, optimize=True)
        if stream.tell() <= LARGEST:
            break
    out.write_bytes(stream.getvalue())


def _write(browser: Any, client: Client, name: str) -> None:
    with opened(browser, client) as page:
        made = graph(page, name)
    (OUT / f"{name}.json").write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _take_pictures(browser: Any, client: Client, name: str) -> None:
    made = json.loads((OUT / f"{name}.json").read_text("utf-8"))
    for language in sorted({"en", *PICTURES.get(name, ())}):
        with opened(browser, client, language) as page:
            load(page, made)
            run(page)
            shown(page)
            if language == "en":
                photo(page, OUT / f"{name}.jpg")
            if language in PICTURES.get(name, ()):
                photo(page, PACK.parent / "docs" / f"comfyui_{name}_{language}.jpg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", action="store_true", help="only new pictures, of the graphs as they are")
    steps = [_take_pictures] if parser.parse_args().pictures else [_write, _take_pictures]
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        engine = Engine(Path(os.environ["COMFYUI_DIR"]).absolute(), Path(folder))
        write_inputs(engine.input)
        own = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = driver.chromium.launch(executable_path=own, args=["--no-sandbox"])
        try:
            engine.start()
            client = Client(engine.address)
            for name in lines.LINES:
                for step in steps:
                    step(browser, client, name)
        finally:
            engine.end()


if __name__ == "__main__":
    main()
