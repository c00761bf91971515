"""Following faces: where the truth is known because the picture was made."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from heygem.faces.detect import BlazeFace, FaceBox
from heygem.faces.landmarks import Region, shrunk
from heygem.faces.track import Cuts, Tracker
from heygem.media.frame import Frame

from .conftest import place

SIZE = (480, 320)


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Root-mean-square distance of landmarks in px of the picture."""
    return float(np.sqrt(((a[:, :2] - b[:, :2]) ** 2).sum(axis=1).mean()))


def test_a_moving_face_is_followed_without_lag(tracker: Tracker, woman: np.ndarray) -> None:
    first = tracker.follow(place(woman, SIZE, (40, 30)))
    assert first is not None and first.score > 0.99
    for n in range(1, 15):
        face = tracker.follow(place(woman, SIZE, (40 + 8 * n, 30 + 2 * n)))
        assert face is not None and face.track == first.track
        assert apart(face.landmarks, first.landmarks + np.array([8 * n, 2 * n, 0])) < 2, n  # a quarter of a step


def test_a_still_face_does_not_shiver(tracker: Tracker, woman: np.ndarray) -> None:
    rows = [tracker.follow(place(woman, SIZE, (40, 30))) for _ in range(12)]
    seen = np.array([face.landmarks for face in rows if face])[2:]
    assert len(seen) == 10
    assert seen.std(axis=0).max() < 0.2


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_picture_held_wrong(tracker: Tracker, woman: np.ndarray, turns: int) -> None:
    upright = tracker.follow(woman)
    tracker.reset()
    face = tracker.follow(np.ascontiguousarray(np.rot90(woman, turns)))
    assert upright is not None and face is not None
    back = face.landmarks[:, :2]
    for _ in range(turns):  # a quarter turn clockwise each
        back = np.column_stack([256 - back[:, 1], back[:, 0]])
    assert apart(back, upright.landmarks) < 3


