"""Every form in which weights circulate becomes the same tensors, in a process that can do nothing else."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn
from torch._utils import _rebuild_tensor

from heygem.weights import convert as converting
from heygem.weights.convert import convert
from heygem.weights.inert import FULL, Refused
from tests.weights import made


def converted(file: Path) -> made.State:
    out = file.with_suffix(".out")
    convert(file, out)
    return load_file(out)


def same(found: made.State, wanted: made.State) -> bool:
    """The same names, types, shapes and bits."""
    bits = [
        found[key].dtype == value.dtype
        and found[key].shape == value.shape
        and torch.equal(
            found[key].contiguous().view(-1).view(torch.uint8), value.contiguous().view(-1).view(torch.uint8)
        )
        for key, value in wanted.items()
        if key in found
    ]
    return set(found) == set(wanted) and all(bits)


@pytest.mark.parametrize("form", made.FORMS)
def test_every_form_gives_the_same_tensors(tmp_path, form):
    state = made.odd()
    made.FORMS[form](state, tmp_path / form)
    assert same(converted(tmp_path / form), state)


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("write", [torch.save, made.old])
def test_a_whole_module_gives_its_state_dict(tmp_path, write, parallel):
    net = made.net()
    write(nn.DataParallel(net) if parallel else net, tmp_path / "net.pth")
    assert same(converted(tmp_path / "net.pth"), net.state_dict())


@pytest.mark.parametrize("compile", [torch.jit.script, lambda net: torch.jit.trace(net, torch.randn(1, 3, 8, 8))])
def test_torchscript_gives_its_state_dict_without_being_run(tmp_path, compile):
    net = made.net()
    script = compile(net)
    script.save(str(tmp_path / "net.pt"))
    wanted = torch.jit.load(str(tmp_path / "net.pt")).state_dict()
    found = converted(tmp_path / "net.pt")
    assert same({key: found[key] for key in wanted}, wanted)
    assert set(found) - set(wanted) <= {"hidden"}, "a script does not say which buffers are no weights"


def test_the_result_is_contiguous_has_no_metadata_and_shares_nothing(tmp_path):
    made.FORMS["plain.safetensors"]({"a": torch.ones(2)}, tmp_path / "a.safetensors")
    converted(tmp_path / "a.safetensors")
    with safe_open(tmp_path / "a.out", "pt") as tensors:
        assert tensors.metadata() is None
    torch.save(made.odd(), tmp_path / "odd.pth")
    found = converted(tmp_path / "odd.pth")
    assert all(tensor.is_contiguous() for tensor in found.values())
    found["part"].zero_()
    assert found["same"].any()


def test_a_view_of_torch_before_1_0(tmp_path):
    """Its storage begins inside of another one."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return ("storage", torch.FloatStorage, "7", "cpu", 6, ("view", 2, 4)) if obj == "here" else None

    class View:
        def __reduce__(self):
            return _rebuild_tensor, ("here", 1, (3,), (1,))

    with (tmp_path / "view.pth").open("wb") as file:
        for what in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            pickle.dump(what, file, 2)
        Pickler(file, 2).dump({"a": View()})
        pickle.dump(["7"], file, 2)
        file.write(struct.pack("<q6f", 6, *range(6)))
    assert converted(tmp_path / "view.pth")["a"].tolist() == [3, 4, 5]


def test_of_a_generator_and_a_discriminator_the_generator_is_taken(tmp_path):
    small, large = {"a": torch.ones(2), "b": torch.ones(2)}, {f"d{n}": torch.ones(2) for n in range(3)}
    torch.save({"discriminator": large, "generator": small}, tmp_path / "gan.pth")
    assert set(converted(tmp_path / "gan.pth")) == {"a", "b"}


def test_another_byte_order_is_refused(tmp_path):
    torch.save({"a": torch.ones(2)}, tmp_path / "a.pth")
    with zipfile.ZipFile(tmp_path / "a.pth") as old, zipfile.ZipFile(tmp_path / "b.pth", "w") as new:
        for name in old.namelist():
            new.writestr(name, b"big" if name.endswith("byteorder") else old.read(name))
    with pytest.raises(Refused, match="machine"):
        converted(tmp_path / "b.pth")


def test_nothing_remains_of_what_was_refused_or_stopped(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"nothing")
    with pytest.raises(Refused):
        convert(tmp_path / "a.pth", tmp_path / "out")

    def stop():
        raise KeyboardInterrupt

    torch.save({"a": torch.ones(2)}, tmp_path / "b.pth")
    with pytest.raises(KeyboardInterrupt):
        convert(tmp_path / "b.pth", tmp_path / "out", stop)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("import time; time.sleep(60)", "time"),
        ("import os; os._exit(3)", "damaged"),
        ("import os; os.kill(os.getpid(), 9)", "damaged"),
        ("import os; os.write(2, b'x' * 100000)", "damaged"),
        ("import os; os.write(2, b'[1]')", "damaged"),
        ("import os; os.write(2, b'{\"reason\": [1]}')", "damaged"),
        ('import os; os.write(2, b\'{"reason": "run rm"}\')', "damaged"),
        ("import os; os.write(1, b'no'); os.write(2, b'{\"ok\": true}')", "damaged"),
    ],
)
def test_the_child_is_believed_nothing(tmp_path, monkeypatch, does, reason):
    torch.save({"a": torch.ones(2)}, tmp_path / "a.pth")
    monkeypatch.setattr(converting, "_START", does)
    with pytest.raises(Refused, match=f"^{reason}$"):
        convert(tmp_path / "a.pth", tmp_path / "out", seconds=1.5)
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_not_the_fault_of_the_file(tmp_path, monkeypatch, disk):
    small = disk("256k")
    torch.save({"a": torch.randn(200_000)}, tmp_path / "a.pth")
    with pytest.raises(OSError, match="No space left"):
        convert(tmp_path / "a.pth", small.path / "out")
    monkeypatch.setattr(converting, "_START", f"import os; os.write(2, {json.dumps({'reason': FULL}).encode()})")
    with pytest.raises(OSError, match="No space left"):
        convert(tmp_path / "a.pth", tmp_path / "out")


def test_the_child_gets_no_secrets_and_no_folder_of_the_user(tmp_path, monkeypatch):
    torch.save({"a": torch.ones(2)}, tmp_path / "a.pth")
    (tmp_path / "heygem.py").write_text("raise SystemExit")  # in the current folder
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEYGEM_API_TOKEN", "0123456789abcdef")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert set(converting._environment()) <= {"OPENBLAS_NUM_THREADS", "LD_LIBRARY_PATH", "SYSTEMROOT"}
    assert converted(tmp_path / "a.pth")["a"].tolist() == [1, 1]
