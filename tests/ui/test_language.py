"""Which language a browser gets."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.language import LanguageDoor, language_of


@pytest.mark.parametrize(
    ("headers", "setting", "language"),
    [
        ({"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}, "auto", "zh"),
        ({"accept-language": "en-GB,en"}, "auto", "en"),
        ({"accept-language": "zh-TW"}, "auto", "zh"),
        ({"accept-language": "fr-FR,fr;q=0.9,en;q=0.8,zh;q=0.5"}, "auto", "en"),
        ({"accept-language": "fr"}, "auto", "zh"),
        ({}, "auto", "zh"),
        ({"accept-language": "zh-CN"}, "en", "en"),
        ({"accept-language": "zh-CN", "cookie": "other=1; heygem_language=en"}, "auto", "en"),
        ({"accept-language": "en", "cookie": "heygem_language=zh"}, "en", "zh"),
        ({"accept-language": "en", "cookie": 'heygem_language="><script>'}, "auto", "en"),
    ],
)
def test_choice_then_setting_then_browser(headers: dict[str, str], setting: str, language: str) -> None:
    assert language_of(headers, setting) == language


def test_the_door_tells_the_page_and_only_the_page() -> None:
    def html(_request: object) -> HTMLResponse:
        return HTMLResponse("<html><head><title>x</title></head></html>")

    app = Starlette(routes=[Route("/", html), Route("/other", html)], middleware=[Middleware(LanguageDoor)])
    client = TestClient(app)
    page = client.get("/", headers={"accept-language": "zh-CN"})
    assert page.text.startswith('<html><head><script>Object.defineProperty(navigator, "language"')
    assert '"zh-CN"' in page.text
    assert int(page.headers["content-length"]) == len(page.content)
    assert "<script>" not in client.get("/other").text
