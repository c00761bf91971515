"""The figures of ``heygem bench --quality`` for people: a table, a page with pictures, a section of QUALITY.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from heygem import bench
from heygem.errors import OptionInvalid, OutputError

QUALITY = bench.RESULTS.with_name("QUALITY.md")
COLUMNS = {
    "opening": (("opening", "opening0"), "{:.2f}"),
    "rounding": (("rounding", "rounding0"), "{:.2f}"),
    "gap": (("gap", "gap0"), "{:.2f}"),
    "offset": (("opening_offset",), "{:+.1f}"),
    "LMD": (("lmd", "lmd_picture"), "{:.3f}"),
    "closed P/R": (("precision", "recall"), "{:.2f}"),
    "events P/R": (("event_precision", "event_recall"), "{:.2f}"),
    "voice": (("voice",), "{:.2f}"),
    "still": (("still",), "{:.4f}"),
    "rest": (("rest",), "{:.3f}"),
    "sharpness": (("sharpness",), "{:.2f}"),
    "flicker": (("flicker",), "{:.2f}"),
    "jitter": (("jitter",), "{:.2f}"),
    "seam": (("seam",), "{:.2f}"),
    "equal": (("equal",), "{:.0%}"),
    "PSNR": (("psnr_before", "psnr"), "{:.1f}"),
    "SSIM": (("ssim",), "{:.4f}"),
    "LSE-D/C": (("lse_d", "lse_c"), "{:.2f}"),
    "score": (("score",), "{:.0f}"),
}
"""Column -> measures in it and how they are written; ``_HEAD`` says what they are."""
_HEAD = """# Quality

