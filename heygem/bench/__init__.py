"""Speed and memory on this machine, measured so that anybody can repeat it.

Every measurement is the real command line in a fresh child process with a cache of its own. Speed is also given as a
multiple of what ffmpeg needs to decode and encode as many frames of the same clip with the same x264 settings in the
same run, because seconds alone say more about the machine than about the program.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, mkdtemp
from typing import IO, Any

from heygem import __version__
from heygem.engines import DEFAULT
from heygem.errors import HeyGemError, OutputError
from heygem.tick import STAGES

_ROOT = Path(__file__).parents[2]
RESULTS = _ROOT / "benchmarks" / "RESULTS.md"
MINUTES = (1, 10, 30)
"""Lengths of sound that ``memory`` compares."""


@dataclass(frozen=True)
class Run:
    """A child process: exit code, seconds from start to end and of all cores, peak resident memory in MiB, what it
    printed."""

    code: int
    seconds: float
    cpu: float
    peak: float
    output: str


def speed(
    video: Path | None = None,
    audio: Path | None = None,
    draft: bool = False,
    rounds: int = 3,
    engine: str = DEFAULT,
    device: str = "auto",
) -> dict[str, Any]:
    """Rounds of ffmpeg and two takes, cold and warm (the second finds the avatar in the cache); of each its medians.

    Without ``video`` a clip is made: 20 s, 1080x1920, a face 300 px wide; for a draft 1280x720, 200 px. Without
    ``audio`` the voice is as long as the clip. draft: in draft quality, both. engine: with the weights of the settings.
    device: "auto", "cpu" or "cuda".
    """
    from heygem import samples
    from heygem.media.probe import probe_sound, probe_video

    with TemporaryDirectory() as name:
        folder = Path(name)
        made = {"size": (1280, 720), "face": 200} if draft else {}
        source = video or samples.clip(folder / "clip.mp4", **made)
        clip, quality = probe_video(source), "draft" if draft else "standard"
        sound = audio or samples.long_voice(folder / "voice.wav", clip.seconds)
        seconds = probe_sound(sound).seconds
        floor: list[Run] = []
        takes: dict[str, list[dict[str, Any]]] = {"cold": [], "warm": []}
        for _ in range(rounds):
            floor.append(_ffmpeg(source, folder, seconds, quality))
            home = Path(mkdtemp(dir=folder))
            for several in takes.values():
                several.append(_take(source, sound, home, quality, engine, device))
        floor.append(_ffmpeg(source, folder, seconds, quality))
    runs = {name: _middle(several) for name, several in takes.items()}
    words = f"{_clip_words(clip, video)}, {quality} quality, medians of {rounds}{_engine_words(engine, runs)}"
    found = {"kind": "speed", **where(), "clip": words, "device": runs["cold"]["device"]}
    found |= {"frames": runs["cold"]["frames"], "ffmpeg": round(median(run.seconds for run in floor), 2)}
    return found | {"ffmpeg_cpu": round(median(run.cpu for run in floor), 2), "runs": runs}


def memory(video: Path | None = None, engine: str = DEFAULT, lengths: Sequence[float] | None = None) -> dict[str, Any]:
    """The peak memory of a take for each of ``lengths``, minutes of sound (default: ``MINUTES``). Without ``video``: a
    clip of 512x512, 10 s. engine: with the weights of the settings."""
    from heygem import samples
    from heygem.media.probe import probe_video

    with TemporaryDirectory() as name:
        folder = Path(name)
        source = video or samples.clip(folder / "clip.mp4", 10, (512, 512), 150)
        clip = probe_video(source)
        runs = {}
        for minutes in lengths or MINUTES:
            sound = samples.long_voice(folder / "voice.wav", minutes * 60)
            home = Path(mkdtemp(dir=folder))  # each with the analysis
            runs[f"{minutes:g} min"] = _take(source, sound, home, engine=engine)
    words = _clip_words(clip, video) + _engine_words(engine, runs)
    return {"kind": "memory", **where(), "clip": words, "runs": runs}


def table(found: dict[str, Any]) -> str:
    """A section of Markdown."""
    head = [f"### {found['kind'].capitalize()}, {found['date']}, {found['commit']}", ""]
    head += [f"{found['machine']}. {found['clip']}.", ""]
    if "found" in found:  # single figures, each with its aim
        rows = [(one["what"], [one["value"], one["aim"], "yes" if one["met"] else "**no**"]) for one in found["found"]]
        head += ["| what | measured | aim | met |", "|---|---|---|---|"]
    else:
        runs: dict[str, dict[str, Any]] = found["runs"]
        rows = _rows(found, [*runs.values()])
        head += [f"| | {' | '.join(runs)} |", f"|---|{'---|' * len(runs)}"]
    return "\n".join([*head, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows)])


def save(found: dict[str, Any]) -> None:
    """Appends the table to benchmarks/RESULTS.md. Raises OutputError where HeyGem is not a checkout."""
    if not RESULTS.parent.is_dir():
        raise OutputError(name=RESULTS.name, reason="HeyGem does not run from its repository here")
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(f"\n{table(found)}\n")


def _rows(found: dict[str, Any], runs: Sequence[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    rows = [(f"{stage}, s", [f"{run['stages'][stage]:.2f}" for run in runs]) for stage in STAGES[:-1]]
    rows.append(("whole run with the start of Python, s", [f"{run['seconds']:.2f}" for run in runs]))
    rows.append(("render, ms a frame", [f"{run['stages']['render'] / run['frames'] * 1000:.1f}" for run in runs]))
    rows.append(("render, frames a second", [f"{run['frames'] / run['stages']['render']:.1f}" for run in runs]))
    if "ffmpeg" in found:
        whole = [f"{sum(run['stages'].values()) / found['ffmpeg']:.2f} x" for run in runs]
        rows.append((f"all stages, as multiples of ffmpeg's {found['ffmpeg']:.2f} s", whole))
        rows.append(("render alone", [f"{run['stages']['render'] / found['ffmpeg']:.2f} x" for run in runs]))
        used = [f"{run['cpu']:.1f}" for run in runs]
        rows.append((f"seconds of all cores (ffmpeg: {found['ffmpeg_cpu']:.1f})", used))
    rows.append(("peak memory, MiB", [f"{run['peak']:.0f}" for run in runs]))
    if any(run["gpu_mib"] for run in runs):
        rows.append(("peak graphics memory, MiB", [f"{run['gpu_mib']:.0f}" for run in runs]))
    return rows


def _take(
    video: Path, audio: Path, folder: Path, quality: str = "standard", engine: str = DEFAULT, device: str = "auto"
) -> dict[str, Any]:
    """``heygem lipsync`` in a child process. The cache is in ``folder``, so that only the first take analyses."""
    from heygem import settings

    out, home = folder / "out.mp4", folder / "home"
    if engine != DEFAULT and not home.exists():
        home.mkdir()
        (home / "weights").symlink_to(settings.load().weights)
    command = [sys.executable, "-m", "heygem", "lipsync", "--json", "--quality", quality, "--engine", engine]
    command += ["--device", device]
    command += ["--video", str(video.absolute()), "--audio", str(audio.absolute()), "--out", str(out)]
    run = _done(measure(command, {"HEYGEM_HOME": str(home)}))
    take = json.loads(run.output)
    kept = {name: take[name] for name in ("frames", "fps", "engine", "device", "stages", "gpu_mib")}
    return {**kept, "seconds": round(run.seconds, 2), "cpu": round(run.cpu, 2), "peak": round(run.peak)}


def _middle(takes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One take with the medians of several."""
    stages = {stage: median(take["stages"][stage] for take in takes) for stage in takes[0]["stages"]}
    return {
        **takes[0],
        "stages": stages,
        **{name: median(take[name] for take in takes) for name in ("seconds", "cpu", "peak")},
    }


