"""The engines of this server: which are ready, what the others lack, what their licences allow."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.desk import At
from api.models import Problem
from heygem.engines import DEFAULT
from heygem.engines.cards import Card, Part, cards
from heygem.errors import HeyGemError
from heygem.jobs.job import Failure

router = APIRouter(tags=["engines"])


class LicenceReply(BaseModel):
    """Nothing here is legal advice: it is what the authors state."""

    code: str
    weights: str
    commercial: str = Field(description="yes, no or unclear")
    reason: str


class WeightsReply(BaseModel):
    """Weights that an engine needs, or can use besides."""

    name: str
    network: str
    installed: bool
    size: int | None = Field(description="bytes of what is installed, else of the published file, where known")
    optional: bool = Field(description="the engine also works without them")
    licence: LicenceReply
    rights: bool = Field(description="whoever added them said to have the right to use them")
    page: str = Field(description="where they are published")
    error: Problem | None = Field(description="what keeps them from being used")
    commands: list[str] = Field(description="what an administrator types, in turn; FILE: a file that is to be fetched")


class GpuFigure(BaseModel):
    """Memory of a GPU that was enough, as somebody wrote down."""

    size: int = Field(description="bytes")
    source: str


class EngineReply(BaseModel):
    """One engine as it stands on this server now."""

    name: str = Field(description="the value of the option “engine”")
    title: str
    default: bool
    state: str = Field(description="ready, missing (weights), damaged (weights), refused (licence) or off (not set up)")
    errors: list[Problem] = Field(description="what keeps it from being used: what a job with it would be refused with")
    device: str = Field(description="where it would compute, or the host of the remote service")
    licence: LicenceReply
    installed: int = Field(description="bytes of its weights on the disk")
    gpu_memory: GpuFigure | None = Field(description="where somebody published or measured it")
    weights: list[WeightsReply]


class Engines(BaseModel):
    items: list[EngineReply]


@router.get("/engines")
def show(desk: At) -> Engines:
    """All engines. No network is loaded for it, and what was installed meanwhile is seen."""
    return Engines(items=[_reply(card) for card in cards(desk.settings)])


def _reply(card: Card) -> EngineReply:
    return EngineReply(
        name=card.name,
        title=card.title,
        default=card.name == DEFAULT,
        state=card.state,
        errors=[_problem(error) for error in card.problems],
        device=card.device,
        licence=LicenceReply(**vars(card.licence)),
        installed=card.installed,
        gpu_memory=GpuFigure(**vars(card.gpu)) if card.gpu else None,
        weights=[_weights(part) for part in card.parts],
    )


def _weights(part: Part) -> WeightsReply:
    row = part.row
    return WeightsReply(
        name=row.name,
        network=row.network,
        installed=part.facts is not None,
        size=part.size,
        optional=row.optional,
        licence=LicenceReply(code=row.code, weights=row.licence, commercial=row.commercial, reason=row.reason),
        rights=bool(part.facts and part.facts.rights),
        page=row.page,
        error=_problem(part.problem) if part.problem else None,
        commands=list(part.commands),
    )


def _problem(error: HeyGemError) -> Problem:
    return Problem.of(Failure.of(error))
