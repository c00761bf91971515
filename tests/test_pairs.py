"""Pairs: who speaks what, in folders and tables as people really have them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heygem.errors import FileMissing, PairsUnusable
from heygem.pairs import Pair, pairs, pairs_of
from tests.media.clips import film, numbered, wav


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The content of a film, a photo and a sound, by kind."""
    folder = tmp_path_factory.mktemp("sample")
    film(folder / "film.mp4", [numbered(n) for n in range(3)], "-c:v", "libx264")
    Image.new("RGB", (64, 64)).save(folder / "photo.png")
    wav(folder / "sound.wav", np.sin(np.arange(4000) / 3), 8000)
    return {path.stem: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def put(tmp_path: Path, sample: dict[str, bytes]):
    """put("a.mp4", "b.wav"): files of that kind, by their suffixes or by a kind after a colon. The folder."""

    def put(*names: str) -> Path:
        for name in names:
            name, _, kind = name.partition(":")
            usual = {".png": "photo", ".wav": "sound", ".mp3": "sound"}.get(Path(name).suffix.lower(), "film")
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(sample.get(kind or usual, kind.encode()))
        return tmp_path

    return put


def told(found: list[Pair]) -> list[tuple[str, str, str]]:
    return [(pair.name, pair.video.name, pair.audio.name) for pair in found]


def refused(source: Path) -> dict[str, str]:
    with pytest.raises(PairsUnusable) as error:
        pairs(source)
    return error.value.details


def test_equal_names_go_together_in_natural_order(put) -> None:
    folder = put("clip10.mp4", "clip2.MP4", "Clip1.png", "clip2.wav", "clip10.WAV", "clip1.mp3")
    assert told(pairs(folder)) == [
        ("Clip1", "Clip1.png", "clip1.mp3"),
        ("clip2", "clip2.MP4", "clip2.wav"),
        ("clip10", "clip10.mp4", "clip10.WAV"),
    ]


def test_one_voice_for_all_and_one_video_for_all(put) -> None:
    folder = put("ann.mp4", "王 小明.png", "voice.wav")
    assert told(pairs(folder)) == [("ann", "ann.mp4", "voice.wav"), ("王 小明", "王 小明.png", "voice.wav")]
    (folder / "ann.mp4").unlink()
    put("第2课.wav", "第10课.wav")
    assert [pair.name for pair in pairs(folder)] == ["voice", "第2课", "第10课"]


def test_what_is_in_a_file_counts_and_not_its_suffix(put) -> None:
    folder = put("a.wav:film", "a.mp4:sound", "b.dat:film", "b.bin:sound")
    assert told(pairs(folder)) == [("a", "a.wav", "a.mp4"), ("b", "b.dat", "b.bin")]


def test_what_is_no_media_is_left_out_but_a_broken_film_is_not_overlooked(put) -> None:
    folder = put("a.mp4", "a.wav", "notes.txt:hello", ".b.mp4", "c.mp4.part", "inside/d.mp4", "e.csv:video")
    assert told(pairs(folder)) == [("a", "a.mp4", "a.wav")]
    put("broken.mp4:no film at all", "broken.wav")
    assert told(pairs(folder))[1:] == [("broken", "broken.mp4", "broken.wav")]


def test_accents_are_equal_however_the_system_writes_them(put) -> None:
    composed, apart = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    folder = put(f"{composed}.mp4", f"{apart}.wav", "b.mp4", "b.wav")
    assert [pair.name for pair in pairs(folder)] == ["b", composed]


def test_files_without_a_partner_are_named_five_at_most(put) -> None:
    folder = put("a.mp4", "a.wav", *(f"v{n}.mp4" for n in range(4)), *(f"s{n}.wav" for n in range(4)))
    assert refused(folder) == {
        "reason": "these files have no partner",
        "names": " (v0.mp4, v1.mp4, v2.mp4, v3.mp4, s0.wav, …)",
    }


def test_two_videos_of_one_name_are_refused(put) -> None:
    folder = put("a.mp4", "a.png", "b.mp4", "a.wav", "b.wav")
    assert refused(folder) == {"reason": "several files of one kind have the same name", "names": " (a.mp4, a.png)"}


@pytest.mark.parametrize(
    ("names", "reason"), [((), "no video"), (("a.mp4",), "no voice"), (("a.wav", "b.wav"), "no video")]
)
def test_a_folder_needs_both(put, tmp_path: Path, names: tuple[str, ...], reason: str) -> None:
    assert reason in refused(put(*names) if names else tmp_path)["reason"]


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    for name in ("nothing", "x" * 300):
        with pytest.raises(FileMissing):
            pairs(tmp_path / name)


def test_pairs_of_keeps_the_order_and_numbers_equal_names() -> None:
    videos = [Path("x/b.mp4"), Path("y/B.mp4"), Path("a.mp4")]
    assert told(pairs_of(videos, [Path("s.wav")])) == [
        ("b", "b.mp4", "s.wav"),
        ("B (2)", "B.mp4", "s.wav"),
        ("a", "a.mp4", "s.wav"),
    ]


# Tables.


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize(("between", "end"), [(",", "\n"), (";", "\r\n"), ("\t", "\n")])
def test_a_table_in_chinese_in_every_form(put, encoding: str, between: str, end: str) -> None:
    folder = put("人物/甲.mp4", "声音 1.wav", "b.png")
    rows = [
        ("名称", "音频", "备注", "视频"),
        ("课程一", "声音 1.wav", "x", "人物/甲.mp4"),
        ("", "声音 1.wav", "", "b.png"),
    ]
    table = folder / "表.csv"
    table.write_bytes(end.join(between.join(row) for row in rows).encode(encoding))
    assert told(pairs(table)) == [("课程一", "甲.mp4", "声音 1.wav"), ("b", "b.png", "声音 1.wav")]
    assert pairs(table)[0].video == folder / "人物/甲.mp4", "paths begin at the folder of the table"


def test_a_table_keeps_its_order_quotes_and_absolute_paths(put) -> None:
    folder = put("b, c.mp4", "a.mp4", "v.wav")
    (folder / "t.csv").write_text(f'Video, Audio \n"b, c.mp4",v.wav\n\n{folder}/a.mp4,v.wav\na.mp4,v.wav\n', "utf-8")
    assert told(pairs(folder / "t.csv")) == [
        ("b, c", "b, c.mp4", "v.wav"),
        ("a", "a.mp4", "v.wav"),
        ("a (2)", "a.mp4", "v.wav"),
    ]


def test_names_from_a_table_never_leave_the_folder(put) -> None:
    folder = put("a.mp4", "v.wav")
    rows = ["../../etc/passwd", "C:\\x", "..", "talk.mp4", "=1+1"]
    (folder / "t.csv").write_text("name,video,audio\n" + "".join(f"{name},a.mp4,v.wav\n" for name in rows), "utf-8")
    names = [pair.name for pair in pairs(folder / "t.csv")]
    assert names == ["passwd", "C x", "file", "talk", "=1+1"]


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("video,sound\na.mp4,v.wav\n", ("the first row of the table does not name the columns video and audio", "")),
        ("", ("the first row of the table does not name the columns video and audio", "")),
        ("video,audio\n\n,,\n", ("the table has no rows below the first", "")),
        ("video,audio\na.mp4,v.wav\n\na.mp4\n,v.wav\n", ("these rows name no video or no audio", " (4, 5)")),
        (
            "video,audio\na.mp4,v.wav\nb.mp4,w.wav\n",
            ("these rows name files that are not there", " (3: b.mp4, 3: w.wav)"),
        ),
        (
            'video,audio\na.mp4,"v.wav\na.mp4,v.wav\na.mp4,v.wav\n',
            ("the table cannot be read", " (unexpected end of data)"),
        ),
        (f"video,audio\n{'x' * 5000},v.wav\n", ("these rows name files that are not there", f" (2: {'x' * 5000})")),
    ],
)
def test_what_is_wrong_in_a_table_is_said_with_the_rows(put, text: str, details: tuple[str, str]) -> None:
    folder = put("a.mp4", "v.wav")
    (folder / "t.csv").write_text(text, "utf-8")
    said = refused(folder / "t.csv")
    assert (said["reason"], said.get("names", "")) == details


