"""What a real ComfyUI does with the nodes while and after they run: interrupt, lists, cache, memory, other nodes."""

from __future__ import annotations

import csv
import shutil
import time
from pathlib import Path

import pytest

from heygem import samples
from tests.comfyui import lines
from tests.comfyui.lines import Prompt, node, saved
from tests.comfyui.live.client import Ended
from tests.comfyui.live.conftest import Live
from tests.comfyui.live.films import films, good, newest, seen, until
from tests.comfyui.live.inputs import SIZE, SPOKEN, faceless
from tests.media.clips import ffmpeg


def files(live: Live) -> set[Path]:
    """All that lies in its folders, also what is under way."""
    return {path for folder in (live.engine.temp, live.engine.output) for path in folder.rglob("*") if path.is_file()}


def named(prompt: Prompt, key: str, **inputs: object) -> Prompt:
    """The same with other inputs of one node."""
    return {**prompt, key: {**prompt[key], "inputs": {**prompt[key]["inputs"], **inputs}}}


class TestInterrupt:
    def test_ends_a_take_at_once_and_leaves_nothing(self, live: Live):
        samples.long_voice(live.engine.input / "long.wav", 60)
        before = files(live)
        key = live.client.queue(named(lines.single(), "2", audio="long.wav"))
        until(lambda: any(path.name.endswith(".part") for path in files(live)))
        time.sleep(1)
        live.client.interrupt(key)
        began = time.monotonic()
        ended = live.client.wait(key)
        assert time.monotonic() - began < 1.5
        assert ended.told("execution_interrupted")["node_type"] == "HeyGemTalkingHead" and not ended.problem
        new = files(live) - before
        assert not [path for path in new if path.suffix in (".mp4", ".part", ".json")]

    def test_is_no_reason_to_skip_an_item_of_a_list(self, live: Live):
        folder = live.engine.input / "long"
        folder.mkdir()
        for n in range(3):
            shutil.copy(live.engine.input / "person.mp4", folder / f"{n}.mp4")
            shutil.copy(live.engine.input / "long.wav", folder / f"{n}.wav")
        key = live.client.queue(named(lines.batch(), "1", source="long"))
        before = files(live)
        until(lambda: any(path.name.endswith(".part") for path in files(live) - before))
        live.client.interrupt(key)
        ended = live.client.wait(key, 5)
        assert ended.told("execution_interrupted") and "5" not in ended.outputs

    def test_ends_what_comes_after_a_take_as_well(self, live: Live):
        samples.clip(live.engine.input / "long.mp4", 20, SIZE, 130)
        prompt = {
            "1": node("LoadVideo", file="long.mp4"),
            "2": node("HeyGemBackground", video=["1", 0], background="blur", use_gpu=False),
            "3": saved("2", "HeyGem/blur"),
        }
        before = files(live)
        key = live.client.queue(prompt)
        until(lambda: any(path.name.endswith(".part") for path in files(live) - before))
        live.client.interrupt(key)
        ended = live.client.wait(key, 5)
        assert ended.told("execution_interrupted")["node_type"] == "HeyGemBackground"
        assert [path for path in files(live) - before if path.suffix in (".mp4", ".part")] == []

    def test_the_next_prompt_runs(self, live: Live):
        good(live, lines.single())


class TestLists:
    def test_where_nothing_has_a_face_there_is_still_a_report(self, live: Live):
        folder = live.engine.input / "faceless"
        folder.mkdir(exist_ok=True)
        for n in range(2):
            faceless(folder / f"{n}.mp4")
        shutil.copy(live.engine.input / "voice.wav", folder / "voice.wav")
        ended = good(live, named(lines.batch(), "1", source="faceless"))
        assert ended.text("6").startswith("done 0, failed 0, skipped 2")

    def test_without_a_gate_the_node_itself_skips(self, live: Live):
        prompt = lines.batch()
        prompt["3"] = node("HeyGemTalkingHead", video=["1", 0], audio=["1", 1], name=["1", 2], on_error="skip")
        prompt["4"] = saved("3", "HeyGem/nogate")
        prompt["5"] = node("HeyGemBatchReport", lines=["3", 3], name="HeyGem/nogate", format="both")
        del prompt["2"]
        ended = good(live, prompt)
        assert ended.text("6").startswith("done 1, failed 2, skipped 0")
        assert len(ended.files("4")) == 1 and newest(live.engine.output, "nogate*.json").is_file()

    def test_else_the_first_problem_stops_the_prompt(self, live: Live):
        prompt = lines.batch()
        prompt["3"] = node("HeyGemTalkingHead", video=["1", 0], audio=["1", 1], name=["1", 2])
        prompt["5"] = node("HeyGemBatchReport", lines=["3", 3])
        del prompt["2"]
        ended = live.client.run(prompt)
        assert ended.status == "error" and "No usable face" in ended.problem
        assert "Traceback" not in ended.problem and str(live.engine.base) not in ended.problem

    def test_one_video_speaks_many_voices(self, live: Live):
        folder = live.engine.input / "voices"
        folder.mkdir(exist_ok=True)
        table = folder / "pairs.csv"
        rows = [{"video": "../person.mp4", "audio": "../voice.wav", "name": name} for name in ("甲", "=2+3", "甲")]
        with table.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["video", "audio", "name"])
            writer.writeheader()
            writer.writerows(rows)
        ended = good(live, named(lines.batch(), "1", source="voices/pairs.csv"))
        assert ended.text("6").startswith("done 3, failed 0")