Figures of `heygem bench --quality --media FOLDER --save`. The mouth is measured in the finished file: the result is
tracked anew and compared with the tracked source. Lengths are in inter-ocular distances with the pose removed.
Groups: own (a clip's own sound on the clip), cross (foreign voices), silence, noise, still (photos). “–” is no answer:
no frames without a voice, for instance, or no motion in a photo to compare with.

- opening: how low lower lip and chin are; correlation of result and source at the best lag within 2 frames / at lag 0
- rounding: the same for how narrow the mouth and how low the upper lip is
- gap: the same for how far the lips are apart
- offset: frames by which the result's opening is early against the source's
- LMD: mean distance of the lip landmarks from the source's, pose removed / in the picture
- closed P/R: closed lips (gap under 0.03 beyond the person's closed lips) by frames, precision / recall
- events P/R: the same by closings of the lips, found within one frame
- voice: correlation of the gap with the loudness of the sound at the best lag within 2 frames
- still: standard deviation of the gap where there is no voice
- rest: median gap where there is no voice; closed lips have 0 to 0.02
- sharpness: variance of the Laplacian in the mouth over that of the source's mouths of like gap
- flicker: change of the skin round the mouth from frame to frame, over the source's
- jitter: fast motion of lips that are still, over the source's
- seam: gradient across rings round the mouth over the source's, in the worst ring
- equal: frames that equal the source to the bit outside the region of the lower face, before encoding
- PSNR: dB outside that region before / after encoding (100: equal)
- SSIM: structural similarity outside that region after encoding
- LSE-D/C: distance and confidence of SyncNet v2, where HEYGEM_SYNCNET names its weights
- score: 0 to 100, what HeyGem itself says of the take
"""


def table(found: dict[str, Any]) -> str:
    """A section of Markdown: medians of the groups, then every case. Columns without any answer are left out."""
    answered = {name for measures in found["medians"].values() for name in measures}
    columns = [column for column, (names, _) in COLUMNS.items() if answered & set(names)]
    names = [*columns, "analyse, s", "listen, s", "render, ms a frame"]
    lines = [
        f"### Quality, {found['date']}, {found['commit']}",
        "",
        f"{found['machine']}. Engine {found['engine']}.",
        "",
    ]
    lines += [f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for group, measures in found["medians"].items():
        rows = [row for row in found["rows"] if row["group"] == group]
        count = sum(not row["error"] for row in rows)
        lines.append(f"| **{group}, median of {count}** | {' | '.join([*_cells(measures, columns), '', '', ''])} |")
        lines += [f"| {row['name']} | {' | '.join(_row_cells(row, columns))} |" for row in rows]
    return "\n".join(lines)


def earlier(path: Path) -> dict[str, Any]:
    """What ``compare`` needs of another run's quality.json. Raises OptionInvalid."""
    try:
        found = json.loads(path.read_text("utf-8"))
        return {name: found[name] for name in ("commit", "medians")}
    except (OSError, ValueError, LookupError, TypeError) as error:
        allowed = "the quality.json of an earlier “heygem bench --quality --out”"
        raise OptionInvalid(option="against", value=path, allowed=allowed) from error


def compare(found: dict[str, Any], before: dict[str, Any]) -> str:
    """Medians of two runs as Markdown, "before → after", for the groups that both have."""
    lines = [f"### {before['commit']} → {found['commit']}", "", f"| | {' | '.join(COLUMNS)} |"]
    lines.append(f"|---|{'---|' * len(COLUMNS)}")
    for group, after in found["medians"].items():
        if group in before["medians"]:
            pairs = zip(_cells(before["medians"][group]), _cells(after), strict=True)
            lines.append(f"| **{group}** | {' | '.join(' → '.join(pair) for pair in pairs)} |")
    return "\n".join(lines)


def save(found: dict[str, Any]) -> None:
    """Appends the table to benchmarks/QUALITY.md. Raises OutputError where HeyGem is not a checkout."""
    if not QUALITY.parent.is_dir():
        raise OutputError(name=QUALITY.name, reason="HeyGem does not run from its repository here")
    head = "" if QUALITY.exists() else _HEAD
    with QUALITY.open("a", encoding="utf-8") as file:
        file.write(f"{head}\n{table(found)}\n")


def write(found: dict[str, Any], folder: Path) -> Path:
    """Writes quality.json, quality.md and the page index.html into ``folder``; returns the page."""
    (folder / "quality.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (folder / "quality.md").write_text(table(found) + "\n", "utf-8")
    page = folder / "index.html"
    figures = "".join(_figure(row) for row in found["rows"])
    page.write_text(
        "<!doctype html><meta charset=utf-8><title>HeyGem: quality</title><style>body{font:15px sans-serif;margin:2em}"
        f"img{{max-width:100%}}</style><h1>Quality, {escape(found['commit'])}</h1><p>Original above, result below, the "
        f"mouth enlarged.</p>{figures}",
        "utf-8",
    )
    return page


def _figure(row: dict[str, Any]) -> str:
    title = escape(f"{row['group']}: {row['name']}")
    if row["error"]:
        return f"<h2>{title}</h2><p>{escape(row['error'])}</p>"
    cells = zip(COLUMNS, _cells(row["measures"]), strict=True)
    words = ", ".join(f"{name} {cell}" for name, cell in cells if cell != "–")
    return f'<h2>{title}</h2><p>{escape(words)}</p><img loading=lazy src="{escape(row["picture"])}">'


def _row_cells(row: dict[str, Any], columns: Sequence[str]) -> Sequence[str]:
    if row["error"]:
        return [row["error"], *[""] * (len(columns) + 2)]
    stages = row["stages"]
    times = [f"{stages[name]:.1f}" for name in ("analyse", "listen")]
    return [*_cells(row["measures"], columns), *times, f"{stages['render'] / stages['frames'] * 1000:.0f}"]


def _cells(measures: dict[str, float], columns: Iterable[str] = COLUMNS) -> list[str]:
    return [
        " / ".join(form.format(measures[name]) if name in measures else "–" for name in names)
        if any(name in measures for name in names)
        else "–"
        for names, form in (COLUMNS[column] for column in columns)
    ]
