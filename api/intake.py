"""How files come in: sent with the request and written to disk while they arrive, or named inside an allowed folder."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from api.reading import bounded, json_object
from heygem.errors import LimitExceeded, OptionInvalid, OutputError
from heygem.finish.base import FILES as EXTRAS
from heygem.finish.base import is_file
from heygem.jobs.limits import check_size
from heygem.names import clean_stem
from heygem.settings import Settings

FILES = ("audio", "audios", "video", "videos", *EXTRAS)
_FIELD = 64 << 10  # bytes of a field that is not a file
_FIELDS = 64
_BODY = 1 << 20  # bytes of a JSON body


@dataclass
class Sent:
    """What came with a request. ours: the files are in a folder of ours and never change, so a link is enough."""

    ours: bool
    fields: dict[str, Any] = field(default_factory=dict)
    files: dict[str, list[Path]] = field(default_factory=dict)

    def one(self, name: str) -> Path:
        """Raises OptionInvalid."""
        found = self.files.get(name, [])
        if len(found) != 1:
            raise OptionInvalid(option=name, value="missing" if not found else "several", allowed="one file")
        return found[0]

    @property
    def extras(self) -> dict[str, Path]:
        """The files of the finish, by option. Raises OptionInvalid."""
        return {name: self.one(name) for name in EXTRAS if name in self.files}

    def many(self, name: str) -> list[Path]:
        """Raises OptionInvalid."""
        if not (found := self.files.get(name, [])):
            raise OptionInvalid(option=name, value="missing", allowed="one file or more")
        return found


def uploads(settings: Settings) -> Path:
    """The folder of uploads that are under way. What is in there when the server starts is left from a dead one."""
    return settings.home / "uploads" / "api"


UPLOAD = {"type": "string", "format": "binary"}
UPLOADS = {"type": "array", "items": UPLOAD}
_NAME = {"type": "string", "description": "a name inside of HEYGEM_INPUT_FOLDER"}
_NAMES = {"type": "array", "items": _NAME}


def body(needed: dict[str, Any], more: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the documentation says about a body that is read while it arrives: name -> UPLOAD, UPLOADS or the schema of
    a value. more: what may be left out."""
    uploads = {**needed, **(more or {})}
    named = {name: _NAME if one is UPLOAD else _NAMES if one is UPLOADS else one for name, one in uploads.items()}
    kinds = (("multipart/form-data", uploads), ("application/json", named))
    content = {
        kind: {"schema": {"type": "object", "required": [*needed], "properties": given}} for kind, given in kinds
    }
    return {"requestBody": {"required": True, "content": content}}


@asynccontextmanager
async def received(request: Request, settings: Settings) -> AsyncIterator[Sent]:
    """The files and fields of a request; what was uploaded is gone after the block.

    Raises OptionInvalid, LimitExceeded, OutputError, and starlette's ClientDisconnect for an upload that breaks off.
    """
    kind, parameters = parse_options_header(request.headers.get("content-type"))
    if kind == b"application/json":
        yield await run_in_threadpool(_named, await _body(request), settings)
        return
    if kind != b"multipart/form-data" or not parameters.get(b"boundary"):
        allowed = "multipart/form-data or application/json"
        raise OptionInvalid(option="content-type", value=f"“{kind.decode('latin-1')}”", allowed=allowed)
    folder = uploads(settings) / secrets.token_hex(8)
    form = _Form(folder, settings, parameters[b"boundary"])
    try:
        async for chunk in request.stream():
            await run_in_threadpool(form.write, chunk)
        yield form.end()
    finally:
        form.close()
        shutil.rmtree(folder, ignore_errors=True)


async def _body(request: Request) -> dict[str, Any]:
    """A JSON object. Raises OptionInvalid."""
    body = await bounded(request, _BODY)
    if body is None:
        raise OptionInvalid(option="the body", value="so large", allowed=f"JSON of at most {_BODY} bytes")
    if (found := json_object(body)) is None:
        raise OptionInvalid(option="the body", value="read as JSON", allowed="a JSON object")
    return found


