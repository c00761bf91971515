"""The composition of the authors' program: its square, its mask."""

from __future__ import annotations

import numpy as np
import pytest

from heygem.engines.musetalk.exact import PARSED, Cut, mask_of
from heygem.engines.nets.parsing import LOWER_LIP, NOSE, SKIN
from heygem.media.frame import Frame

BOX = (40, 30, 100, 110)


@pytest.fixture
def frame() -> Frame:
    rng = np.random.default_rng(0)
    return Frame.of(np.kron(rng.integers(0, 256, (20, 20, 3), np.uint8), np.ones((8, 8, 1), np.uint8)))


def classes(kind: int = SKIN) -> np.ndarray:
    """A face in the middle of what was parsed."""
    found = np.zeros((PARSED, PARSED), np.uint8)
    found[150:400, 160:352] = kind
    return found


def test_the_square_is_half_as_large_again_as_the_box_and_black_outside(frame: Frame) -> None:
    cut = Cut.of(frame, BOX)
    assert cut.box == (10, 10, 130, 130) and cut.face == (30, 20, 90, 100)
    assert np.array_equal(cut.picture, frame.rgb(cut.box))
    far = Cut.of(frame, (0, 0, 60, 80))
    assert far.box == (-30, -20, 90, 100) and not far.picture[:, :30].any() and not far.picture[:20].any()
    assert np.array_equal(far.picture[20:, 30:], frame.rgb((0, 0, 90, 100)))


def test_the_mask_is_soft_and_in_the_lower_half_of_the_box(frame: Frame) -> None:
    cut = Cut.of(frame, BOX)
    mask = mask_of(cut, classes(), first=False)
    edge = int(0.05 * 120 // 2 * 2) + 1
    assert mask.shape == (120, 120) and mask.max() == 255
    assert not mask[: 60 - edge].any() and not mask[:, : 30 - edge].any()
    assert 0 < mask[60, 60] < 255 and mask[80, 60] == 255


def test_skin_grows_downwards_for_the_jaw_and_the_nose_stays(frame: Frame) -> None:
    cut = Cut.of(frame, BOX)
    first, now = (mask_of(cut, classes(), first) for first in (True, False))
    assert now[95, 60] > first[95, 60], "below the chin"
    nose = classes()
    nose[250:300, 240:270] = NOSE
    assert mask_of(cut, nose, first=False)[65, 60] < now[65, 60]
    assert mask_of(cut, classes(LOWER_LIP), first=False).any(), "lips are exchanged without skin, too"


def test_what_the_mask_lets_through_is_exchanged_and_nothing_else(frame: Frame) -> None:
    cut = Cut.of(frame, BOX)
    made = np.full((256, 256, 3), 7, np.uint8)
    mask = np.zeros((120, 120), np.uint8)
    mask[70:90, 40:80] = 255
    out = cut.exchanged(made, mask).copy()
    assert np.all(out[70:90, 40:80] == 7)
    out[70:90, 40:80] = cut.picture[70:90, 40:80]
    assert np.array_equal(out, cut.picture)


def test_what_lies_outside_the_frame_is_not_put_back(frame: Frame) -> None:
    cut = Cut.of(frame, (0, 0, 60, 80))
    before = frame.rgb()
    cut.put(np.full_like(cut.picture, 90), frame)
    after = frame.rgb()
    assert np.abs(after[:100, :90].astype(int) - 90).max() <= 3
    assert np.array_equal(after[102:], before[102:]) and np.array_equal(after[:, 92:], before[:, 92:])