def _ffmpeg(video: Path, folder: Path, seconds: float, quality: str) -> Run:
    """Decodes and encodes as many frames as a take has, with the x264 settings of the ``quality``."""
    import imageio_ffmpeg

    from heygem.media.encoders import QUALITIES

    program = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
    x264 = QUALITIES[quality][0]
    command = [program, "-v", "error", "-y", "-stream_loop", "-1", "-i", str(video.absolute()), "-t", f"{seconds:.3f}"]
    command += ["-an", "-c:v", "libx264", "-preset", x264["preset"], "-crf", x264["crf"], "-profile:v", "high"]
    return _done(measure([*command, "-pix_fmt", "yuv420p", str(folder / "ffmpeg.mp4")]))


def _done(run: Run) -> Run:
    if run.code:
        raise HeyGemError(reason=f"The measured command ended with exit code {run.code}")
    return run


def measure(command: list[str], environment: dict[str, str] | None = None, errors: IO[str] | None = None) -> Run:
    """Runs a command to its end. ``environment`` is added to ours; ``errors`` takes its standard error.

    The system counts what a parent holds when it starts a child as memory of the child, so a small process
    (``__main__``) starts the command and reports. It leads a group of its own, which ends with us.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "heygem.bench", *command],
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env={**os.environ, "PYTHONPATH": str(_ROOT), **(environment or {})},
        start_new_session=True,
    )
    try:
        output, _ = process.communicate()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    output, _, measured = output.rstrip().rpartition("\n")
    seconds, cpu, peak = json.loads(measured)
    return Run(process.wait(), seconds, cpu, peak / (2**20 if sys.platform == "darwin" else 2**10), output)


def _clip_words(clip: Any, video: Path | None) -> str:
    name = f"“{video.name}”" if video else "The clip that “heygem bench” makes"
    return f"{name}: {clip.width}x{clip.height}, {float(clip.fps):g} fps, {clip.seconds:.1f} s"


def _engine_words(engine: str, runs: dict[str, dict[str, Any]]) -> str:
    device = next(iter(runs.values()))["device"]
    return "" if (engine, device) == (DEFAULT, "CPU") else f", engine {engine} on {device}"


def where() -> dict[str, str]:
    import psutil

    room = psutil.virtual_memory().total / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = f"{_processor()}, {cores} cores, {room:.0f} GiB, {platform.system()}, Python {platform.python_version()}"
    return {"date": date.today().isoformat(), "commit": _commit(), "machine": machine}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _commit() -> str:
    """The commit of the checkout, "+" where files differ from it; the version where there is none."""
    git = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    found = subprocess.run(git, capture_output=True, text=True) if shutil.which("git") else None
    return found.stdout.strip() if found and found.returncode == 0 else f"version {__version__}"