@pytest.mark.parametrize("between", [";", "\t"])
def test_cells_may_be_quoted_whatever_lies_between_them(put, between: str) -> None:
    folder = put("a, b.mp4", "v.wav")
    rows = [("video", "audio", "name"), ("a, b.mp4", "v.wav", 'said ""hi""')]
    (folder / "t.csv").write_text("\n".join(between.join(f'"{cell}"' for cell in row) for row in rows), "utf-8")
    assert told(pairs(folder / "t.csv")) == [("said hi", "a, b.mp4", "v.wav")]


def test_a_table_that_is_too_large_is_not_cut(put, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put("a.mp4", "v.wav")
    text = "video,audio\n" + "a.mp4,v.wav\n" * 3
    (folder / "t.csv").write_text(text, "utf-8")
    monkeypatch.setattr("heygem.pairs.LARGEST", len(text))
    assert len(pairs(folder / "t.csv")) == 3
    monkeypatch.setattr("heygem.pairs.LARGEST", len(text) - 1)
    assert refused(folder / "t.csv")["reason"] == "the table cannot be read"


def test_a_film_is_no_table(put) -> None:
    said = refused(put("a.mp4") / "a.mp4")
    assert said["reason"] in (
        "its text is neither UTF-8 nor GB18030",
        "the first row of the table does not name the columns video and audio",
    )
