"""The tab 生成结果历史: all jobs and batches, and what can still be done with them."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.again import Again
from ui.browser import tongue
from ui.compare import Compare
from ui.desk import Desk
from ui.listing import Listing
from ui.template import template


class History:
    """Builds the tab inside the current ``gr.Tab``."""

    def __init__(self, page: gr.Blocks, words: gr.I18n, desk: Desk) -> None:
        listing = Listing(desk)

        def ask(question: dict[str, Any], request: gr.Request) -> dict[str, Any]:
            return listing.answer(question, tongue(request, desk))

        Again(words, desk, template("history", {}, "history", elem_id="history", server_functions=[ask]))
        Compare(desk)
