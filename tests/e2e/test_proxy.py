"""The page behind a real nginx with the example of deploy/: at the top of a site, and below a path of one."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Server, free_port

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="needs nginx (apt install nginx-light)")


def site(path: str, page: str, port: int) -> str:
    """The example's second server without its certificate, with the variant below a path in place of “location /”."""
    text = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    example, _, below = text.partition("\n# Below a path")
    server = "server {" + example.split("server {")[2]
    if path:
        variant = "\n".join(line[1:] for line in below.splitlines() if line.startswith("#    "))
        server = re.sub(r"    location / \{.*?\n    \}\n", lambda _: variant + "\n", server, flags=re.DOTALL)
    server = re.sub(r"\n    (listen|ssl_)[^\n]*", "", server)
    server = server.replace("server_name", f"listen 127.0.0.1:{port};\n    server_name", 1)
    return server.replace("127.0.0.1:7860", page.removeprefix("http://"))


def listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(params=["", "/heygem"], ids=["top", "below a path"])
def address(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    temporary = "".join(f"{kind}_temp_path {tmp_path}/{kind}; " for kind in ("client_body", "proxy"))
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/errors; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{site(request.param, server.address, port)} }}\n",
        "utf-8",
    )
    command = [str(NGINX), "-e", str(tmp_path / "errors"), "-c", str(tmp_path / "nginx.conf")]
    with subprocess.Popen(command) as nginx:
        while nginx.poll() is None and not listens(port):
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}{request.param}"
        nginx.terminate()


def test_the_page_knows_where_it_is_and_what_it_needs_is_there(address: str) -> None:
    page = urllib.request.urlopen(f"{address}/", timeout=20).read().decode()
    assert f'"root":"{address}"' in page
    (style,) = re.findall(r'"theme_hash":"(\w+)"', page)
    for name in ("health", "metrics", "favicon.ico", f"theme.css?v={style}", "gradio_api/info"):
        assert urllib.request.urlopen(f"{address}/{name}", timeout=20).status == 200, name


@pytest.mark.browser
def test_a_browser_sends_a_file_and_hears_of_it(address: str, chromium, portrait: Path) -> None:
    page = chromium.new_page()
    page.goto(f"{address}/")
    page.locator("input[type=file]").nth(1).set_input_files(portrait)
    page.get_by_text("512 × 512").wait_for(timeout=30_000)
    page.close()
