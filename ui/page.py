"""The page: header, one tab a file, footer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from heygem import __version__
from heygem.jobs.runner import Runner
from ui.language import LOCALES, LanguageDoor
from ui.single import Single
from ui.theme import CSS, theme
from ui.words import LANGUAGES, WORDS, say

_DAY = 86400


@dataclass(frozen=True)
class Place:
    """Where a page stands. log: name of the log file, for sentences. language: auto, zh or en."""

    outputs: Path
    log: Path
    language: str = "auto"
    max_upload_mb: int = 2048


def words() -> gr.I18n:
    """The fixed words for the browser, which picks its language."""
    return gr.I18n(**{LOCALES[one]: {key: both[i] for key, both in WORDS.items()} for i, one in enumerate(LANGUAGES)})


def build(runner: Runner, place: Place) -> gr.Blocks:
    """The page, not yet served."""
    texts = words()
    with gr.Blocks(title="HeyGem", analytics_enabled=False, delete_cache=(3600, _DAY)) as page:
        gr.HTML(_header(), elem_id="header", js_on_load=_SWITCH, apply_default_css=False)
        with gr.Tabs(), gr.Tab(texts("tab_single"), id="single"):
            Single(page, texts, runner, place.language, place.log.name)
        gr.HTML(_both("footer", version=__version__), elem_id="footer", apply_default_css=False)
    return page


def serve(page: gr.Blocks, place: Place, host: str, port: int, **more: Any) -> None:
    """Starts the server in the background. Raises OSError where the port is taken."""
    page.queue(default_concurrency_limit=8).launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        show_error=False,
        i18n=words(),
        theme=theme(),
        css=CSS,
        favicon_path=Path(__file__).with_name("icon.svg"),
        footer_links=[],
        run_history=False,
        allowed_paths=[str(place.outputs)],
        blocked_paths=[str(place.log)],
        max_file_size=f"{place.max_upload_mb}mb",
        enable_monitoring=False,
        ssr_mode=False,
        strict_cors=True,
        app_kwargs={"middleware": [Middleware(LanguageDoor, default=place.language)]},  # pyright: ignore
        **more,
    )


_SWITCH = """
element.addEventListener('click', event => {
    const language = event.target.dataset.language;
    if (!language) return;
    document.cookie = `heygem_language=${language}; path=/; max-age=31536000; samesite=lax`;
    location.reload();
});
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
