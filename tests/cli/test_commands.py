"""doctor, bench, help: what they say is what the code does."""

from __future__ import annotations

import dataclasses
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from heygem import bench, cli, doctor, engines, pipeline, settings
from heygem.commands import options
from heygem.engines.base import Style
from heygem.finish.base import Finish

ROOT = Path(__file__).parents[2]


def test_the_help_shows_the_values_that_the_pipeline_takes():
    values = {name: row[1].split("|") for name, row in options.CHOICES.items()}
    assert values["engine"] == list(engines.ENGINES)
    assert values["resolution"] == list(pipeline.RESOLUTIONS)
    assert values["quality"] == list(pipeline.QUALITIES) and values["length"] == list(pipeline.LENGTHS)


def test_every_option_of_the_core_is_an_option_of_the_command_line_and_the_other_way_round():
    assert {*options.CHOICES, "style", "finish"} == {field.name for field in dataclasses.fields(pipeline.Options)}
    assert set(options.STYLE) == {field.name for field in dataclasses.fields(Style)}
    assert set(options.FINISH) == {field.name for field in dataclasses.fields(Finish)}


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_every_option_stands_in_the_readme(page):
    text = (ROOT / page).read_text("utf-8")
    for name in (*options.CHOICES, *options.STYLE, *options.FINISH, "out", "json", "audio", "video"):
        assert f"`--{name.replace('_', '-')}" in text, name
    for name in settings.Settings.model_fields:
        assert f"`HEYGEM_{name.upper()}`" in text, name


def test_help_is_quick_and_light():
    probe = "import sys, heygem.cli as c\ntry: c.main(['--help'])\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True)
    assert "lipsync" in done.stdout
    assert not {"torch", "av", "cv2", "gradio", "mediapipe"} & set(done.stdout.split())


def test_serve_passes_on_what_it_was_given(monkeypatch):
    monkeypatch.setattr("app.main", list)
    assert cli.main(["serve", "--port", "7861"]) == ["--port", "7861"]


@pytest.mark.parametrize("days", ["0", "-1", "nan"])
def test_storage_sweep_never_takes_all(days, capsys):
    assert cli.main(["storage", "sweep", f"--older={days}"]) == 2
    assert "older" in capsys.readouterr().err


