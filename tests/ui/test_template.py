"""What a template shows is data: nothing in a name is code."""

from __future__ import annotations

import ast
from pathlib import Path

from ui.template import plain

UI = Path(__file__).parents[2] / "ui"


def test_no_text_means_anything_to_a_template_string() -> None:
    shown = plain({"rows": [{"name": "${alert(1)}", "n": 3}, "a\\u"], "plain": "a & b <i>"})
    assert shown == {"rows": [{"name": "$\u2060{alert(1)}", "n": 3}, "a＼u"], "plain": "a & b <i>"}
    assert "${" not in plain("$" + "$") + plain("{x}"), "nor do two values side by side"


def test_values_reach_the_browser_through_templates_alone() -> None:
    """``gr.HTML`` elsewhere shows fixed text; templates of its own would evaluate what is in their values."""
    for path in UI.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "HTML" and path.name != "template.py":
                assert "html_template" not in {given.arg for given in node.keywords}, path.name
