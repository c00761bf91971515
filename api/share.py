"""The addresses behind links of this server: open to whoever has one, for as long as it says."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse, HTMLResponse

from api.desk import At
from api.errors import answer, status_of
from api.results import file
from api.words import say
from heygem.errors import HeyGemError, LinkExpired, LinkRefused, ResultGone
from heygem.language import language_of
from storage.base import disposition
from storage.local import PATH, Local

router = APIRouter(tags=["delivery"])
_PAGE = (
    '<!doctype html><html lang="{lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<title>HeyGem</title><p style="font:1.1rem/1.6 system-ui,sans-serif;max-width:30rem;margin:20vh auto">'
    "{text}</p></html>"
)


@router.head(PATH + "{key:path}", include_in_schema=False)
@router.get(PATH + "{key:path}", response_class=FileResponse)
def share(request: Request, desk: At, key: str) -> Response:
    """The video that a link leads to, with ranges; 403 where the link has expired or was changed, 404 where the video
    was removed or the link revoked."""
    try:
        path, meta = Local(desk.settings).open_link(f"{PATH}{key}?{request.url.query}")
        return file(request, path, meta.kind, disposition(meta.name))
    except (LinkExpired, LinkRefused) as error:
        return _refusal(request, error, status_of(error), desk.settings.language)
    except (ResultGone, FileNotFoundError):
        return _refusal(request, ResultGone(name="video"), 404, desk.settings.language)


def _refusal(request: Request, error: HeyGemError, status: int, setting: str) -> Response:
    """A sentence for people, JSON for programs."""
    if "text/html" not in request.headers.get("accept", ""):
        response: Response = answer(error)
        response.status_code = status
    else:
        language = language_of(request.headers, setting)
        response = HTMLResponse(_PAGE.format(lang=language, text=escape(say(error.code, language))), status)
    response.headers["Cache-Control"] = "no-store"
    return response
