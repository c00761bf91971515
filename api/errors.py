"""Errors as programs get them: ``{"error": {"code", "message", "hint"}}`` with the fitting HTTP status, in English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from loguru import logger
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from heygem.errors import HeyGemError, InputError
from heygem.jobs.job import Failure

STATUS = {
    "input.missing": 404,
    "limit.exceeded": 413,
    "queue.full": 429,
    "result.gone": 410,
    "address.refused": 422,
    "address.unknown": 422,
    "webhook.failed": 502,
    "login.missing": 401,
    "origin.refused": 403,
    "engine.unavailable": 409,
    "tool.missing": 503,
    "weights.unusable": 503,
    "weights.missing": 409,
    "weights.damaged": 409,
    "weights.licence": 403,
    "remote.missing": 409,
    "say.failed": 502,
    "say.busy": 503,
    "compare.busy": 503,
    "compare.too_long": 413,
    "job.missing": 404,
    "job.state": 409,
    "job.cancelled": 409,
    "job.timeout": 504,
    "disk.low": 507,
    "store.busy": 503,
    "store.in_use": 503,
    "store.unusable": 503,
    "storage.missing": 503,
    "storage.refused": 502,
    "storage.unreachable": 502,
    "storage.damaged": 502,
    "link.expired": 403,
    "link.refused": 403,
}
"""Code -> HTTP status. All that the user's files and options cause is 422, everything else 500."""

HEADERS = {
    "login.missing": {"WWW-Authenticate": "Bearer"},
    "queue.full": {"Retry-After": "60"},
    "say.busy": {"Retry-After": "5"},
    "compare.busy": {"Retry-After": "20"},
    "store.busy": {"Retry-After": "5"},
}
"""Code -> what the answer says besides."""

_PATH = re.compile(r"(?<![^\s'])/[^\s/']+/[^\s']+")
"""A path inside of a sentence. What clients wrote themselves is quoted otherwise."""


def status_of(error: HeyGemError) -> int:
    """The HTTP status of an error."""
    if error.code == "output.failed" and "No space left" in error.details.get("reason", ""):
        return 507
    return STATUS.get(error.code, 422 if isinstance(error, InputError) else 500)


def answer(error: HeyGemError) -> JSONResponse:
    """The whole answer to a request that failed."""
    shown = without_paths(Failure.of(error))
    return _answer(status_of(error), shown.code, shown.message, shown.hint, HEADERS.get(error.code))


def without_paths(failure: Failure) -> Failure:
    """The same with paths of the server cut down to names."""
    values = failure.details.values()
    paths = {value for value in values if value.startswith("/")}.union(*map(_PATH.findall, values))

    def cut(text: str) -> str:
        for path in sorted(paths, key=len, reverse=True):
            text = text.replace(path, Path(path).name)
        return text

    details = {name: cut(value) for name, value in failure.details.items()}
    return Failure(failure.code, cut(failure.message), cut(failure.hint), details)


def install(app: FastAPI) -> None:
    """All errors of the routes of this app get this form, also those of FastAPI itself."""

    @app.exception_handler(HeyGemError)
    async def known(_: Request, error: HeyGemError) -> JSONResponse:
        return answer(error)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return _answer(422, "request.invalid", f"{place}: {first['msg']}.", "See /docs for what this address takes.")

    @app.exception_handler(HTTPException)
    async def plain(_: Request, error: HTTPException) -> JSONResponse:
        return _answer(error.status_code, f"http.{error.status_code}", str(error.detail), "", error.headers)

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> JSONResponse:
        logger.opt(exception=error).error("{} {} failed", request.method, request.url.path)
        return answer(HeyGemError(reason="an error inside of HeyGem; the log has it"))


def _answer(status: int, code: str, message: str, hint: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message, "hint": hint}}, status, headers)
