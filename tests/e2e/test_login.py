"""The login page in a real browser, and gradio behind the door: queue, streams, uploads, scripts under the policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import add, config, served

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
FRAME = "<iframe></iframe>"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = config(tmp_path_factory.mktemp("home"))
    add(settings, "王小明")
    with served(settings) as address:
        yield address


@pytest.fixture
def visit(chromium: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Opens the server as a browser of its own; afterwards: no script failed, nothing broke the policy or left."""
    contexts, bad = [], []

    def visit(locale: str = "zh-CN", **more: Any) -> Any:
        context = chromium.new_context(locale=locale, **more)
        contexts.append(context)
        context.on("request", lambda r: r.url.startswith((address, "data:", "blob:")) or bad.append(r.url))
        page = context.new_page()
        page.on("pageerror", lambda error: bad.append(str(error)))
        page.on("console", lambda m: "Content Security Policy" in m.text and bad.append(m.text))
        page.goto(address)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert bad == []


def fill(page: Any, password: str = "correct horse", name: str = "王小明") -> None:
    page.fill("#name", name)
    page.fill("#password", password)
    page.press("#password", "Enter")


def test_log_in_work_and_log_out(visit: Callable[..., Any], tmp_path: Path) -> None:
    page = visit()
    assert page.title() == "登录 HeyGem" and page.evaluate("document.activeElement.id") == "name"
    fill(page, "wrong horse")
    assert "用户名或密码不对" in page.inner_text("[role=alert]")
    assert page.input_value("#name") == "王小明" and page.evaluate("document.activeElement.id") == "password"
    fill(page)
    page.wait_for_selector("#greet")
    page.fill("#name textarea, #name input", "Ann")
    page.click("#greet")
    page.wait_for_function("document.querySelector('#out textarea, #out input').value == 'Hello Ann...'")
    page.press("#name textarea, #name input", "Enter")
    page.locator("#look b", has_text="3").wait_for()
    assert page.locator("#look [data-ran], #look[data-ran]").count() == 1, "scripts that gradio makes from text run"
    (tmp_path / "big.bin").write_bytes(bytes(2_000_000))
    page.set_input_files("#file input[type=file]", tmp_path / "big.bin")
    page.wait_for_function("document.querySelector('#out textarea, #out input').value == '2000000 bytes'")
    assert page.evaluate("fetch('/logout', {method: 'POST'}).then(answer => answer.url)").endswith("/login")
    page.reload()
    page.wait_for_selector("#password")


@pytest.mark.parametrize(("locale", "title"), [("zh-CN", "登录 HeyGem"), ("en-GB", "Log in to HeyGem")])
@pytest.mark.parametrize(
    ("scheme", "size"), [("light", PHONE), ("dark", PHONE), ("light", {"width": 1280, "height": 800})]
)
def test_the_form_fits_and_is_named(
    visit: Callable[..., Any], locale: str, title: str, scheme: str, size: dict[str, int]
) -> None:
    page = visit(locale, viewport=size, color_scheme=scheme)
    fill(page, "wrong horse", "somebody")
    page.locator("[role=alert]").wait_for()
    assert page.inner_text("h1") == title
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    for field in ("name", "password"):
        assert (
            page.locator(f"label[for={field}]").inner_text()
            and page.locator(f"#{field}").bounding_box()["height"] >= 44
        )
    assert page.locator("button").bounding_box()["height"] >= 44


def test_it_works_without_scripts(visit: Callable[..., Any], address: str) -> None:
    page = visit(java_script_enabled=False)
    fill(page)
    page.wait_for_url(f"{address}/", wait_until="commit")
    assert [cookie["httpOnly"] for cookie in page.context.cookies()] == [True]


def test_another_site_cannot_log_anybody_in_or_show_the_page_in_a_frame(chromium: Any, address: str) -> None:
    stranger = address.replace("127.0.0.1", "localhost")  # for a browser, another site
    form = f'<form method="post" action="{address}/login"><button>log in</button></form>'
    trap = chromium.new_page()
    trap.route(f"{stranger}/trap", lambda route: route.fulfill(content_type="text/html", body=FRAME + form))
    trap.goto(f"{stranger}/trap")
    trap.evaluate("address => { document.querySelector('iframe').src = address }", f"{address}/login")
    trap.wait_for_timeout(300)
    assert trap.frames[1].url.startswith("chrome-error:")
    with trap.expect_response(f"{address}/login") as waiting:
        trap.click("button")
    assert waiting.value.status == 403
    trap.context.close()
