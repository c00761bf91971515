"""The tab 生成结果历史: all jobs and batches, and what can still be done with them."""

from __future__ import annotations

import gradio as gr

from ui.again import Again
from ui.browser import live
from ui.compare import Compare
from ui.desk import Desk
from ui.listing import Listing


class History:
    """Builds the tab inside the current ``gr.Tab``."""

    def __init__(self, page: gr.Blocks, words: gr.I18n, desk: Desk) -> None:
        Again(words, desk, live("history", Listing(desk).answer, desk))
        Compare(desk)
