"""What other nodes hand over becomes the right file, and names lead nowhere but where they may."""

from __future__ import annotations

import os
import shutil
import sys
import wave
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from heygem.errors import FileMissing, NoSound, OptionInvalid
from heygem.media.probe import probe_video
from heygem.media.sound import RATE
from tests.comfyui.fake_comfy import VideoFromFile, video_of
from tests.comfyui.lines import CAPTIONS
from tests.media.clips import clicks, film, numbered, onsets, wav


@pytest.fixture
def sockets(pack, comfy):
    return sys.modules[f"{pack.__name__}.sockets"]


@pytest.fixture
def paths(pack, comfy):
    return sys.modules[f"{pack.__name__}.paths"]


class Lazy(Mapping):
    """An AUDIO as Video Helper Suite gives it: no dict."""

    def __init__(self, waveform, rate):
        self._known = {"waveform": waveform, "sample_rate": rate}

    def __getitem__(self, key):
        return self._known[key]

    def __iter__(self):
        return iter(self._known)

    def __len__(self):
        return 2


def heard(path):
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        return samples.reshape(-1, file.getnchannels()), file.getframerate()


def test_a_video_that_is_a_file_stays_that_file(sockets, clip):
    assert sockets.video_path(VideoFromFile(str(clip))) == clip


def test_what_is_not_the_whole_of_a_file_is_saved_first(sockets, comfy, clip):
    class Trimmed(VideoFromFile):
        def get_active_trim_window(self):
            return 0.4, 0.2

    class Cropped(VideoFromFile):
        as_cropped = None

        def get_dimensions(self):
            return 100, 100

    for video in (Trimmed(str(clip)), Cropped(str(clip)), video_of(torch.rand(3, 64, 96, 3))):
        path = sockets.video_path(video)
        assert path.parent == comfy / "temp" and path.suffix == ".mp4" and probe_video(path).frames
    assert probe_video(path).fps == Fraction(25) and (probe_video(path).width, probe_video(path).height) == (96, 64)


@pytest.mark.parametrize("kind", [dict, Lazy])
def test_sound_becomes_a_file_with_every_click_in_its_place(sockets, comfy, kind):
    samples = clicks([0.2, 0.9], 1.2, 44100).astype(np.float32)
    waveform = torch.from_numpy(np.stack([samples, samples]))[None]
    audio = {"waveform": waveform, "sample_rate": 44100} if kind is dict else Lazy(waveform, 44100)
    found, rate = heard(sockets.audio_path(audio))
    assert rate == 44100 and found.shape == (52920, 2)
    assert onsets(found[:, 0], rate) == pytest.approx([0.2, 0.9], abs=0.001)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 7, 8])
def test_many_channels_become_two_of_the_same_length(sockets, comfy, channels):
    """Muxed as they are, six channels were three times as long. Nothing gets louder than it was."""
    samples = torch.ones(1, channels, 4000) * 0.5
    found, rate = heard(sockets.audio_path({"waveform": samples, "sample_rate": 8000}))
    assert rate == 8000 and len(found) == 4000 and found.shape[1] == (2 if channels in (2, 3, 4, 5, 6, 8) else 1)
    assert found == pytest.approx(0.5, abs=0.09)  # without the channel of low frequencies


def test_the_voice_in_the_middle_of_surround_sound_is_heard(sockets, comfy):
    samples = torch.zeros(1, 6, 4000)
    samples[:, 2] = 0.8  # FL FR FC LFE BL BR
    found, _ = heard(sockets.audio_path({"waveform": samples, "sample_rate": 8000}))
    assert found.min() > 0.2
    samples = torch.zeros(1, 6, 4000)
    samples[:, 3] = 1.0
    assert not heard(sockets.audio_path({"waveform": samples, "sample_rate": 8000}))[0].any()


@pytest.mark.parametrize("audio", [None, {"waveform": torch.zeros(1, 1, 0), "sample_rate": 8000}])
def test_no_sound_is_said(sockets, audio, comfy):
    with pytest.raises(NoSound):
        sockets.audio_path(audio)


