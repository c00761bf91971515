"""Mouth pictures laid over a frame: their colours, their outline, what fades."""

import numpy as np

from heygem.engines.mesh.pixels import Processor
from heygem.engines.mesh.render import _match_colour, _showing, _within
from heygem.media.frame import Frame


def test_colours_are_matched_within_the_outline_alone():
    covered = np.tile(np.arange(96) >= 24, (64, 1))
    below, layer = Frame.blank(96, 64), Frame.blank(96, 64)
    for frame in (below, layer):
        for plane, level in zip(frame.planes(), (120, 100, 150), strict=True):
            plane[:] = level
    below.planes()[0][:] += 10  # the light of this frame
    layer.planes()[0][~covered] = 235  # whatever is there
    within = _within(covered)
    opacity = np.full((32, 48), 0.3, np.float32)
    opacity[8:24, 8:40] = 1
    _match_colour(Processor(), below.planes(), layer, opacity * (within == 1))
    assert np.abs(layer.planes()[0][covered].astype(int) - 130).max() <= 2


def test_the_outline_is_soft_and_never_crossed():
    covered = np.hypot(*np.mgrid[-32:32, -48:48]) < 30
    within = _within(covered)
    assert within[16, 24] == 1
    assert not within[~covered[::2, ::2]].any()
    assert ((within > 0) & (within < 1)).any()


def test_closed_lips_do_not_dim_the_teeth_of_an_open_mouth_that_fades():
    assert _showing([0.3, 0.7], [0.0, 1.0])[0] > 0.95
    assert np.allclose(_showing([0.3, 0.7], [1.0, 1.0]), [0.3, 0.7])
    assert np.allclose(_showing([0.3, 0.7], [0.2, 0.2]), [0.3, 0.7])