def _named(body: dict[str, Any], settings: Settings) -> Sent:
    """Names of files inside the folder that the administrator allowed. Raises OptionInvalid, FileMissing."""
    named = {name for name in FILES if name in body and not (name in EXTRAS and not is_file(str(body[name])))}
    sent = Sent(ours=False, fields={name: value for name, value in body.items() if name not in named})
    for name in FILES:
        if name in named:
            given = body[name] if isinstance(body[name], list) else [body[name]]
            if len(given) > settings.max_videos:
                raise _too_many(len(given), settings)
            sent.files[name] = [_confined(str(one), name, settings.input_folder) for one in given]
    return sent


def _confined(name: str, option: str, folder: Path | None) -> Path:
    if folder is None:
        raise OptionInvalid(option=option, value="a name here", allowed="an upload; HEYGEM_INPUT_FOLDER is not set")
    return inside(folder, name, option)


def inside(folder: Path, name: str, option: str) -> Path:
    """The file ``name`` of a folder; wherever its links lead, it must lie in there. Raises OptionInvalid."""
    try:
        path = (folder / name).resolve()
        if path.is_relative_to(folder.resolve()) and path.is_file():
            return path
    except (OSError, ValueError, RuntimeError):  # too long, a NUL in it, links in a circle
        pass
    raise OptionInvalid(option=option, value=f"“{name[:200]}”", allowed="a file inside the folder of inputs")


class _Form:
    """A multipart body, taken apart while it arrives. Every file has a folder of its own: names may be equal."""

    def __init__(self, folder: Path, settings: Settings, boundary: bytes) -> None:
        self._folder, self._settings = folder, settings
        self._sent = Sent(ours=True)
        self._headers: dict[str, str] = {}
        self._head, self._value = b"", b""
        self._name, self._text = "", bytearray()
        self._file: BinaryIO | None = None
        self._size = self._parts = 0
        self._whole = False
        calls = {name: getattr(self, name) for name in dir(self) if name.startswith("on_")}
        try:
            self._parser = MultipartParser(boundary, calls)  # pyright: ignore[reportArgumentType]
        except FormParserError:  # too long a boundary
            raise _broken() from None

    def write(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise _broken() from None
        except OSError as error:
            raise OutputError(name="uploads", reason=error.strerror or str(error)) from error

    def end(self) -> Sent:
        """Raises OptionInvalid for a body that is cut short."""
        if not self._whole:
            raise _broken()
        return self._sent

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    # -- called by the parser

    def on_part_begin(self) -> None:
        self._headers, self._text, self._size = {}, bytearray(), 0
        self._parts += 1

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._head += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self._headers[self._head.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._head = self._value = b""

    def on_headers_finished(self) -> None:
        _, parameters = parse_options_header(self._headers.get("content-disposition"))
        self._name = parameters.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in parameters:
            return
        if self._name not in FILES:
            raise OptionInvalid(option=self._name, value="a file", allowed=f"{', '.join(FILES)} for files")
        files = self._sent.files.setdefault(self._name, [])
        if len(files) == self._settings.max_videos:
            raise _too_many(len(files) + 1, self._settings)
        path = self._folder / str(self._parts) / harmless(parameters[b"filename"].decode("utf-8", "replace"))
        path.parent.mkdir(parents=True)
        self._file = path.open("xb")
        files.append(path)

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._file is not None:
            check_size(self._settings, self._size)
            self._file.write(memoryview(data)[start:end])
        elif self._size > _FIELD:
            raise OptionInvalid(option=self._name, value="so long", allowed=f"at most {_FIELD} bytes")
        else:
            self._text += data[start:end]

    def on_part_end(self) -> None:
        if self._file is not None:
            self.close()
        elif len(self._sent.fields) == _FIELDS:
            raise OptionInvalid(
                option="the form", value="so long", allowed=f"at most {_FIELDS} fields beside the files"
            )
        else:
            self._sent.fields[self._name] = self._text.decode("utf-8", "replace")

    def on_end(self) -> None:
        self._whole = True


def harmless(name: str) -> str:
    """The last part of a name that a browser sent, whatever system it came from."""
    name = re.split(r"[/\\]", name)[-1]
    suffix = Path(name).suffix.lower()
    return clean_stem(name) + (suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else "")


def _broken() -> OptionInvalid:
    return OptionInvalid(option="the body", value="read", allowed="a whole multipart/form-data body")


def _too_many(count: int, settings: Settings) -> LimitExceeded:
    return LimitExceeded(what="number of videos", value=count, most=settings.max_videos, setting="HEYGEM_MAX_VIDEOS")
