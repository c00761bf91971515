"""Whose weights these are: by shapes, checksum and name of the file, and no guess where all three leave it open."""

from __future__ import annotations

from pathlib import Path

import pytest

from heygem.errors import WeightsAmbiguous, WeightsUnusable
from heygem.weights.recognise import fits, recognise
from heygem.weights.table import TABLE
from tests.weights import made

SUM = TABLE["wav2lip-gan"].files[0].sha256 or ""


def shapes(state: made.State) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


@pytest.mark.parametrize(
    ("state", "names"),
    [
        (made.wav2lip(7), ("wav2lip", "wav2lip-gan")),
        (made.wav2lip(8), ("wav2lip-256",)),
        (made.wav2lip(9), ("wav2lip-288",)),
        (made.wav2lip(10), ()),
        (made.musetalk(), ("musetalk", "musetalk-1.0")),
        (made.musetalk(768), ()),
        (made.vae(), ("sd-vae",)),
        (made.whisper(), ("whisper-tiny",)),
        (made.whisper(prefix=""), ("whisper-tiny",)),
        (made.whisper(512), ()),
        (made.parsing(), ("face-parsing",)),
        (made.gfpgan(), ("gfpgan",)),
        ({}, ()),
        (made.net().state_dict(), ()),
    ],
)
def test_shapes_tell_networks_apart_at_any_width(state, names):
    assert fits(shapes(state)) == names


@pytest.mark.parametrize(
    ("file", "sha256", "name", "found"),
    [
        ("wav2lip.pth", "", None, "wav2lip"),
        ("Wav2Lip_GAN.pth", "", None, "wav2lip-gan"),
        ("Wav2Lip-SD-GAN.pt", "", None, "wav2lip-gan"),
        ("Wav2Lip-SD-NOGAN.pt", "", None, "wav2lip"),
        ("checkpoint.pth", SUM, None, "wav2lip-gan"),
        ("wav2lip.pth", SUM, None, "wav2lip-gan"),
        ("wav2lip.pth", SUM, "wav2lip", "wav2lip"),
    ],
)
def test_a_name_that_is_given_wins_then_the_checksum_then_the_name_of_the_file(file, sha256, name, found):
    assert recognise(Path(file), sha256, shapes(made.wav2lip()), name) == found


def test_a_renamed_file_is_what_is_in_it():
    assert recognise(Path("wav2lip.pth"), "", shapes(made.wav2lip(8)), None) == "wav2lip-256"
    assert recognise(Path("unet.pth"), "", shapes(made.musetalk()), None) == "musetalk"
    assert recognise(Path("pytorch_model.bin"), "", shapes(made.musetalk()), None) == "musetalk-1.0"
    assert recognise(Path("pytorch_model.bin"), "", shapes(made.whisper()), None) == "whisper-tiny"


def test_what_stays_open_is_asked():
    with pytest.raises(WeightsAmbiguous) as caught:
        recognise(Path("best.pth"), "", shapes(made.wav2lip()), None)
    assert "wav2lip, wav2lip-gan" in caught.value.message and "--name" in caught.value.hint


def test_weights_of_another_network_are_refused_by_name():
    with pytest.raises(WeightsUnusable, match=r"“best\.pth” cannot be used as the weights of BiSeNet face parsing"):
        recognise(Path("best.pth"), "", shapes(made.wav2lip()), "face-parsing")
    with pytest.raises(WeightsUnusable, match="no network that HeyGem knows"):
        recognise(Path("best.pth"), "", {"a": (1,)}, None)
