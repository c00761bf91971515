"""Which part of a crop is exchanged: the lower face with a soft edge, drawn from the landmarks of the frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from heygem.faces.shape import LIPS

RASTER = 128
"""Masks are drawn this many pixels wide and high, whatever the network sees: their edges are softer than that."""
JAW = (127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 356)
"""The outline of the face from ear to ear, under the chin."""
CHEEKS, NOSE = (116, 345), (326, 2, 97)
"""Where the exchanged part ends above: below the cheek bones and the nose."""
_LOWER = JAW[3:-3]  # from the corner of the jaw on: above it hair and ears begin
_FEATHER = 0.04  # half the width of the soft edge, in widths of the crop
_GROWN = 0.035  # how far the outline of the jaw is drawn outwards: a jaw that opens needs room
_SHIFT = 4  # bits of a fraction of a pixel


@dataclass(frozen=True)
class Masks:
    """face: (n, 1, RASTER, RASTER) float32 0..1, what is exchanged. lips: the same shape, 1 where the texture of the
    source must not shine through: on and around its lips."""

    face: np.ndarray
    lips: np.ndarray


def masks(points: np.ndarray, region: str, weight: np.ndarray) -> Masks:
    """points (n, 468, 2): landmarks in the square, 0..1. region: "jaw" or "mouth". weight (n,) 0..1: of the effect."""
    face = np.stack([_soft(_outline(one, region)) for one in points])
    lips = np.stack([_soft(_around(one, 0.1)) for one in points])
    return Masks((face * weight[:, None, None])[:, None], lips[:, None])


def _outline(points: np.ndarray, region: str) -> np.ndarray:
    """Corners (K, 2) of the exchanged part, in order."""
    if region == "mouth":
        return _around(points, 0.3)
    jaw = points[list(_LOWER)]
    centre = points[list(LIPS)].mean(axis=0)
    away = jaw - centre
    jaw = jaw + _GROWN * away / np.linalg.norm(away, axis=1, keepdims=True)
    top = (points[list(CHEEKS)] + points[NOSE[1]]) / 2  # halfway between cheek bone and nose
    return np.concatenate([jaw, top[1:], points[list(NOSE)], top[:1]])


def _around(points: np.ndarray, room: float) -> np.ndarray:
    """The hull of the lips, larger by ``room`` widths of the mouth."""
    lips = points[list(LIPS)]
    centre, width = lips.mean(axis=0), np.ptp(lips[:, 0])
    away = lips - centre
    grown = lips + room * width * away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
    return cv2.convexHull(grown.astype(np.float32))[:, 0]


def _soft(corners: np.ndarray) -> np.ndarray:
    """The polygon ``corners`` (K, 2) as a picture that is 1 a feather inside and 0 a feather outside of its
    edge, and 0 at the edge of the square."""
    canvas = np.zeros((RASTER, RASTER), np.float32)
    pixels = np.rint((corners * RASTER - 0.5) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(canvas, [pixels], 1.0, cv2.LINE_8, _SHIFT)
    edge = math.ceil(_FEATHER * RASTER) + 1
    canvas[:edge], canvas[-edge:], canvas[:, :edge], canvas[:, -edge:] = 0, 0, 0, 0
    blurred = cv2.GaussianBlur(canvas, (0, 0), _FEATHER * RASTER / 2, borderType=cv2.BORDER_CONSTANT)
    return np.clip(1.05 * blurred - 0.025, 0, 1)