class TestCache:
    def test_a_second_run_makes_nothing_again(self, live: Live):
        good(live, lines.single())
        before = files(live)
        again = good(live, lines.single())
        assert {"3", "4"} <= set(again.told("execution_cached")["nodes"]) and files(live) == before

    def test_a_changed_pair_is_made_again(self, live: Live):
        folder = live.engine.input / "changing"
        folder.mkdir(exist_ok=True)
        for name in ("person.mp4", "voice.wav"):
            shutil.copy(live.engine.input / name, folder / name)
        prompt = named(lines.batch(), "1", source="changing")
        good(live, prompt)
        assert "3" in good(live, prompt).told("execution_cached")["nodes"]
        ffmpeg("-i", live.engine.input / "voice.wav", "-t", 1, folder / "voice.wav")
        again = good(live, prompt)
        assert "3" not in again.told("execution_cached")["nodes"]
        assert seen(newest(live.engine.output, "person.mp4"))["seconds"] == pytest.approx(1, abs=0.1)


class TestOtherNodes:
    """What others give and take: tensors, sounds with six channels, cut, turned and odd films."""

    def spoken(self, live: Live, video: Prompt, source: tuple[str, int], audio: str = "voice.wav") -> Ended:
        head = node("HeyGemTalkingHead", video=list(source), audio=["a", 0])
        more = {"a": node("LoadAudio", audio=audio), "head": head, "save": saved("head", "HeyGem/other")}
        return good(live, {**video, **more})

    def test_tensors_in_and_out(self, live: Live):
        video = {
            "v": node("LoadVideo", file="person.mp4"),
            "parts": node("GetVideoComponents", video=["v", 0]),
            "made": node("CreateVideo", images=["parts", 0], fps=["parts", 2]),
        }
        prompt = {
            **video,
            "a": node("LoadAudio", audio="voice.wav"),
            "head": node("HeyGemTalkingHead", video=["made", 0], audio=["a", 0]),
            "out": node("GetVideoComponents", video=["head", 0]),
            "again": node("CreateVideo", images=["out", 0], audio=["out", 1], fps=["out", 2]),
            "save": saved("again", "HeyGem/tensors"),
        }
        found = seen(films(live, good(live, prompt), "save")[0])
        assert found["size"] == SIZE and found["frames"] == round(SPOKEN * 25)
        assert found["seconds"] == pytest.approx(SPOKEN, abs=0.1)

    def test_a_film_that_was_turned(self, live: Live):
        turned(live.engine.input / "person.mp4", live.engine.input / "turned.mp4")
        ended = self.spoken(live, {"v": node("LoadVideo", file="turned.mp4")}, ("v", 0))
        assert seen(films(live, ended, "save")[0])["size"] == SIZE

    def test_a_film_of_odd_size_and_a_rate_of_ntsc(self, live: Live):
        odd = live.engine.input / "odd.mkv"
        ffmpeg("-i", live.engine.input / "person.mp4", "-vf", "scale=361:481,fps=30000/1001", "-c:v", "ffv1", odd)
        ended = self.spoken(live, {"v": node("LoadVideo", file="odd.mkv")}, ("v", 0))
        found = seen(films(live, ended, "save")[0])
        assert found["size"] in {(360, 480), (362, 482)} and float(found["fps"]) == pytest.approx(
            30000 / 1001, abs=0.01
        )

    def test_six_channels_are_folded_and_last_as_long(self, live: Live):
        six = live.engine.input / "six.wav"
        ffmpeg("-i", live.engine.input / "voice.wav", "-af", "pan=5.1|c2=c0", six)
        ended = self.spoken(live, {"v": node("LoadVideo", file="person.mp4")}, ("v", 0), "six.wav")
        assert seen(films(live, ended, "save")[0])["seconds"] == pytest.approx(SPOKEN, abs=0.1)

    def test_a_film_that_was_cut(self, live: Live):
        if "Video Slice" not in live.client.nodes():
            pytest.skip("this core has no node that cuts a VIDEO")
        cut = node("Video Slice", video=["v", 0], start_time=1.0, duration=1.0, strict_duration=False)
        ended = self.spoken(live, {"v": node("LoadVideo", file="person.mp4"), "cut": cut}, ("cut", 0))
        assert seen(films(live, ended, "save")[0])["frames"] == round(SPOKEN * 25)

    def test_the_sound_of_a_silent_film_is_named(self, live: Live):
        parts = node("GetVideoComponents", video=["v", 0])
        prompt = {
            "v": node("LoadVideo", file="person.mp4"),
            "parts": parts,
            "head": node("HeyGemTalkingHead", video=["v", 0], audio=["parts", 1]),
            "save": saved("head", "HeyGem/silent"),
        }
        ended = live.client.run(prompt)
        assert ended.status == "error" and "sound" in ended.problem.lower()

    def test_a_real_clip(self, live: Live, media_dir: Path):
        shutil.copy(media_dir / "talking" / "grid_GRID__lbbc2a.mpg", live.engine.input / "real.mpg")
        found = seen(films(live, self.spoken(live, {"v": node("LoadVideo", file="real.mpg")}, ("v", 0)), "save")[0])
        assert found["fps"] == 25 and found["seconds"] == pytest.approx(SPOKEN, abs=0.1)


def turned(film: Path, out: Path) -> None:
    """The same picture, stored lying on its side, with a mark that says how it is to be turned."""
    lying = out.with_suffix(".lying.mp4")
    ffmpeg("-i", film, "-vf", "transpose=clock", "-c:v", "libx264", "-crf", 18, lying)
    ffmpeg("-display_rotation", 90, "-i", lying, "-c", "copy", out)
    lying.unlink()