def test_doctor_finds_this_machine_fit(shell):
    done = shell.run("doctor", "--json")
    findings = {row["name"]: row for row in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    for name in ("libraries", "OpenCV", "H.264 encoder", "face finder", "engine mesh", "offline voice", "cache folder"):
        assert findings[name]["state"] == "ok", findings[name]
    assert "non-commercial" in findings["InsightFace"]["found"]


def report(capsys, **given: object) -> tuple[int, dict[str, dict[str, str]]]:
    code = doctor.report(settings.load(**given), as_json=True)
    return code, {row["name"]: row for row in json.loads(capsys.readouterr().out)}


def test_doctor_names_what_is_missing_and_the_remedy(capsys, monkeypatch):
    monkeypatch.setattr(doctor, "LIBRARIES", ("numpy", "no-such-library"))
    monkeypatch.setattr(doctor, "LEAST_ROOM", 1 << 80)
    code, findings = report(capsys)
    assert code == 1
    assert "no-such-library" in findings["libraries"]["found"] and findings["libraries"]["remedy"]
    assert findings["cache folder"]["state"] == "missing" and findings["cache folder"]["remedy"]


def test_doctor_sees_a_port_in_use_and_models_that_are_not_there(capsys, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        _, findings = report(capsys, host="127.0.0.1", port=port, insightface=tmp_path)
    assert findings["port"]["state"] == "note" and str(port) in findings["port"]["found"]
    assert findings["InsightFace"]["state"] == "note" and str(tmp_path) in findings["InsightFace"]["found"]
    assert findings["outputs folder"]["state"] == "ok"


def test_doctor_loads_the_engines_that_are_installed_and_does_without_the_others(capsys, tmp_path, monkeypatch):
    from tests.engines.brought import bring

    for name, value in {"HOME": tmp_path, "REMOTE_URL": "http://gpu.example:8383", "REMOTE_FOLDER": tmp_path}.items():
        monkeypatch.setenv(f"HEYGEM_{name}", str(value))
    for name in ("wav2lip", "wav2lip-288", "musetalk"):
        bring(tmp_path, name)
    (tmp_path / "weights" / "wav2lip-288" / "weights.safetensors").write_bytes(b"cut")
    (tmp_path / "weights" / "sd-vae").rename(tmp_path / "elsewhere")
    code, findings = report(capsys)
    found = {name.removeprefix("engine "): row for name, row in findings.items() if name.startswith("engine ")}
    assert {name: row["state"] for name, row in found.items()} == {
        **dict.fromkeys(("mesh", "wav2lip", "remote"), "ok"),
        **dict.fromkeys(("wav2lip-288", "musetalk"), "note"),
    }, "musetalk-1.0 shares weights with musetalk, but nobody installed its own"
    assert code == 0 and "weights load" in found["wav2lip"]["found"] and "gpu.example" in found["remote"]["found"]
    assert "sd-vae" in found["musetalk"]["remedy"] and "weights remove wav2lip-288" in found["wav2lip-288"]["remedy"]


def test_engines_says_which_are_ready_and_what_the_others_lack(capsys, tmp_path, monkeypatch):
    from tests.engines.brought import bring

    monkeypatch.setenv("HEYGEM_HOME", str(tmp_path))
    bring(tmp_path, "wav2lip")
    assert cli.main(["engines", "--json"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert list(found) == list(engines.ENGINES)
    assert found["mesh"]["state"] == found["wav2lip"]["state"] == "ready" and found["mesh"]["commands"] == []
    assert found["musetalk"]["commands"][0] == "heygem weights download musetalk"
    assert found["musetalk"]["errors"][0]["code"] == "weights.missing" and found["remote"]["state"] == "off"
    assert cli.main(["engines"]) == 0
    said = capsys.readouterr().out
    assert "→ heygem weights add FILE --name wav2lip-gan   (FILE: wav2lip_gan.pth, published at https://" in said
    assert "docs/remote.md" in said and "→ heygem weights download musetalk\n" in said


def test_bench_measures_and_its_table_adds_up(clip, voice, tmp_path, monkeypatch):
    found = bench.speed(clip, voice, rounds=1)
    cold, warm = found["runs"]["cold"], found["runs"]["warm"]
    assert found["frames"] == cold["frames"] == 50
    assert warm["stages"]["analyse"] < cold["stages"]["analyse"], "the second run finds the avatar in the cache"
    assert cold["seconds"] >= sum(cold["stages"].values()) and 50 < cold["peak"] < 4096 and found["ffmpeg"] > 0
    assert "320x360, 25 fps" in bench.table(found)
    assert re.search(
        rf"render, s \| {cold['stages']['render']:.2f} \| {warm['stages']['render']:.2f} \|", bench.table(found)
    )
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "RESULTS.md")
    bench.save(found)
    bench.save(found)
    assert (tmp_path / "RESULTS.md").read_text("utf-8").count("### Speed, ") == 2


def test_bench_measures_the_draft_quality(clip, voice, monkeypatch):
    commands = []
    measure = bench.measure
    monkeypatch.setattr(bench, "measure", lambda command, *more: commands.append(command) or measure(command, *more))
    found = bench.speed(clip, voice, draft=True, rounds=1)
    assert "draft quality" in found["clip"] and all(run["cpu"] > 0 for run in found["runs"].values())
    assert all({"ultrafast", "draft"} & set(command) for command in commands), "ffmpeg and the take alike"


def test_bench_compares_memory(clip, monkeypatch):
    monkeypatch.setattr(bench, "MINUTES", (0.02, 0.04))
    found = bench.memory(clip)
    assert list(found["runs"]) == ["0.02 min", "0.04 min"]
    assert [run["frames"] for run in found["runs"].values()] == [30, 60]
    assert all(run["stages"]["analyse"] > 0.1 for run in found["runs"].values()), "each run analyses the clip itself"
    assert "peak memory, MiB" in bench.table(found)
