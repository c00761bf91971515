"""Where the faces of a picture are. Two detectors behind one contract; BlazeFace needs no download."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from heygem.errors import EngineUnavailable
from heygem.faces.runtime import quiet

WHOLE = 192
"""BlazeFace sees the picture this many pixels wide and high."""


@dataclass(frozen=True)
class FaceBox:
    """A face. ``box`` (x0, y0, x1, y1) px, may reach over the edge; ``score`` 0..1; ``points`` (K, 2) px, of which the
    first three are the eyes (the person's right one first, left in an upright picture) and the tip of the nose."""

    box: tuple[float, float, float, float]
    score: float
    points: np.ndarray

    @property
    def side(self) -> float:
        """Longer side of the box in px."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    @property
    def roll(self) -> float:
        """Angle of the eye line in radians: 0 upright, positive when turned clockwise, pi upside down."""
        x, y = self.points[1] - self.points[0]
        return float(np.arctan2(y, x))

    def moved(self, matrix: np.ndarray) -> FaceBox:
        """The same face elsewhere: ``matrix`` (2, 3), of quarter turns, shift and scale, maps points there."""
        x0, y0, x1, y1 = self.box
        corners = np.array([(x0, y0), (x1, y1)]) @ matrix[:, :2].T + matrix[:, 2]
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        points = self.points @ matrix[:, :2].T + matrix[:, 2]
        return FaceBox((float(left), float(top), float(right), float(bottom)), self.score, points)


class Detector(Protocol):
    """Finds faces."""

    def find(self, rgb: np.ndarray) -> list[FaceBox]:
        """Faces of an (h, w, 3) uint8 RGB picture, the largest first."""
        ...

    def close(self) -> None:
        """Frees the model."""
        ...


class BlazeFace:
    """MediaPipe's full-range BlazeFace (Bazarevsky et al. 2019), whose model comes inside the MediaPipe wheel.

    It sees the picture at 192 x 192, so faces below about a twentieth of the longer side need ``find_small``.
    """

    def __init__(self, least: float = 0.6) -> None:
        with quiet():
            from mediapipe.python.solutions.face_detection import FaceDetection

            self._model: Any = FaceDetection(model_selection=1, min_detection_confidence=least)
            self._model.process(np.zeros((WHOLE, WHOLE, 3), np.uint8))

    def find(self, rgb: np.ndarray) -> list[FaceBox]:
        height, width = rgb.shape[:2]
        faces = []
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="SymbolDatabase")
            detections = self._model.process(_shrunk(rgb)).detections
        for found in detections or ():
            place = found.location_data
            rect = place.relative_bounding_box
            x0, y0 = rect.xmin * width, rect.ymin * height
            box = (x0, y0, x0 + rect.width * width, y0 + rect.height * height)
            points = np.array([(point.x * width, point.y * height) for point in place.relative_keypoints])
            faces.append(FaceBox(box, float(found.score[0]), points))
        return sorted(faces, key=lambda face: -face.side)

    def close(self) -> None:
        if self._model is not None:
            self._model.close()
            self._model = None


class InsightFace:
    """SCRFD of InsightFace from a user's own model file (``det_*.onnx`` or ``scrfd_*.onnx``) in ``folder``.

    **InsightFace's published weights are for non-commercial research only.** HeyGem neither contains nor downloads
    them; who uses this detector answers for the licence. Raises EngineUnavailable where the file or package is missing.
    """

    def __init__(self, folder: Path, least: float = 0.5) -> None:
        names = sorted([*folder.glob("**/det_*.onnx"), *folder.glob("**/scrfd_*.onnx")])
        if not names:
            reason = f"there is no det_*.onnx in “{folder}” (its weights are for non-commercial use and not included)"
            raise EngineUnavailable(engine="The InsightFace detector", reason=reason)
        try:
            from insightface.model_zoo.scrfd import SCRFD
        except ImportError:
            raise EngineUnavailable(engine="The InsightFace detector", reason="insightface is not installed") from None
        self._model: Any = SCRFD(str(names[0]))
        self._model.prepare(-1, input_size=(640, 640), det_thresh=least)

    def find(self, rgb: np.ndarray) -> list[FaceBox]:
        boxes, points = self._model.detect(np.ascontiguousarray(rgb[..., ::-1]))
        rows = zip(boxes, points, strict=True)
        faces = [
            FaceBox(
                (float(row[0]), float(row[1]), float(row[2]), float(row[3])),
                float(row[4]),
                np.asarray(dots, np.float64),
            )
            for row, dots in rows
        ]
        return sorted(faces, key=lambda face: -face.side)

    def close(self) -> None:
        self._model = None


def find_turned(detector: Detector, rgb: np.ndarray) -> list[FaceBox]:
    """Faces of a picture held sideways or upside down, in its own coordinates: the turn with the surest face."""
    best: list[FaceBox] = []
    for turns in (2, 1, 3):
        turned = np.ascontiguousarray(np.rot90(rgb, turns))
        faces = [face.moved(_unturn(turns, rgb.shape[1], rgb.shape[0])) for face in detector.find(turned)]
        best = max(best, faces, key=lambda found: max((face.score for face in found), default=0.0))
    return best


def find_small(detector: Detector, rgb: np.ndarray) -> Iterator[list[FaceBox]]:
    """Faces too small for one look at the whole picture: half-overlapping tiles, first coarse ones, then fine ones."""
    longest = max(rgb.shape[:2])
    for tile in (longest // 2, longest // 4):
        if tile < WHOLE:
            break
        found = []
        for x, y in _tiles(rgb.shape[1], rgb.shape[0], tile):
            shift = np.array([[1.0, 0, x], [0, 1, y]])
            found += [face.moved(shift) for face in detector.find(rgb[y : y + tile, x : x + tile])]
        yield distinct(found)


def distinct(faces: Iterable[FaceBox]) -> list[FaceBox]:
    """The faces without doubles: of two that overlap by more than 0.3 the surer one stays. The largest first."""
    kept: list[FaceBox] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(overlap(face.box, other.box) < 0.3 for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: -face.side)


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(wide, 0.0) * max(high, 0.0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def _shrunk(rgb: np.ndarray, most: int = 4 * WHOLE) -> np.ndarray:
    """Area-averaged to at most ``most`` px on the longer side: a detector that samples a large picture would alias."""
    scale = most / max(rgb.shape[:2])
    if scale >= 1:
        return np.ascontiguousarray(rgb)
    return cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _tiles(width: int, height: int, side: int) -> list[tuple[int, int]]:
    """Upper left corners of half-overlapping squares that cover the picture."""
    return [(x, y) for y in _starts(height, side) for x in _starts(width, side)]


def _starts(length: int, side: int) -> list[int]:
    steps = max(-(-(length - side) // (side // 2)), 0)
    return [round(n * (length - side) / steps) for n in range(steps + 1)] if steps else [0]


def _unturn(turns: int, width: int, height: int) -> np.ndarray:
    """(2, 3) map from ``np.rot90(picture, turns)`` back to the picture of ``width`` x ``height``."""
    if turns == 1:
        return np.array([[0.0, -1, width], [1, 0, 0]])
    if turns == 2:
        return np.array([[-1.0, 0, width], [0, -1, height]])
    return np.array([[0.0, 1, 0], [-1, 0, height]])