class Blinking(BlazeFace):
    """A detector that misses the first upright look."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def find(self, rgb: np.ndarray) -> list[FaceBox]:
        self.looks += 1
        if self.looks == 2:  # the picture on its head: the face where it is, its eyes the wrong way round
            flip = np.array([[-1.0, 0, rgb.shape[1]], [0, -1, rgb.shape[0]]])
            faces = [face.moved(flip) for face in super().find(rgb[::-1, ::-1].copy())]
            return [FaceBox(face.box, face.score, face.points[[1, 0, 2]]) for face in faces]
        return [] if self.looks in (1, 3, 4) else super().find(rgb)


def test_a_face_taken_for_upside_down_is_put_right(woman: np.ndarray) -> None:
    with Tracker(Blinking()) as tracker:
        faces = [tracker.follow(woman) for _ in range(3)]
    upright = [face is not None and face.landmarks[152, 1] > face.landmarks[10, 1] for face in faces]
    assert upright == [False, True, True]


def test_a_small_face_in_a_large_picture(tracker: Tracker, woman: np.ndarray) -> None:
    scale = 0.45  # a face 45 px wide, 9 in the detector's whole look
    face = tracker.follow(place(woman, (1920, 1080), (1500, 700), scale))
    assert face is not None
    tracker.reset()
    large = tracker.follow(woman)
    assert large is not None
    assert apart(face.landmarks[:, :2], large.landmarks[:, :2] * scale + (1500, 700)) < 2


def test_nothing_is_found_where_nothing_is(tracker: Tracker) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    lights = cv2.GaussianBlur(noise, (0, 0), 9) * 3
    for picture in (noise, lights, np.zeros((240, 320, 3), np.uint8)):
        assert tracker.follow(picture) is None


def test_a_face_that_leaves_is_let_go_and_found_again(tracker: Tracker, woman: np.ndarray) -> None:
    grey = np.full((320, 480, 3), 110, np.uint8)
    first = tracker.follow(place(woman, SIZE, (40, 30)))
    assert all(tracker.follow(grey) is None for _ in range(3))
    again = [tracker.follow(place(woman, SIZE, (200, 30))) for _ in range(30)]
    assert first is not None and again[-1] is not None
    assert again[-1].track != first.track


def test_a_cut_begins_a_new_track(tracker: Tracker, woman: np.ndarray) -> None:
    first = tracker.follow(place(woman, SIZE, (40, 30)))
    tracker.follow(place(woman, SIZE, (41, 30)))
    assert not tracker.cut
    room = place(woman, SIZE, (60, 40), 0.9)
    room[:, 280:] = np.linspace(0, 255, 200)[:, None].astype(np.uint8)
    room[room.sum(axis=2) == 330] = 20
    second = tracker.follow(room)
    assert tracker.cut
    assert first is not None and second is not None and second.track != first.track


def test_cuts_are_not_pans_and_not_flicker(woman: np.ndarray) -> None:
    cuts = Cuts()
    wide = cv2.resize(woman, (1024, 512))
    assert cuts.here(wide[:, :512])
    assert not any(cuts.here(wide[:, n : n + 512]) for n in range(0, 512, 20))
    cuts = Cuts()
    cuts.here(wide)
    assert not any(cuts.here(cv2.convertScaleAbs(wide, alpha=gain)) for gain in (1.05, 0.97, 1.03, 0.95))
    assert cuts.here(255 - wide)


def test_two_faces_are_kept_apart(tracker: Tracker, woman: np.ndarray) -> None:
    size = (640, 360)
    tracks = []
    for n in range(30):
        both = place(woman, size, (10 + 2 * n, 40), 0.8)
        right = place(woman, size, (380 - n, 60), 1.0)
        both[:, 320:] = right[:, 320:]
        tracks.append([(face.track, face.box[0]) for face in tracker.follow_all(both)])
    large, small = tracks[0][0], tracks[0][1]
    assert large[1] > 320 > small[1], "the larger face comes first"
    assert all([track for track, _ in row] == [large[0], small[0]] for row in tracks)
    assert tracks[-1][0][1] - large[1] == pytest.approx(-29, abs=2)
    assert tracks[-1][1][1] - small[1] == pytest.approx(58, abs=2)


def test_frames_and_arrays_read_the_same(tracker: Tracker, woman: np.ndarray) -> None:
    from_array = tracker.follow(woman)
    tracker.reset()
    from_frame = tracker.follow(Frame.of(woman))
    assert from_array is not None and from_frame is not None
    assert apart(from_array.landmarks, from_frame.landmarks) < 1


def test_a_face_half_outside_still_maps_to_the_right_place(tracker: Tracker, woman: np.ndarray) -> None:
    whole = tracker.follow(place(woman, SIZE, (0, 0)))
    cut_off = tracker.follow(place(woman, SIZE, (-40, -20)))
    assert whole is not None and cut_off is not None
    assert apart(cut_off.landmarks, whole.landmarks - np.array([40, 20, 0])) < 4


@pytest.mark.parametrize("roll", [0.0, 0.5, 3.0])
def test_region_maps_its_crop_back(woman: np.ndarray, roll: float) -> None:
    region = Region(np.array([120.0, 110.0]), 150.0, roll)
    crop = region.crop(woman)
    assert crop is not None and crop.shape == (192, 192, 3)
    x, y = region.from_crop() @ (96, 96, 1)
    assert np.allclose((x, y), region.centre)
    here = cv2.getRectSubPix(woman, (1, 1), (float(x), float(y))).ravel().astype(int)
    assert np.abs(crop[96, 96].astype(int) - here).max() < 12


def test_region_outside_of_the_picture(woman: np.ndarray) -> None:
    assert Region(np.array([900.0, 100.0]), 150.0, 0.0).crop(woman) is None


def test_shrunk_reads_the_box_of_a_frame_and_of_an_array(woman: np.ndarray) -> None:
    box = (20, 30, 220, 230)
    array, frame = shrunk(woman, box, 3), shrunk(Frame.of(woman), box, 3)
    assert array.shape == frame.shape == (66, 66, 3)
    assert np.abs(array.astype(int) - frame).mean() < 3


def test_closing_twice_is_safe() -> None:
    tracker = Tracker()
    tracker.close()
    tracker.close()
