"""Detection: real faces, real films, and what is drawn into the picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heygem.detect import MOST_FRAMES, Detection, detect, look_at
from heygem.errors import NoVideo, OptionInvalid
from heygem.faces.scan import spread
from heygem.media.probe import probe_video
from tests.media.clips import film

FACE = (96, 0, 352, 256)
"""Where the portrait's face and its surroundings lie; the face is about 100 px wide."""


@pytest.fixture
def picture(portrait: Path) -> Callable[..., np.ndarray]:
    """(480, 640, 3): the portrait's face at these places and scales on grey."""
    face = Image.open(portrait).convert("RGB").crop(FACE)

    def picture(*places: tuple[int, int, float]) -> np.ndarray:
        whole = Image.new("RGB", (640, 480), (110, 110, 110))
        for x, y, scale in places:
            whole.paste(face.resize((round(face.width * scale), round(face.height * scale))), (x, y))
        return np.asarray(whole)

    return picture


def saved(picture: np.ndarray, out: Path) -> Path:
    Image.fromarray(picture).save(out)
    return out


def edge(found: Detection, box: tuple[float, ...]) -> np.ndarray:
    """Mean colour along the left side of a box."""
    x0, y0, _, y1 = map(round, box)
    return found.picture[y0 + 20 : y1 - 20, x0 : x0 + 2].mean(axis=(0, 1))


def test_faces_are_counted_and_numbered_by_size(picture, tmp_path: Path) -> None:
    found = detect(saved(picture((0, 0, 1.0), (300, 60, 1.3)), tmp_path / "two.png"))
    assert (found.has_face, found.count, found.coverage) == (True, 2, 1.0)
    [seen] = found.frames
    assert seen.number == 0 and [face.box[0] > 300 for face in seen.usable] == [True, False], "the largest first"
    assert found.picture.shape == (480, 640, 3)
    for face in seen.usable:
        red, green, blue = edge(found, face.box)
        assert green > red + 80 and green > blue + 80


def test_a_face_that_is_too_small_is_seen_and_marked_but_does_not_count(picture, tmp_path: Path) -> None:
    found = detect(saved(picture((200, 200, 0.3)), tmp_path / "small.png"))
    assert (found.has_face, found.count, found.coverage) == (False, 0, 0.0)
    [face] = found.frames[0].faces
    assert "too small" in face.why
    x0, y0, x1, _ = map(round, face.box)
    red, _, blue = found.picture[y0 : y0 + 2, x0 + 10 : x1 - 10].mean(axis=(0, 1))
    assert red > blue + 80, "orange"


def test_coverage_is_the_share_of_frames_with_a_face_and_the_picture_shows_one(picture, tmp_path: Path) -> None:
    grey, face = picture(), picture((100, 50, 1.4))
    clip = film(tmp_path / "half.mp4", [grey] * 20 + [face] * 20, "-c:v", "libx264", "-pix_fmt", "yuv420p")
    found = detect(clip, frames=4)
    assert [seen.number for seen in found.frames] == spread(probe_video(clip), 4) and len(found.frames) == 4
    assert [bool(seen.usable) for seen in found.frames] == [False, False, True, True]
    assert (found.count, found.coverage) == (1, 0.5)
    assert found.picture.std() > grey.std() + 10, "not the grey one"


def test_without_any_face_the_middle_is_shown_as_it_is(tmp_path: Path) -> None:
    pictures = [np.full((96, 128, 3), level, np.uint8) for level in range(20, 220, 10)]
    found = detect(film(tmp_path / "grey.mp4", pictures, "-c:v", "libx264", "-qp", 0), frames=5)
    assert not found.has_face and found.coverage == 0
    assert abs(found.picture.mean() - pictures[found.frames[2].number].mean()) < 3


def test_plain_values_for_scripts(picture, tmp_path: Path) -> None:
    found = detect(saved(picture((100, 50, 1.4)), tmp_path / "one.png"))
    said = json.loads(json.dumps(found.as_dict()))
    assert (said["has_face"], said["count"], said["coverage"]) == (True, 1, 1.0)
    [face] = said["frames"][0]["faces"]
    assert face["usable"] and face["why"] == "" and len(face["box"]) == 4


@pytest.mark.parametrize("frames", [0, -1, MOST_FRAMES + 1])
def test_frames_outside_of_the_range(portrait: Path, frames: int) -> None:
    with pytest.raises(OptionInvalid, match="frames"):
        look_at(portrait, frames)


def test_sound_has_no_face(voice: Path) -> None:
    with pytest.raises(NoVideo):
        detect(voice)
