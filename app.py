"""``python app.py`` serves the page. The only file that wires: settings, log, runner, page."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from loguru import logger

from heygem import log, settings
from heygem.errors import HeyGemError
from heygem.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Serves until Ctrl-C or a TERM signal. Returns the exit status."""
    given = _parse(arguments)
    quiet = given.pop("quiet")
    try:
        config = settings.load(**given)
        if not _is_free(config.host, config.port):
            print(
                f"Port {config.port} is in use; choose another with --port. 端口已被占用，请用 --port 换一个。",
                file=sys.stderr,
            )
            return 1
        file = config.log_file or config.outputs / log.NAME
        log.start(file, quiet, config.secrets)
        return _serve(config, file)
    except HeyGemError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return 1


def _parse(arguments: list[str] | None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="app.py", description="Serves the page of HeyGem. Everything else is set by HEYGEM_* variables or .env."
    )
    parser.add_argument("--host", help="address to listen on (0.0.0.0: every network; 127.0.0.1: this machine)")
    parser.add_argument("--port", help="port (7860)")
    parser.add_argument("--quiet", action="store_true", help="write the log to its file alone")
    return {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}


def _serve(config: Settings, log_file: Path) -> int:
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("GRADIO_TEMP_DIR", str(config.home / "uploads"))  # not /tmp: another user may own that
    from heygem.jobs.runner import Runner  # only now: a worker process imports this file too
    from ui.page import Place, build, serve

    asked: list[int] = []  # neither an Event nor a lock: a signal may arrive inside of one
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda number, _: asked.append(number))
    place = Place(config.outputs, log_file, config.language, config.max_upload_mb)
    runner = Runner(config.outputs, config.cache)
    try:
        page = build(runner, place)
        serve(page, place, config.host, config.port)
        log.take_over()  # uvicorn has set up its own by now
        logger.info("serving on {}:{}", config.host, config.port)
        print("页面已就绪 The page is ready:", *_addresses(config.host, config.port), flush=True)
        print("日志 Log:", log_file, flush=True)
        runner.warm()
        while not asked:
            time.sleep(0.2)
        logger.info("stopping")
        page.close()
    finally:
        runner.close()
    return 0


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return False
    return True


def _addresses(host: str, port: int) -> list[str]:
    """Where a browser finds the page; with 0.0.0.0 also from other machines of the network."""
    if host not in ("0.0.0.0", "::"):
        return [f"http://{host}:{port}"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it asks the routing table for our own address
            return [f"http://127.0.0.1:{port}", f"http://{probe.getsockname()[0]}:{port}"]
        except OSError:
            return [f"http://127.0.0.1:{port}"]


if __name__ == "__main__":
    sys.exit(main())
