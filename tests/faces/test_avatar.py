"""Avatars of clips made for the purpose: who gets the effect, where, and what is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heygem.errors import Cancelled, EngineUnavailable, FileMissing, NoFace, OptionInvalid
from heygem.faces import avatar as avatar_module
from heygem.faces.avatar import Avatar
from heygem.faces.scan import scan
from heygem.media.reader import VideoReader
from tests.faces.scrfd import red_finder

from .conftest import place

SIZE = (480, 320)
Film = Callable[..., Path]


def sliding(woman: np.ndarray, frames: int) -> list[np.ndarray]:
    return [place(woman, SIZE, (40 + n, 30)) for n in range(frames)]


def test_one_person(film: Film, woman: np.ndarray, tmp_path: Path) -> None:
    clip, ticks = film(sliding(woman, 30)), []
    avatar = Avatar.prepare(clip, cache=tmp_path / "cache", tick=lambda *tick: ticks.append(tick))
    assert (avatar.width, avatar.height, avatar.fps, avatar.still) == (*SIZE, 25, False)
    assert avatar.people == 1 and avatar.looked_at == 30 and avatar.face == 0
    assert avatar.landmarks.shape == (30, 468, 3) and avatar.landmarks.dtype == np.float32
    assert (avatar.weight == 1).all(), "no fade at the ends of the film"
    assert ticks[-1] == ("analyse", 30, 30) and len(ticks) == 30
    steps = np.diff(avatar.landmarks[3:-3, :, 0].mean(axis=1))
    assert steps == pytest.approx(1, abs=0.25)


def test_mouth_pictures_are_the_pixels_of_the_frames(film: Film, woman: np.ndarray, tmp_path: Path) -> None:
    clip = film(sliding(woman, 12))
    mouths = Avatar.prepare(clip, cache=tmp_path / "cache").mouths
    assert mouths.frames.tolist() == list(range(12))
    with VideoReader(clip) as reader:
        for k, frame in enumerate(reader):
            assert np.array_equal(mouths.picture(k).data, frame.cut(tuple(mouths.boxes[k].tolist())).data)


def test_mouth_boxes_hold_mouth_and_chin(film: Film, woman: np.ndarray, tmp_path: Path) -> None:
    avatar = Avatar.prepare(film(sliding(woman, 3)), cache=tmp_path / "cache")
    eyes = np.linalg.norm(avatar.landmarks[0, 263, :2] - avatar.landmarks[0, 33, :2])
    x0, y0, x1, y1 = avatar.mouths.boxes[0]
    points = avatar.landmarks[0]
    assert x0 < points[61, 0] - 0.4 * eyes and x1 > points[291, 0] + 0.4 * eyes
    assert points[159, 1] < y0 < points[2, 1], "from under the eyes"
    assert y1 > points[152, 1] + 0.1 * eyes, "to below the chin"


def test_the_second_time_nothing_is_decoded(
    film: Film, woman: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = film(sliding(woman, 5))
    first = Avatar.prepare(clip, cache=tmp_path / "cache")
    copy = clip.rename(clip.with_name("renamed.mp4"))

    def refuse(*_: object) -> None:
        raise AssertionError("the film was opened")

    monkeypatch.setattr(avatar_module, "VideoReader", refuse)
    second = Avatar.prepare(copy, cache=tmp_path / "cache")
    assert second.key == first.key
    assert np.array_equal(second.landmarks, first.landmarks)
    assert np.array_equal(second.weight, first.weight)
    assert np.array_equal(second.mouths.picture(4).data, first.mouths.picture(4).data)


def test_a_damaged_entry_is_built_again(film: Film, woman: np.ndarray, tmp_path: Path) -> None:
    clip = film(sliding(woman, 5))
    first = Avatar.prepare(clip, cache=tmp_path / "cache")
    truth = first.landmarks.copy()
    path = tmp_path / "cache" / "avatars" / first.key / "landmarks.npy"
    path.write_bytes(path.read_bytes()[:1000])
    assert np.array_equal(Avatar.prepare(clip, cache=tmp_path / "cache").landmarks, truth)


def test_a_photo(woman: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(woman).save(tmp_path / "photo.png")
    avatar = Avatar.prepare(tmp_path / "photo.png", cache=tmp_path / "cache")
    assert avatar.still and avatar.weight.tolist() == [1] and len(avatar.mouths) == 1


def test_the_effect_fades_where_the_face_goes(film: Film, woman: np.ndarray, tmp_path: Path) -> None:
    size = (960, 540)  # the face is a small part: its leaving is no cut
    here, gone = place(woman, size, (40, 30)), np.full((540, 960, 3), 110, np.uint8)
    clip = film([*[here] * 25, *[gone] * 10, *[here] * 25])
    avatar = Avatar.prepare(clip, cache=tmp_path / "cache")
    weight = avatar.weight
    assert weight[0] == weight[12] == weight[-1] == 1
    assert (weight[25:35] == 0).all()
    assert (np.diff(weight[12:25]) <= 0).all() and 0 < weight[24] < 0.3
    assert np.abs(np.diff(weight)).max() < 0.3, "soft"
    assert (avatar.score[25:35] == 0).all() and (avatar.score[:25] > 0.9).all()
    assert np.array_equal(avatar.landmarks[27], avatar.landmarks[24]), "the nearest row is repeated"
    assert np.array_equal(avatar.landmarks[33], avatar.landmarks[35])
    assert not set(avatar.mouths.frames) & set(range(25, 35))


def test_a_face_only_in_the_middle_is_enough(film: Film, woman: np.ndarray, tmp_path: Path) -> None:
    grey = np.full((320, 480, 3), 110, np.uint8)
    avatar = Avatar.prepare(film([*[grey] * 14, *sliding(woman, 20), *[grey] * 14]), cache=tmp_path / "cache")
    assert avatar.weight[24] == 1 and avatar.weight[:14].max() == avatar.weight[-14:].max() == 0


def side_by_side(woman: np.ndarray, stranger: np.ndarray, frames: int) -> list[np.ndarray]:
    """A large stranger on the right who stays, a smaller woman on the left who slides."""
    pictures = [place(woman, (640, 320), (10 + n, 40), 0.8) for n in range(frames)]
    for both in pictures:
        both[:, 320:] = place(stranger, (640, 320), (350, 30))[:, 320:]
    return pictures


def test_two_people_side_by_side(film: Film, woman: np.ndarray, stranger: np.ndarray, tmp_path: Path) -> None:
    clip = film(side_by_side(woman, stranger, 20))
    large, small = (Avatar.prepare(clip, face, tmp_path / "cache") for face in (0, 1))
    assert large.people == small.people == 2
    assert large.landmarks[..., 0].min() > 320 > small.landmarks[..., 0].max()
    assert (large.weight == 1).all() and (small.weight == 1).all()
    with pytest.raises(OptionInvalid, match="face cannot be 2"):
        Avatar.prepare(clip, 2, tmp_path / "cache")


def test_one_pass_serves_several_people(
    film: Film, woman: np.ndarray, stranger: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, ticks = film(side_by_side(woman, stranger, 20)), []
    alone = [Avatar.prepare(clip, face, tmp_path / "alone") for face in (1, 0)]
    both = Avatar.prepare_all(clip, (1, 0), tmp_path / "both", lambda *tick: ticks.append(tick))
    assert len(ticks) == 20, "every frame was looked at once"
    for mine, theirs in zip(both, alone, strict=True):
        assert (mine.key, mine.face, mine.people) == (theirs.key, theirs.face, 2)
        assert np.array_equal(mine.landmarks, theirs.landmarks) and np.array_equal(mine.weight, theirs.weight)
        assert np.array_equal(mine.mouths.picture(9).data, theirs.mouths.picture(9).data)
    monkeypatch.setattr(avatar_module, "VideoReader", None)
    assert [avatar.face for avatar in Avatar.prepare_all(clip, (0, 1), tmp_path / "both")] == [0, 1], "from the cache"


def test_cuts_between_two_people(film: Film, woman: np.ndarray, stranger: np.ndarray, tmp_path: Path) -> None:
    rooms = [place(woman, SIZE, (40, 30)), 255 - place(255 - stranger, SIZE, (60, 30))]
    rooms[1][:, 330:] = np.linspace(0, 255, 150)[:, None].astype(np.uint8)
    clip = film([rooms[k] for k in (0, 1, 0, 1) for _ in range(12)])
    first, second = (Avatar.prepare(clip, face, tmp_path / "cache") for face in (0, 1))
    assert first.people == 2
    assert np.flatnonzero(first.cuts).tolist() == [0, 12, 24, 36]
    assert set(np.unique(first.weight)) == {0, 1}, "hard at a cut"
    assert (first.weight + second.weight == 1).all()


@pytest.mark.parametrize(("scale", "reason"), [(None, ""), (0.3, "too small")])
def test_no_usable_face(film: Film, woman: np.ndarray, tmp_path: Path, scale: float | None, reason: str) -> None:
    picture = np.full((320, 480, 3), 110, np.uint8) if scale is None else place(woman, SIZE, (100, 100), scale)
    with pytest.raises(NoFace, match=rf"8 frames looked at.*{reason}"):
        Avatar.prepare(film([picture] * 8), cache=tmp_path / "cache")
    assert not list((tmp_path / "cache" / "avatars").iterdir()), "nothing is left behind"


def test_a_glimpse_is_not_enough(film: Film, woman: np.ndarray, tmp_path: Path) -> None:
    gone = np.full((540, 960, 3), 110, np.uint8)
    pictures = [gone] * 24 + [place(woman, (960, 540), (40, 30))] * 2 + [gone] * 10
    with pytest.raises(NoFace, match="moments only"):
        Avatar.prepare(film(pictures), cache=tmp_path / "cache")


def test_insightface_is_asked_for_its_weights(
    film: Film, woman: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEYGEM_INSIGHTFACE", str(tmp_path))
    with pytest.raises(EngineUnavailable, match="non-commercial"):
        Avatar.prepare(film(sliding(woman, 3)), cache=tmp_path / "cache")


def test_insightface_decides_who_is_there(
    film: Film, woman: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The smaller face has a red square over its head, which is all that this detector finds."""
    both = place(woman, (640, 640), (300, 300), 1.3)
    both[:256, :256] = woman
    plain = Avatar.prepare(film([both] * 12, "plain.mp4"), cache=tmp_path / "plain")
    both[0:32, 128:160] = (255, 0, 0)
    red_finder(tmp_path / "det_10g.onnx", (1.2, -1.4, 2.4, 5.6))
    monkeypatch.setenv("HEYGEM_INSIGHTFACE", str(tmp_path))
    avatar = Avatar.prepare(film([both] * 12, "red.mp4"), cache=tmp_path / "cache")
    assert (plain.people, avatar.people) == (2, 1)
    middle = avatar.landmarks[..., :2].mean(axis=(0, 1))
    assert 90 < middle[0] < 180 and 60 < middle[1] < 190, "the face under the square, not the larger one"
    assert (avatar.weight == 1).all()


