"""What is known of each engine without loading it: may it be used, what is missing, where it would compute.

A card costs milliseconds and no library of networks, so pages and programs ask for all of them again and again and see
what was installed meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from heygem import gpus
from heygem.engines import DEFAULT, ENGINES, load
from heygem.errors import EngineUnavailable, HeyGemError, LicenceRefused, RemoteMissing, WeightsDamaged, WeightsMissing
from heygem.settings import PREFIX, Settings
from heygem.weights.licence import permit
from heygem.weights.store import Facts, WeightStore
from heygem.weights.table import TABLE, Commercial, Weights, needs

if TYPE_CHECKING:
    from heygem.engines.base import Style

State = Literal["ready", "missing", "damaged", "refused", "off"]
"""missing: its weights are not installed. off: it is not set up. Of several the one that stands further back counts."""
_STATES: tuple[State, ...] = ("ready", "off", "missing", "damaged", "refused")
_WORST: tuple[Commercial, ...] = ("no", "unclear", "yes")


@dataclass(frozen=True)
class Licence:
    """Of code and weights, and in one sentence why commercial use is allowed, forbidden or unclear."""

    code: str
    weights: str
    commercial: Commercial
    reason: str


@dataclass(frozen=True)
class Figure:
    """Memory of a GPU that somebody wrote down. size: bytes; source: who, and of what."""

    size: int
    source: str


@dataclass(frozen=True)
class Part:
    """A row of the table of weights as it stands here. facts: of what is installed and whole. problem: what keeps it
    from being used. commands: what makes it usable, in turn; FILE stands for a file that somebody has to fetch."""

    row: Weights
    facts: Facts | None
    problem: HeyGemError | None
    commands: tuple[str, ...]

    @property
    def size(self) -> int | None:
        """Bytes on the disk, or of the published file; None where neither is known."""
        return self.facts.size if self.facts else self.row.files[0].size


@dataclass(frozen=True)
class Card:
    """One engine. problems: what keeps it from being used; none where it is ready. device: where it would compute, in
    words; empty where that is not known. parts: weights that it needs, and those that it can use besides."""

    name: str
    title: str
    state: State
    problems: tuple[HeyGemError, ...]
    device: str
    licence: Licence
    parts: tuple[Part, ...] = ()
    gpu: Figure | None = None

    @property
    def installed(self) -> int:
        """Bytes of its weights that lie here: about what they take in memory."""
        return sum(part.facts.size for part in self.parts if part.facts)


_TITLES = {"mesh": "Standard", "loudness": "Loudness", "remote": "Remote service (face2face)"}
_OWN = Licence("Apache-2.0", "Apache-2.0, shipped with HeyGem", "yes", "code and weights are HeyGem's own")
_NONE = Licence("Apache-2.0", "needs none", "yes", "it is HeyGem's own")
_THEIRS = Licence(
    "of the service", "of the service", "unclear", "the licence of the service decides, which HeyGem does not know"
)
_FIGURES = {"musetalk": Figure(4 << 30, "README of MuseTalk: its own program, fp16, RTX 3050 Ti Laptop with 4 GB")}


def cards(settings: Settings) -> list[Card]:
    """All engines, in the order of the table."""
    return [card(name, settings) for name in ENGINES]


def card(name: str, settings: Settings) -> Card:
    """The engine of this name."""
    if needed := needs(name):
        return _network(name, needed, settings)
    if name == "remote":
        lacking = [
            f"{PREFIX}{field.upper()}" for field in ("remote_url", "remote_folder") if not getattr(settings, field)
        ]
        problems = (RemoteMissing(what=", ".join(lacking)),) if lacking else ()
        host = (settings.remote_url or "").partition("://")[2].partition("/")[0]
        return Card(name, _TITLES[name], "off" if lacking else "ready", problems, host, _THEIRS)
    return Card(name, _TITLES[name], "ready", (), "CPU", _OWN if name == "mesh" else _NONE)


def check(name: str, style: Style, settings: Settings) -> None:
    """Raises what would keep this engine from beginning a take, as the engine itself would: WeightsMissing,
    WeightsDamaged, LicenceRefused, RemoteMissing, EngineUnavailable. What is optional is needed to render exactly."""
    known = card(name, settings)
    besides = [part.problem for part in known.parts if part.problem and part.row.optional and style.exact]
    for problem in (*known.problems, *besides):
        raise problem
    if not known.parts and name != DEFAULT:
        load(name).device(style)  # cheap: these know no GPU
    elif style.device == "cuda" and not gpus.for_torch():
        raise EngineUnavailable(engine=name, reason="PyTorch finds no GPU that it can use; choose auto or cpu")


def device() -> str:
    """Where networks compute on this machine: its GPUs, else its processor."""
    found = [f"{gpu.name}, {gpu.memory / 2**30:.0f} GiB" if gpu.memory else gpu.name for gpu in gpus.for_torch()]
    counted = {one: found.count(one) for one in found}
    return " + ".join(f"{count} × {one}" if count > 1 else one for one, count in counted.items()) or "CPU"


def _network(name: str, needed: tuple[Weights, ...], settings: Settings) -> Card:
    store = WeightStore(settings.weights)
    besides = [row for row in TABLE.values() if name in row.engines and row.optional]
    parts = [_part(row, store, settings) for row in (*needed, *besides)]
    problems = [part.problem for part in parts if part.problem and not part.row.optional]
    problems.sort(key=lambda problem: -_STATES.index(_state(problem)))
    worst = min(needed, key=lambda row: _WORST.index(row.commercial))
    return Card(
        name,
        needed[0].network,
        _state(problems[0]) if problems else "ready",
        tuple(problems),
        device(),
        Licence(needed[0].code, needed[0].licence, worst.commercial, worst.reason),
        tuple(parts),
        _FIGURES.get(name),
    )


def _part(row: Weights, store: WeightStore, settings: Settings) -> Part:
    facts, problem = None, None
    try:
        found = store.find(row.name)
        facts = found.facts if found else None
        if facts or row.commercial == "no":  # to install what is then refused would help nobody
            permit(row, facts, settings)
        if not facts:
            problem = WeightsMissing(name=row.name, network=row.network, page=row.page)
    except (WeightsDamaged, LicenceRefused) as error:
        problem = error
    return Part(row, facts, problem, _commands(row, problem, settings))


def _commands(row: Weights, problem: HeyGemError | None, settings: Settings) -> tuple[str, ...]:
    """What an administrator types; nothing helps against a licence that forbids the use."""
    if problem is None or (isinstance(problem, LicenceRefused) and row.commercial == "no"):
        return ()
    hub = getattr(row, settings.weights_hub)
    fetch = f"heygem weights download {row.name}" if hub else f"heygem weights add FILE --name {row.name}"
    if settings.commercial and row.commercial == "unclear":
        fetch += " --i-have-rights"
    return (f"heygem weights remove {row.name}", fetch) if isinstance(problem, WeightsDamaged) else (fetch,)


def _state(problem: HeyGemError) -> State:
    if isinstance(problem, LicenceRefused):
        return "refused"
    return "damaged" if isinstance(problem, WeightsDamaged) else "missing"