def test_an_audio_of_ours_stays_its_file_and_is_decoded_for_others(sockets, tmp_path, comfy):
    path = wav(tmp_path / "voice.m4a", clicks([0.5], 1, RATE), RATE)
    audio = sockets.FileAudio(path)
    assert sockets.audio_path(audio) == path
    assert set(audio) == {"waveform", "sample_rate"} and len(audio) == 2 and "other" not in audio
    waveform = audio["waveform"]
    assert waveform.dtype == torch.float32 and waveform.shape[:2] == (1, 1) and audio["sample_rate"] == RATE
    assert onsets(waveform[0, 0].numpy(), RATE)[0] == pytest.approx(0.5, abs=0.07)  # AAC begins with its own delay


def test_an_audio_of_ours_without_sound_says_so(sockets, tmp_path, comfy):
    silent = film(tmp_path / "silent.mp4", [numbered(1)] * 3)
    with pytest.raises(ValueError, match=r"“silent.mp4” has no sound. Choose a recording"):
        sockets.FileAudio(silent)["waveform"]


def test_a_picture_keeps_its_transparency(sockets, comfy):
    from PIL import Image

    image, mask = torch.ones(1, 8, 8, 3) * 0.5, torch.zeros(1, 8, 8)
    mask[:, :4] = 1
    found = np.asarray(Image.open(sockets.image_path(image, mask)))
    assert found.shape == (8, 8, 4) and (found[:4, :, 3] == 0).all() and (found[4:, :, 3] == 255).all()
    assert np.asarray(Image.open(sockets.image_path(image, torch.zeros(1, 64, 64)))).shape == (8, 8, 3)
    assert sockets.as_image(np.full((4, 6, 3), 255, np.uint8)).shape == (1, 4, 6, 3)


ATTACKS = [
    "../secret.srt",
    "a/../../secret.srt",
    "{outside}/secret.srt",
    "link.srt",
    "folder/secret.srt",
    "a\0b",
    "C:/x",
]


