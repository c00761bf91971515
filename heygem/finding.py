"""What a check found, for people: of this machine (``heygem doctor``) and of the storage (``heygem storage check``)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Finding:
    """state: "ok", "note" (works without it) or "missing" (must be mended)."""

    name: str
    state: str
    found: str
    remedy: str = ""


def report(findings: Iterable[Finding], as_json: bool = False) -> int:
    """Prints every finding as soon as it is there. Returns 1 where something essential is missing, else 0."""
    seen = []
    for finding in findings:
        seen.append(finding)
        if not as_json:
            print(f"{finding.state.upper() if finding.state == 'missing' else finding.state:8}", end="")
            print(f"{finding.name:20}{finding.found}", flush=True)
            if finding.remedy:
                print(f"{'':8}{'':20}→ {finding.remedy}", flush=True)
    if as_json:
        print(json.dumps([asdict(finding) for finding in seen], ensure_ascii=False))
    return int(any(finding.state == "missing" for finding in seen))
