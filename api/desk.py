"""What the routes work with, and how they get at it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated, Protocol

from fastapi import Depends, Request

from heygem.jobs.queue import Queue
from heygem.settings import Settings

if TYPE_CHECKING:
    from heygem.jobs.fleet import Fleet
    from heygem.jobs.preflight import Preflight

PREFIX = "/api/v1"


class Desk(Protocol):
    """The page's desk fits, and whatever else has these four."""

    @property
    def queue(self) -> Queue: ...
    @property
    def fleet(self) -> Fleet: ...
    @property
    def preflight(self) -> Preflight: ...
    @property
    def settings(self) -> Settings: ...


def _desk(request: Request) -> Desk:
    return request.app.state.desk


def _closing(request: Request) -> threading.Event:
    return request.app.state.closing


At = Annotated[Desk, Depends(_desk)]
"""The desk, as an argument of a route."""
Closing = Annotated[threading.Event, Depends(_closing)]
"""Set when the server is about to stop, so that streams end."""