def test_cancel_leaves_nothing_behind(film: Film, woman: np.ndarray, tmp_path: Path) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        Avatar.prepare(film(sliding(woman, 8)), cache=tmp_path / "cache", tick=stop)
    assert not list((tmp_path / "cache" / "avatars").iterdir())


def test_missing_file_and_wrong_face(tmp_path: Path, woman: np.ndarray) -> None:
    with pytest.raises(FileMissing):
        Avatar.prepare(tmp_path / "nothing.mp4", cache=tmp_path / "cache")
    Image.fromarray(woman).save(tmp_path / "photo.png")
    with pytest.raises(OptionInvalid):
        Avatar.prepare(tmp_path / "photo.png", -1, tmp_path / "cache")


def test_scan_sees_faces_without_analysis(film: Film, woman: np.ndarray) -> None:
    seen = scan(film(sliding(woman, 40)), frames=3)
    assert [frame.number for frame in seen] == [10, 20, 29]
    for (one,) in (frame.faces for frame in seen):
        assert one.why == "" and abs(one.yaw) < 25 and 70 < one.width < 120
    grey = scan(film([np.full((320, 480, 3), 110, np.uint8)] * 8, "grey.mp4"), frames=3)
    assert [frame.faces for frame in grey] == [(), (), ()]


