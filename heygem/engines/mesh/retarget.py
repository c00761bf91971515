"""From what was heard to the shape of this person's mouth in every output frame."""

from __future__ import annotations

import numpy as np

from heygem.engines.mesh.geometry import smoothstep
from heygem.engines.mesh.person import Person, average_opening, blurred
from heygem.faces.shape import INNER_LOWER, INNER_UPPER, gap
from heygem.speech.motion import Motion, MouthBasis

CALM = 0.08
"""Seconds of standard deviation of the smoothing at smoothness 1."""
TOUCH, APART = 0.005, 0.03
"""Openings, canonical: lips that would come nearer than the first touch; from the second on they are as asked."""
SHUT = 0.03
"""Opening under which the narrowest of three frames is taken for shut lips: a p may fall between two frames."""


def smooth(motion: Motion, basis: MouthBasis, smoothness: float, fps: float) -> Motion:
    """The motion calmed by a zero-phase Gaussian over time: never late. Lips that shut for one frame still shut."""
    sigma = CALM * smoothness * fps
    if sigma <= 0.05 or len(motion.rows) < 2:
        return motion
    rows, voice = (blurred(part, sigma) for part in (motion.rows, motion.voice))
    opening = _openings(motion.rows, basis)
    near = 1 - smoothstep((opening - TOUCH) / (APART - TOUCH))
    rows += near[:, None] * (motion.rows - rows)
    narrowest = np.minimum(np.append(opening[1:], opening[-1]), np.append(opening[:1], opening[:-1]))
    shut = (opening < SHUT) & (opening <= narrowest)
    rows[shut, 0] -= _openings(rows[shut], basis) / gap(basis.components[0])
    return Motion(rows, voice)


def target_shapes(motion: Motion, basis: MouthBasis, person: Person, strength: float) -> np.ndarray:
    """(T, 468, 3) canonical targets: the closed mouth, moved the way this person talks. Lips never pass each other.

    The opening is absolute: whatever smile or rounding lies in the rows, the gap is the one that was asked for.
    """
    talk = person.talk
    rows = (motion.rows - basis.rest) * (strength * talk.spread)
    shapes = person.closed + np.tensordot(rows, basis.components, axes=1)
    shapes += (min(strength, 1.0) * motion.voice)[:, None, None] * talk.shift
    share = np.maximum(_openings(motion.rows, basis), 0) / average_opening(basis)
    wanted = talk.opening * np.where(share < 1, share**talk.contrast, 1 + talk.contrast * (share - 1))
    wanted *= strength * smoothstep((wanted - TOUCH) / (APART - TOUCH))
    opener = basis.components[0]
    shapes += ((wanted - gap(shapes)) / gap(opener))[:, None, None] * opener
    upper, lower = list(INNER_UPPER), list(INNER_LOWER)
    crossing = np.maximum(shapes[:, upper, 1] - shapes[:, lower, 1], 0)
    shapes[:, upper, 1] -= crossing / 2
    shapes[:, lower, 1] += crossing / 2
    return shapes


def _openings(rows: np.ndarray, basis: MouthBasis) -> np.ndarray:
    """(T,) gap that rows (T, K) ask of an average talker."""
    return (rows.astype(np.float64) - basis.rest) @ gap(basis.components)
