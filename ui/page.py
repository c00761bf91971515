"""The page: header, one tab a file, footer."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from starlette.types import ASGIApp

from heygem import __version__
from ui.banner import Banner
from ui.batch import BatchTab
from ui.desk import Desk
from ui.history import History
from ui.language import LOCALES, LanguageDoor
from ui.server import Server
from ui.share import Share
from ui.single import Single
from ui.theme import CSS, theme
from ui.words import LANGUAGES, WORDS, say

_DAY = 86400


def words() -> gr.I18n:
    """The fixed words for the browser, which picks its language."""
    return gr.I18n(**{LOCALES[one]: {key: both[i] for key, both in WORDS.items()} for i, one in enumerate(LANGUAGES)})


def build(desk: Desk) -> gr.Blocks:
    """The page, not yet served."""
    texts = words()
    with gr.Blocks(title="HeyGem", analytics_enabled=False, delete_cache=(3600, _DAY)) as page:
        gr.HTML(_header(), elem_id="header", js_on_load=_SWITCH, apply_default_css=False)
        Banner(desk)
        Share(desk)
        with gr.Tabs():
            for name, tab in (("single", Single), ("batch", BatchTab), ("history", History), ("server", Server)):
                with gr.Tab(texts(f"tab_{name}"), id=name, elem_id=f"tab_{name}"):
                    tab(page, texts, desk)
        gr.HTML(_both("footer", version=__version__), elem_id="footer", apply_default_css=False)
    return page


def mount(app: FastAPI, desk: Desk) -> ASGIApp:
    """The page at "/" beside the routes that ``app`` has already; the whole answers in the reader's language."""
    page = build(desk).queue(default_concurrency_limit=8)
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        show_error=False,
        i18n=words(),
        theme=theme(),
        css=CSS,
        favicon_path=str(Path(__file__).with_name("icon.svg")),
        footer_links=[],
        run_history=False,
        max_file_size=f"{desk.settings.max_upload_mb}mb",
        enable_monitoring=False,
        ssr_mode=False,
    )
    page.custom_mount_path = ""  # “/” would make it forget the path at which a proxy shows it
    return LanguageDoor(app, desk.language)


_SWITCH = """
element.addEventListener('click', event => {
    const language = event.target.dataset.language;
    if (!language) return;
    document.cookie = `heygem_language=${language}; path=/; max-age=31536000; samesite=lax`;
    location.reload();
});
// A page that is loaded again opens where it was.
document.addEventListener('click', event => {
    const tab = event.target.closest('[role=tab]');
    if (tab?.id) sessionStorage.setItem('heygem_tab', tab.id);
});
setTimeout(() => document.getElementById(sessionStorage.getItem('heygem_tab'))?.click());
"""


def _both(key: str, **details: object) -> str:
    """A fixed sentence in every language; the style sheet shows the one of the page."""
    return "".join(f'<span lang="{LOCALES[one]}">{say(key, one, **details)}</span>' for one in LANGUAGES)


def _header() -> str:
    icon = Path(__file__).with_name("icon.svg").read_text("utf-8")
    return (
        f'<div class="brand">{icon}<div><h1>HeyGem</h1><p>{_both("motto")}</p></div></div>'
        '<nav class="languages">'
        '<button data-language="zh">中文</button><button data-language="en">English</button></nav>'
    )
