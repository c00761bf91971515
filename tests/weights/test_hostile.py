"""Files that were made to do harm, or that are no weights at all: nothing in them runs, and the user is told why."""

from __future__ import annotations

import io
import json
import mmap
import os
import pickle
import runpy
import struct
import subprocess
import tarfile
import time
import timeit
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch._utils import _rebuild_tensor_v2

from heygem.errors import WeightsUnusable
from heygem.weights import choose, forms, writing
from heygem.weights.convert import convert
from heygem.weights.inert import REASONS, Refused
from heygem.weights.store import WeightStore
from tests.weights import made


class Call:
    """A pickle of it calls ``function`` with ``arguments`` when it is read."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self):
        return self._call


def calls(canary: Path) -> dict[str, Any]:
    """Ways to leave ``canary`` behind, as they are known from files that were found."""
    touch, text = f"touch '{canary}'", f"open({str(canary)!r}, 'w')"
    inner = pickle.dumps(Call(os.system, touch))
    return {
        "os.system": Call(os.system, touch),
        "subprocess": Call(subprocess.call, ["touch", str(canary)]),
        "eval": Call(eval, text),
        "exec": Call(exec, text),
        "open": Call(open, str(canary), "w"),
        "pickle.loads": Call(pickle.loads, inner),
        "torch's loads": Call(torch.storage._load_from_bytes, inner),
        "torch.load": Call(torch.load, str(canary)),
        "torch.hub": Call(torch.hub.load, str(canary.parent), "x"),
        "torch.jit": Call(torch.jit.load, str(canary)),
        "runpy": Call(runpy.run_path, str(canary)),
        "import": Call(__import__, "antigravity"),
    }


def read(file: Path) -> None:
    """What the locked process does, here and without its lock: a file has to be harmless without it, too."""
    with file.open("rb") as source:
        mapped = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
        content = forms.read(source, len(mapped))
        writing.write(choose.weights(content.tree), content.places, mapped, io.BytesIO())


def refused(file: Path, **options: Any) -> str:
    """The reason why a file is not taken, by the whole way."""
    out = file.with_suffix(".out")
    with pytest.raises(Refused) as caught:
        convert(file, out, **options)
    assert not out.exists() and str(caught.value) in REASONS
    return str(caught.value)


def test_the_canary_dies_where_pickles_are_trusted(tmp_path):
    for name in ("os.system", "subprocess", "eval", "exec", "open", "pickle.loads"):
        pickle.loads(pickle.dumps(calls(tmp_path / "canary")[name]))
        (tmp_path / "canary").unlink()


@pytest.mark.parametrize("write", [torch.save, made.old])
@pytest.mark.parametrize("attack", calls(Path("x")))
def test_commands_do_not_run_wherever_they_stand(tmp_path, attack, write):
    canary = tmp_path / "canary"
    call = calls(canary)[attack]
    state = made.wav2lip()
    places = {
        "alone": call,
        "beside": {"state_dict": state, "extra": call},
        "among": {**state, "deep": [{"in": (call,)}]},
        "module": {"state_dict": made.Net(), "set": {"x": call}},
    }
    for place, what in places.items():
        write(what, tmp_path / f"{place}.pth")
        with pytest.raises(Refused, match="code"):
            read(tmp_path / f"{place}.pth")
    assert refused(tmp_path / "beside.pth") == "code"
    assert not canary.exists()


def test_a_command_that_is_not_known_as_one_does_nothing(tmp_path):
    call = Call(timeit.timeit, f"open({str(tmp_path / 'canary')!r}, 'w')", "pass", time.perf_counter, 1)
    pickle.loads(pickle.dumps(call))
    (tmp_path / "canary").unlink()
    torch.save({"state_dict": {"a": torch.ones(2)}, "extra": call}, tmp_path / "beside.pth")
    read(tmp_path / "beside.pth")
    convert(tmp_path / "beside.pth", tmp_path / "out")
    assert load_file(tmp_path / "out")["a"].tolist() == [1, 1]
    torch.save(call, tmp_path / "alone.pth")
    assert refused(tmp_path / "alone.pth") == "foreign"
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("attack", calls(Path("x")))
def test_a_plain_pickle_is_not_even_begun(tmp_path, attack):
    (tmp_path / "a.pth").write_bytes(pickle.dumps(calls(tmp_path / "canary")[attack]))
    with pytest.raises(Refused, match="foreign"):
        read(tmp_path / "a.pth")
    assert not (tmp_path / "canary").exists()


def packed(file: Path, pickled: bytes, numbers: bytes = bytes(400), compress: int = zipfile.ZIP_STORED) -> Path:
    """The form of torch.save, with a pickle of one's own."""
    with zipfile.ZipFile(file, "w", compress) as archive:
        archive.writestr("a/data.pkl", pickled)
        archive.writestr("a/data/0", numbers)
    return file


def tensor(**changes: Any) -> bytes:
    """The pickle of {"a": a tensor of 10x10}, with other numbers than are true."""
    told = {"offset": 0, "size": (10, 10), "stride": (10, 1), "count": 100, "kind": torch.FloatStorage, **changes}

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return ("storage", told["kind"], "0", "cpu", told["count"]) if obj == "here" else None

    out = io.BytesIO()
    made_by = Call(_rebuild_tensor_v2, "here", told["offset"], told["size"], told["stride"], False, None)
    Pickler(out, 2).dump({"a": made_by})
    return out.getvalue()