@pytest.fixture
def outside(comfy, tmp_path_factory):
    """A file that nobody may read, and ways in the input folder that lead to it."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nsecret\n", "utf-8")
    (comfy / "secret.srt").write_text("beside the input folder", "utf-8")
    (comfy / "input" / "link.srt").symlink_to(folder / "secret.srt")
    (comfy / "input" / "folder").symlink_to(folder, target_is_directory=True)
    return folder


@pytest.mark.parametrize("name", ATTACKS)
def test_no_name_leads_out_of_the_input_folder(name, paths, outside, nodes):
    name = name.format(outside=outside)
    with pytest.raises((OptionInvalid, FileMissing)):
        paths.readable(name, "file")
    for node, option in (("HeyGemSubtitles", "file"), ("HeyGemPairList", "source")):
        said = nodes[node].validate_inputs(**{option: name})
        assert isinstance(said, str) and ("input folder" in said or "no file" in said)
        assert "secret" not in str(nodes[node].fingerprint_inputs(**{option: name})).replace(name, "")
    with pytest.raises(ValueError, match=r"input folder|no file"):
        nodes["HeyGemPairList"].execute(source=name)


def test_names_inside_are_found_and_further_folders_only_where_allowed(paths, comfy, tmp_path_factory, monkeypatch):
    (comfy / "input" / "课程").mkdir()
    (comfy / "input" / "课程" / "a.srt").touch()
    assert paths.readable("课程/a.srt", "file") == comfy / "input" / "课程" / "a.srt"
    assert paths.readable("", "source") == comfy / "input"
    more = tmp_path_factory.mktemp("more")
    (more / "b.srt").touch()
    with pytest.raises(FileMissing):
        paths.readable("b.srt", "file")
    monkeypatch.setenv("HEYGEM_INPUT_FOLDER", str(more))
    assert paths.readable("b.srt", "file") == more / "b.srt"


def test_a_text_that_is_pasted_as_a_name_is_no_file(paths, nodes, comfy):
    with pytest.raises(FileMissing):
        paths.readable(CAPTIONS * 9, "file")
    assert "no file" in nodes["HeyGemSubtitles"].validate_inputs(file=CAPTIONS * 9)


@pytest.mark.parametrize("prefix", ["../out", "/tmp/out", "a/../../out", "", "..", "link/out", "a\0b"])
def test_no_name_leads_out_of_the_output_folder(prefix, paths, comfy, tmp_path_factory):
    (comfy / "output" / "link").symlink_to(tmp_path_factory.mktemp("elsewhere"), target_is_directory=True)
    with pytest.raises(OptionInvalid):
        paths.saved(prefix, ".csv")


def test_new_names_never_replace_old_ones(paths, comfy):
    first = paths.saved("HeyGem/batch", ".csv")
    assert first == comfy / "output" / "HeyGem" / "batch_00001_.csv"
    first.touch()
    assert paths.saved("HeyGem/batch", ".csv").name == "batch_00002_.csv"
    assert paths.shown(first) == "HeyGem/batch_00001_.csv" and paths.shown(Path("/somewhere/x.mp4")) == "x.mp4"


@pytest.mark.parametrize(
    ("name", "stem"), [("lesson", "lesson"), ("lesson.mp4", "lesson"), ("v1.2", "v1.2"), ("", "video")]
)
def test_a_film_has_its_suffix_once(paths, name, stem):
    assert paths.film_stem(name) == stem


def test_a_copy_that_fails_leaves_nothing(nodes, comfy, clip, monkeypatch):
    from heygem.report import DONE, Line

    def full(file, out):
        Path(out).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(shutil, "copyfile", full)
    line = Line("lesson", DONE, "lesson.mp4", "lesson.wav", str(clip), 90, 1.0)
    with pytest.raises(OSError, match="No space"):
        nodes["HeyGemBatchReport"].execute(name=["all"], format=["csv"], save_videos=[True], lines=[line])
    assert not list((comfy / "output").glob("**/*.part"))


def test_a_list_that_names_files_elsewhere_is_refused(nodes, comfy, outside, voice):
    (comfy / "input" / "voice.wav").write_bytes(voice.read_bytes())
    table = comfy / "input" / "pairs.csv"
    for name in (f"{outside}/secret.srt", "../secret.srt", "link.srt"):
        table.write_text(f"video,audio\n{name},voice.wav\n", "utf-8")
        with pytest.raises(ValueError, match="input folder"):
            nodes["HeyGemPairList"].execute(source="pairs.csv")


def test_a_changed_file_is_not_taken_from_the_cache(nodes, comfy, voice):
    folder = comfy / "input" / "lessons"
    folder.mkdir()
    ask = nodes["HeyGemPairList"].fingerprint_inputs
    seen = [ask(source="lessons", first=0, most=0)]
    for data in (b"one", b"three"):
        (folder / "a.mp4").write_bytes(data)
        seen.append(ask(source="lessons", first=0, most=0))
    os.utime(folder / "a.mp4", (1, 1))
    seen.append(ask(source="lessons", first=0, most=0))
    assert len(set(seen)) == 4 and ask(source="lessons", first=0, most=0) == seen[-1]
    for node in ("HeyGemSaveToStorage", "HeyGemNotify"):
        value = nodes[node].fingerprint_inputs(name="x")
        assert value != value  # not a number: they run every time


def test_nor_is_one_that_a_table_names_in_another_folder(nodes, comfy):
    for folder in ("films", "lists"):
        (comfy / "input" / folder).mkdir()
    film, table = comfy / "input" / "films" / "a.mp4", comfy / "input" / "lists" / "pairs.csv"
    film.with_suffix(".wav").touch()
    table.write_text("video,audio\n../films/a.mp4,../films/a.wav\n", "utf-8")
    ask = nodes["HeyGemPairList"].fingerprint_inputs
    seen = [ask(source="lists/pairs.csv")]
    for data in (b"one", b"three"):
        film.write_bytes(data)
        seen.append(ask(source="lists/pairs.csv"))
    (table.parent / "other.txt").touch()
    assert "a.mp4" in seen[0] and len(set(seen)) == 3 and ask(source="lists/pairs.csv") == seen[-1]


def test_more_left_out_than_there_is_names_how_many_there_are(nodes, comfy, clip, voice):
    (comfy / "input" / "a.mp4").write_bytes(clip.read_bytes())
    (comfy / "input" / "a.wav").write_bytes(voice.read_bytes())
    assert nodes["HeyGemPairList"].execute(source="", first=0).args[3] == 1
    with pytest.raises(ValueError, match=r"first cannot be 1. Choose a number below 1"):
        nodes["HeyGemPairList"].execute(source="", first=1)


def test_options_meet_in_one_place_and_the_later_ones_win(sockets):
    from heygem.pipeline import Options

    assert sockets.options_of() == Options()
    found = sockets.options_of(
        sockets.widgets(use_gpu=False, mouth_strength=1.5, face_index=2), {"strength": 0.5, "label": "a"}, None
    )
    assert (found.style.strength, found.style.device, found.face) == (0.5, "cpu", 2)
    with pytest.raises(OptionInvalid):
        sockets.options_of({"strength": 9})
