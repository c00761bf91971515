"""Options as programs send them: flat names, as on the command line, with the types and defaults of the core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from api.reading import json_object
from heygem.engines import ENGINES
from heygem.engines.base import REGIONS
from heygem.errors import OptionInvalid
from heygem.finish.base import CAPTIONS, PLACES
from heygem.pipeline import LENGTHS, PARTS, QUALITIES, RESOLUTIONS, Options

_ALLOWED = {
    **{"engine": ENGINES, "region": REGIONS, "length": LENGTHS, "quality": QUALITIES, "resolution": RESOLUTIONS},
    **{"captions": CAPTIONS, "logo_place": PLACES},
}


def _fields() -> dict[str, Any]:
    """Name -> (type, default) of every option, those of style and finish among them."""
    found = {}
    for kind in (Options, *PARTS.values()):
        hints = get_type_hints(kind)
        for field in fields(kind):
            if field.name not in PARTS:
                about = " | ".join(_ALLOWED.get(field.name, ())) or None
                found[field.name] = (hints[field.name], Field(field.default, description=about))
    return found


OptionsFields = create_model(
    "Options", __doc__="How the result is made.", __config__=ConfigDict(extra="forbid"), **_fields()
)


class Wishes(OptionsFields):
    """Everything that may come with the files of a request."""

    priority: int = Field(0, ge=-100, le=100, description="the higher, the earlier")
    webhook: str | None = Field(None, max_length=2000, description="an http(s) address that is told when a job ends")
    deliver: bool = Field(False, description="the result goes to the storage once it is there")
    name: str = Field("", max_length=200, description="of a batch, for people")


def wishes_of(sent: Mapping[str, Any]) -> Wishes:
    """What fields of a form, or of a JSON body, ask for; ``options`` may hold some of them as JSON. Raises
    OptionInvalid."""
    return read(Wishes, {**_opened(sent.get("options")), **{k: v for k, v in sent.items() if k != "options"}})


def read(kind: type[BaseModel], values: Mapping[str, Any]) -> Any:
    """Raises OptionInvalid naming the first value that does not fit."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = ".".join(map(str, first["loc"])) or "the request"
        known = kind.model_fields
        allowed = f"one of {', '.join(known)}" if option not in known else first["msg"].replace("Input", "a value that")
        raise OptionInvalid(option=option, value=f"“{str(first['input'])[:80]}”", allowed=allowed) from None


def options_of(values: BaseModel, files: Mapping[str, Path] | None = None) -> Options:
    """files: those of the finish that came along; a request cannot name others. Raises OptionInvalid."""
    wanted = Options.of({name: getattr(values, name) for name in OptionsFields.model_fields})
    for option, path in wanted.finish.files.items():
        raise OptionInvalid(option=option, value=f"“{str(path)[:80]}”", allowed="a file that is sent along")
    return replace(wanted, finish=wanted.finish.moved(files or {}))


def flat(options: Options) -> dict[str, Any]:
    """The options by the names that a request gives them; files by their names."""
    return {**options.flat, **{option: path.name for option, path in options.finish.files.items()}}


def _opened(value: Any) -> Mapping[str, Any]:
    if value is None or value == "":
        return {}
    found = json_object(value) if isinstance(value, str) else value
    if not isinstance(found, Mapping):
        raise OptionInvalid(option="options", value=f"“{str(value)[:80]}”", allowed="a JSON object like {“face”: 1}")
    return found