def test_the_pickle_of_these_tests_is_one_of_torch(tmp_path):
    convert(packed(tmp_path / "a.pth", tensor()), tmp_path / "out")
    assert load_file(tmp_path / "out")["a"].shape == (10, 10)


@pytest.mark.parametrize(
    "changes",
    [
        {"offset": 1},
        {"offset": -1},
        {"offset": 1 << 60},
        {"offset": "0"},
        {"offset": None},
        {"size": (11, 10)},
        {"size": (-10, -10)},
        {"size": (10.0, 10)},
        {"size": (True, 10)},
        {"size": (1 << 40, 1 << 40)},
        {"size": (10,)},
        {"size": 100},
        {"stride": (1 << 62, 1)},
        {"stride": (-10, 1)},
        {"stride": (11, 1)},
        {"size": (1,) * 70, "stride": (1,) * 70},
        {"kind": "FloatStorage"},
        {"kind": torch.QInt8Storage},
        {"kind": torch.DoubleStorage},
    ],
    ids=str,
)
def test_a_tensor_that_lies_about_where_it_is(tmp_path, changes):
    file = packed(tmp_path / "a.pth", tensor(**changes))
    with pytest.raises((Refused, ValueError, TypeError, KeyError, OverflowError)):
        read(file)


def test_bombs(tmp_path):
    packed(tmp_path / "zip.pth", bytes(70 << 20), compress=zipfile.ZIP_DEFLATED)
    assert (tmp_path / "zip.pth").stat().st_size < 1 << 20
    assert refused(tmp_path / "zip.pth") == "large"
    packed(tmp_path / "numbers.pth", tensor(), bytes(400), zipfile.ZIP_DEFLATED)
    assert refused(tmp_path / "numbers.pth") == "compressed"
    packed(tmp_path / "stride.pth", tensor(size=(10_000, 10_000), stride=(0, 0)))
    assert refused(tmp_path / "stride.pth") in ("damaged", "large")
    memory = b"\x80\x05\x96" + struct.pack("<Q", 8 << 30)  # an array of 8 GiB that never comes
    assert refused(packed(tmp_path / "memory.pth", memory)) in ("large", "damaged")
    deep = b"\x80\x02" + b"]" * 2_000_000 + b"a" * 1_999_999 + b"."
    assert refused(packed(tmp_path / "deep.pth", deep)) in ("foreign", "damaged")


def test_a_pickle_that_grows_without_end_is_ended(tmp_path):
    doubled = b"\x80\x02cx\ny\n)\x81q\x00"  # object 0; each further one holds the one before it twice
    for n in range(1, 60):
        before, here = bytes([n - 1]), bytes([n])
        doubled += b"0cx\ny\n)\x81q" + here + b"}(X\x01\x00\x00\x00ah" + before
        doubled += b"X\x01\x00\x00\x00bh" + before + b"ub"
    assert refused(packed(tmp_path / "a.pth", doubled + b"."), seconds=2) in ("time", "damaged")


@pytest.mark.parametrize("form", ["new.pth", "old.pth", "script.pt", "a.safetensors"])
def test_a_file_that_is_cut_short(tmp_path, form):
    state = {"a": torch.randn(50), "b": torch.randn(50)}
    file = tmp_path / form
    if form == "new.pth":
        torch.save(state, file)
    elif form == "old.pth":
        made.old(state, file)
    elif form == "script.pt":
        torch.jit.script(made.net()).save(str(file))
    else:
        save_file(state, file)
    whole = file.read_bytes()
    for share in (0.01, 0.3, 0.6, 0.99):
        file.write_bytes(whole[: int(len(whole) * share) + 1])
        assert refused(file) in ("damaged", "foreign")


def test_a_header_of_safetensors_that_lies(tmp_path):
    def put(**about: Any) -> Path:
        text = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **about}}).encode()
        (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(8))
        return tmp_path / "a.safetensors"

    convert(put(), tmp_path / "out")
    for lie in (
        {"shape": [3]},
        {"data_offsets": [0, 800]},
        {"data_offsets": [-8, 0]},
        {"shape": ["2"]},
        {"dtype": "F4"},
    ):
        with pytest.raises((Refused, ValueError, TypeError)):
            read(put(**lie))


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<!DOCTYPE html><html><title>403 Forbidden</title></html>", "page"),
        (b"\n\n  <html>Google Drive - Virus scan warning</html>", "page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "pointer"),
        (b"\x1f\x8b\x08" + bytes(50), "archive"),
        (tarred(), "archive"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "damaged"),
        (b'{"error": "Repository not found"}', "damaged"),
        (bytes(100), "damaged"),
        (pickle.dumps({"a": [1.0]}), "foreign"),
    ],
    ids=["403", "drive", "xml", "lfs", "gzip", "tar", "png", "json", "zeros", "pickle"],
)
def test_what_is_no_weights_at_all(tmp_path, content, reason):
    (tmp_path / "wav2lip.pth").write_bytes(content)
    assert refused(tmp_path / "wav2lip.pth") == reason
    with pytest.raises(WeightsUnusable) as caught:
        WeightStore(tmp_path / "weights").add(tmp_path / "wav2lip.pth")
    assert REASONS[reason] in caught.value.message and "wav2lip.pth" in caught.value.message


def test_an_archive_round_the_file(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("wav2lip.pth", b"x" * 100)
    assert refused(tmp_path / "a.zip") == "archive"
