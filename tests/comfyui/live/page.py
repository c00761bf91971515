"""ComfyUI's own page in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.comfyui.lines import Prompt
from tests.comfyui.live.client import Client
from tests.comfyui.live.films import until

PLAIN = {"Comfy.TutorialCompleted": True, "Comfy.Minimap.Visible": False, "LiteGraph.Canvas.MinFontSizeForLOD": 0}
"""Settings: no welcome, no map, and text however small."""
VIEW = {"width": 1600, "height": 900}
_BUSY = """async () => {
    const queue = await (await fetch("/queue")).json();
    return queue.queue_running.length + queue.queue_pending.length;
}"""


@contextmanager
def opened(browser: Any, client: Client, language: str = "en", **more: Any) -> Iterator[Any]:
    """The page with an empty graph; afterwards: no script failed, and no request left this machine."""
    client.set_up({**PLAIN, "Comfy.Locale": language})
    strangers, failures = [], []
    context = browser.new_context(**{"viewport": VIEW, **more})
    context.on("request", lambda r: r.url.startswith((client.address, "data:", "blob:")) or strangers.append(r.url))
    page = context.new_page()
    page.on("pageerror", lambda error: failures.append(str(error)))
    try:
        page.goto(client.address)
        page.wait_for_function(
            "!!(window.app?.graph && window.LiteGraph?.registered_node_types.SaveVideo)", timeout=60_000
        )
        page.wait_for_timeout(1000)
        yield page
    finally:
        context.close()
    assert strangers == [] and failures == []


def load(page: Any, workflow: dict[str, Any]) -> None:
    page.evaluate("workflow => window.app.loadGraphData(workflow)", workflow)
    page.wait_for_timeout(1000)  # previews


def prompt(page: Any) -> Prompt:
    """What "Run" would send."""
    found = page.evaluate("async () => (await window.app.graphToPrompt()).output")
    return {key: {"class_type": one["class_type"], "inputs": one["inputs"]} for key, one in found.items()}


def run(page: Any, seconds: float = 240) -> None:
    """Presses "Run" and waits until all is done."""
    page.evaluate("async () => await window.app.queuePrompt(0, 1)")
    until(lambda: not page.evaluate(_BUSY), seconds)
    page.wait_for_timeout(1500)  # previews


_SHOW = """([left, top, right]) => {
    const nodes = window.app.graph._nodes, ends = side => nodes.map(one => one.pos[side] + one.size[side]);
    const low = nodes.map(one => one.pos), start = [0, 1].map(side => Math.min(...low.map(pos => pos[side])));
    const end = [0, 1].map(side => Math.max(...ends(side)));
    const width = window.innerWidth - left - right, height = window.innerHeight - top - 20, view = window.app.canvas.ds;
    view.scale = Math.min(width / (end[0] - start[0]), height / (end[1] - start[1] + 40), 1.2);
    view.offset = [
        (left + width / 2) / view.scale - (start[0] + end[0]) / 2,
        (top + height / 2) / view.scale - (start[1] + end[1] - 30) / 2,
    ];
    window.app.canvas.setDirty(true, true);
}"""


def shown(page: Any) -> None:
    """Moves the graph so that all of it is seen, beside the bars of the page."""
    page.evaluate(_SHOW, [80, 145, 20])
    page.wait_for_timeout(700)
