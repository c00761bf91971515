"""``python app.py`` serves page and API and works off the queue. The only file that wires."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loguru import logger

from heygem import log, settings
from heygem.errors import HeyGemError
from heygem.settings import Settings

if TYPE_CHECKING:
    import uvicorn

    from heygem.jobs.fleet import Fleet
    from heygem.jobs.job import Job
    from heygem.jobs.queue import Queue


_LAST = 3.0  # seconds that open connections have when the server stops


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
    except Exception as error:
        logger.exception("the server could not start")
        print(f"启动失败，原因见日志。It could not start, see the log: {error}", file=sys.stderr)
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
    os.environ.setdefault("GRADIO_TEMP_DIR", str(config.uploads))  # not /tmp: another user may own that
    asked: list[int] = []  # neither an Event nor a lock: a signal may arrive inside of one
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda number, _: asked.append(number))
    with ExitStack() as parts:
        server, stop = _wire(config, log_file, parts)
        thread = threading.Thread(target=server.run, name="heygem-server", daemon=True)
        thread.start()
        while thread.is_alive() and not (server.started or asked):
            time.sleep(0.02)
        if server.started:
            from api.login import warning

            log.take_over()  # uvicorn has set up its own by now
            logger.info("serving on {}:{}", config.host, config.port)
            print("页面已就绪 The page is ready:", *_addresses(config.host, config.port), flush=True)
            print("日志 Log:", log_file, *filter(None, [warning(config)]), sep="\n", flush=True)
        while thread.is_alive() and not asked:
            time.sleep(0.2)
        logger.info("stopping")
        stop()
        thread.join(_LAST)
    return 0 if asked else 1


def _work(config: Settings, parts: ExitStack) -> tuple[Queue, Fleet]:
    """The queue and those who work it off: waiting jobs begin before the page is there. What has to end is put on
    ``parts``. Raises StoreInUse, StoreUnusable."""
    from heygem.jobs.fleet import LocalFleet
    from heygem.jobs.queue import Queue
    from heygem.jobs.retention import Janitor, caches_of, forget_uploads, policy_of
    from heygem.jobs.store import Store
    from storage.courier import Courier
    from storage.local import Local

    store = Store(config.store, config.outputs)
    parts.callback(store.close)
    queue = Queue(store, config.min_free_mb << 20)
    fleet = LocalFleet(queue, config)
    queue.changed = fleet.wake
    chores = partial(forget_uploads, config.uploads), Local(config).sweep
    janitor = Janitor(queue, policy_of(config), caches_of(config), chores)
    for part in (fleet, janitor, Courier(queue, config)):
        part.start()
        parts.callback(part.close)
    fleet.warm()
    return queue, fleet


def _wire(config: Settings, log_file: Path, parts: ExitStack) -> tuple[uvicorn.Server, Callable[[], None]]:
    """Builds everything, lowest first, and says how to stop the server."""
    queue, fleet = _work(config, parts)
    import uvicorn

    from api.app import create
    from api.security import secure
    from heygem.jobs.preflight import Preflight
    from heygem.notify.bell import Bell
    from ui.desk import Desk
    from ui.page import mount
    from ui.words import explain

    bell = Bell(queue, config, _link_of(queue, config), explain)
    bell.start()
    parts.callback(bell.close)
    preflight = Preflight()
    parts.callback(preflight.close)
    desk = Desk(queue, fleet, preflight, config, log_file, config.language)
    app = create(desk, lambda failure: " ".join(explain(failure.code, failure.details, "zh")))
    door = secure(mount(app, desk), config)
    more = {"log_config": None, "access_log": False, "timeout_graceful_shutdown": int(_LAST) - 1}
    server = uvicorn.Server(uvicorn.Config(door, config.host, config.port, **more))

    def stop() -> None:
        app.state.closing.set()  # streams of events end, else the server would wait for them
        server.should_exit = True

    return server, stop


def _link_of(queue: Queue, config: Settings) -> Callable[[Job], tuple[str, float] | None]:
    """What a notice links to: only what was sent to be shared, and only where others know its address."""
    from heygem.jobs.job import DELIVERED
    from heygem.notify.base import LinkPending
    from storage.sharing import Sharing

    sharing = Sharing(queue, config)

    def link(job: Job) -> tuple[str, float] | None:
        at = sharing.delivery_of(job.id)
        if at is not None and at.busy:
            raise LinkPending
        if at is None or at.state != DELIVERED:
            return None
        made = sharing.make_link(job, by="notice")
        return (made.url, made.expires) if "://" in made.url else None

    return link


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
        return [f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it asks the routing table for our own address
            return [f"http://127.0.0.1:{port}", f"http://{probe.getsockname()[0]}:{port}"]
        except OSError:
            return [f"http://127.0.0.1:{port}"]


if __name__ == "__main__":
    sys.exit(main())
