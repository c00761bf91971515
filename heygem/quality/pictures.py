"""Measures of pictures: is the mouth as sharp, as calm and as seamless as the source's, and is the rest untouched.

Cut-outs are (N, h, w) uint8 luma from one ``canonical.Cutter``, the result's with the pose of the source's, so that the
same pixel is the same place of the same head.
"""

from __future__ import annotations

import cv2
import numpy as np

from heygem.quality.canonical import GROW, Cutter

MOUTH = (0.5, 0.3, 0.4)
"""Half width, up, down of the mouth in which sharpness is measured, canonical."""
ALIKE = 0.02
"""Canonical difference of the gap between the lips up to which two mouths have the same edges."""
AROUND = (0.4, 1 / GROW)
"""From where to where the skin round the mouth lies, as ``Cutter.radius``."""
RINGS = np.linspace(0.4, 1.05, 14)
"""Radii between which seams are looked for: from the lips to just outside the region."""
CALM = 0.03
"""Width of the Gaussian, canonical, that takes grain and tremor of the pose out before frames are compared."""
EQUAL = 100.0
"""dB that two equal pictures count as."""
FEW = 3


def sharpness(made: np.ndarray, true: np.ndarray, gaps: tuple[np.ndarray, np.ndarray], cutter: Cutter) -> float:
    """Variance of the Laplacian in the mouth (Pech-Pacheco et al. 2000), result over source, median over frames.

    An open mouth has other edges than a closed one, so each result's frame is compared with the source's frames of like
    gap; frames without any are left out, and with fewer than three left the answer is nan. gaps: (N,) each, of
    the result and the source.
    """
    places = cutter.places()
    inside = (np.abs(places[..., 0]) < MOUTH[0]) & (places[..., 1] > -MOUTH[1]) & (places[..., 1] < MOUTH[2])
    edges = [np.array([cv2.Laplacian(cut, cv2.CV_32F)[inside].var() for cut in cuts]) for cuts in (made, true)]
    ratios = []
    for sharp, gap in zip(edges[0], gaps[0], strict=True):
        alike = edges[1][np.abs(gaps[1] - gap) < ALIKE]
        if len(alike) and np.median(alike) > 0:
            ratios.append(sharp / np.median(alike))
    return float(np.median(ratios)) if len(ratios) >= FEW else np.nan


def flicker(cuts: np.ndarray, cutter: Cutter, follows: np.ndarray) -> float:
    """Mean change of the skin round the mouth from one frame to the next, in levels of luma; nan without a next frame.

    follows: (N,) bool, frame n continues frame n - 1 (no cut between them).
    """
    radius = cutter.radius()
    skin = (radius > AROUND[0]) & (radius < AROUND[1])
    calm = [cv2.GaussianBlur(cut, (0, 0), CALM * cutter.fineness).astype(np.int16)[skin] for cut in cuts]
    steps = [np.abs(calm[n] - calm[n - 1]).mean() for n in range(1, len(calm)) if follows[n]]
    return float(np.mean(steps)) if steps else np.nan


def seam(made: np.ndarray, true: np.ndarray, cutter: Cutter) -> float:
    """Mean gradient across rings round the mouth, result over source, in the worst ring.

    Where an engine pastes is its own affair, so rings of the region's form are tried from the lips to its outline: a
    seam along any of them raises the gradient across it.
    """
    radius = cutter.radius().astype(np.float32)
    out = [cv2.Sobel(radius, cv2.CV_32F, *axes) for axes in ((1, 0), (0, 1))]
    length = np.maximum(np.hypot(*out), 1e-6)
    rings = np.digitize(radius, RINGS)
    across = [
        np.mean([np.abs(sum(_slope(cut, axis) * out[axis] for axis in (0, 1)) / length) for cut in cuts], axis=0)
        for cuts in (made, true)
    ]
    sums = [np.bincount(rings.ravel(), mean.ravel(), len(RINGS) + 1)[1:-1] for mean in across]
    return float((sums[0] / np.maximum(sums[1], 1e-6)).max())


def psnr(made: np.ndarray, true: np.ndarray, where: np.ndarray) -> float:
    """dB of the pixels ``where`` (h, w) of two pictures (h, w) uint8, ``EQUAL`` where they are equal."""
    error = np.mean((made[where].astype(np.float32) - true[where]) ** 2)
    return float(min(EQUAL, 10 * np.log10(255**2 / max(float(error), 1e-10))))


def ssim(made: np.ndarray, true: np.ndarray, where: np.ndarray) -> float:
    """Mean structural similarity (Wang et al. 2004) of the pixels ``where`` (h, w) of two pictures (h, w) uint8."""
    from skimage.metrics import structural_similarity

    return float(structural_similarity(made, true, full=True)[1][where].mean())


def _slope(cut: np.ndarray, axis: int) -> np.ndarray:
    return cv2.Sobel(cut, cv2.CV_32F, 1 - axis, axis)
