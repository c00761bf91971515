"""Inputs that a request names by their address: downloaded through the guard, bounded, gone after the request."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from starlette.concurrency import run_in_threadpool

from api.intake import harmless, uploads
from heygem.errors import AddressRefused, FileUnreadable, OptionInvalid, OutputError
from heygem.jobs.limits import check_size
from heygem.notify.guard import CONNECT, Guarded
from heygem.settings import Settings

LONGEST = 600.0
"""Seconds for one download."""


@asynccontextmanager
async def fetched(names: Sequence[str], settings: Settings) -> AsyncIterator[list[Path | None]]:
    """A file for each http(s) address among the names, None for each other one.

    Raises OptionInvalid where addresses are not allowed, AddressRefused, AddressUnknown, FileUnreadable, LimitExceeded,
    OutputError.
    """
    folder = uploads(settings) / secrets.token_hex(8)
    try:
        yield [
            await _download(name, folder / str(number), settings) if is_address(name) else None
            for number, name in enumerate(names)
        ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def is_address(name: str) -> bool:
    return name.lower().startswith(("http://", "https://"))


async def _download(url: str, folder: Path, settings: Settings) -> Path:
    try:
        parts = httpx.URL(url)
        host, path = parts.host, folder / harmless(parts.path)
    except (httpx.InvalidURL, ValueError):
        raise AddressRefused(address=url[:80], reason="it is no valid address") from None
    if settings.easy_fetch == "off":
        allowed = "a file in the shared folder; HEYGEM_EASY_FETCH is off"
        raise OptionInvalid(option="the address", value=f"one of “{host}”", allowed=allowed)
    guarded = Guarded(settings.easy_fetch == "private")
    try:
        async with (
            asyncio.timeout(LONGEST),
            httpx.AsyncClient(transport=guarded, trust_env=False, timeout=CONNECT) as client,
            client.stream("GET", parts) as answer,
        ):
            if answer.status_code != 200:
                raise _unreadable(path, f"“{host}” answers HTTP {answer.status_code}")
            folder.mkdir(parents=True)
            size = 0
            with path.open("xb") as file:
                async for chunk in answer.aiter_bytes(1 << 20):
                    size += len(chunk)
                    check_size(settings, size)
                    await run_in_threadpool(file.write, chunk)
    except (httpx.HTTPError, TimeoutError):
        raise _unreadable(path, f"“{host}” cannot be reached, broke off or is too slow") from None
    except OSError as error:
        raise OutputError(name="uploads", reason=error.strerror or str(error)) from error
    return path


def _unreadable(path: Path, reason: str) -> FileUnreadable:
    return FileUnreadable(name=path.name, kind="media", reason=reason)