def test_real_clips(media_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(NoFace):
        Avatar.prepare(media_dir / "portraits" / "lp_dog_shiba.jpg", cache=tmp_path)
    with pytest.raises(NoFace):
        Avatar.prepare(media_dir / "hostile" / "h06_no_face.mp4", cache=tmp_path)
    assert Avatar.prepare(media_dir / "hostile" / "h41_upside_down_face.mp4", cache=tmp_path).weight.mean() > 0.9
    assert Avatar.prepare(media_dir / "portraits" / "lp_cartoon_boy_3d.jpg", cache=tmp_path).weight.tolist() == [1]


def test_what_is_found_in_a_person_is_found_once(portrait: Path, tmp_path: Path) -> None:
    asked = []

    def find() -> dict[str, np.ndarray]:
        asked.append(1)
        return {"a": np.arange(3), "b": np.zeros((0, 2), np.float32)}

    for analyser, count in (("one", 1), ("one", 1), ("two", 2)):
        found = Avatar.prepare(portrait, cache=tmp_path).once(analyser, find, lambda: None)
        assert found["a"].tolist() == [0, 1, 2] and found["b"].shape == (0, 2) and len(asked) == count
    replace(Avatar.prepare(portrait, cache=tmp_path), cache=None).once("one", find, lambda: None)
    assert len(asked) == 3, "an avatar without a cache finds it anew"
