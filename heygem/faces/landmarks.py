"""The landmark network: a square picture of an upright face in, 468 points and a score out. It keeps no memory.

MediaPipe's own FaceMesh solution carries a region from call to call and hides the score; this small graph runs only its
network (attention mesh, Grishchenko et al. 2020), so that one network serves any number of faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from heygem.faces.runtime import quiet
from heygem.media.frame import Box, Frame

SIDE = 192
"""The network's input in px."""
Picture = Frame | np.ndarray
"""A Frame, or (h, w, 3) uint8 RGB."""

# The order in which the network's lip head lists 80 of the 468 points.
_LIPS = [
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415),
    *(76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408),
    *(62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407),
]

_GRAPH = """
input_stream: "IMAGE:image"
output_stream: "mesh"
output_stream: "lips"
output_stream: "score"
num_threads: 1
node { calculator: "TfLiteCustomOpResolverCalculator" output_side_packet: "OP_RESOLVER:ops" }
node {
  calculator: "ImageToTensorCalculator" input_stream: "IMAGE:image" output_stream: "TENSORS:pixels"
  options { [mediapipe.ImageToTensorCalculatorOptions.ext] {
    output_tensor_width: 192 output_tensor_height: 192 output_tensor_float_range { min: 0 max: 1 } } }
}
node {
  calculator: "InferenceCalculatorCpu" input_stream: "TENSORS:pixels" output_stream: "TENSORS:heads"
  input_side_packet: "OP_RESOLVER:ops"
  options { [mediapipe.InferenceCalculatorOptions.ext] {
    model_path: "mediapipe/modules/face_landmark/face_landmark_with_attention.tflite"
    delegate { xnnpack { num_threads: 1 } } } }
}
node {
  calculator: "SplitTensorVectorCalculator" input_stream: "heads"
  output_stream: "head0" output_stream: "head1" output_stream: "head6"
  options { [mediapipe.SplitVectorCalculatorOptions.ext] {
    ranges { begin: 0 end: 1 } ranges { begin: 1 end: 2 } ranges { begin: 6 end: 7 } } }
}
node { calculator: "TensorsToFloatsCalculator" input_stream: "TENSORS:head0" output_stream: "FLOATS:mesh" }
node { calculator: "TensorsToFloatsCalculator" input_stream: "TENSORS:head1" output_stream: "FLOATS:lips" }
node {
  calculator: "TensorsToFloatsCalculator" input_stream: "TENSORS:head6" output_stream: "FLOAT:score"
  options { [mediapipe.TensorsToFloatsCalculatorOptions.ext] { activation: SIGMOID } }
}
"""


@dataclass(frozen=True)
class Region:
    """A square of the picture: centre (2,) px, side in px, turned by ``roll`` radians."""

    centre: np.ndarray
    side: float
    roll: float

    @classmethod
    def of_face(cls, landmarks: np.ndarray) -> Region:
        """1.5 times the extent of landmarks (468, 3), upright by the line through the outer eye corners."""
        points = landmarks[:, :2]
        low, high = points.min(axis=0), points.max(axis=0)
        x, y = points[263] - points[33]
        return cls((low + high) / 2, 1.5 * float((high - low).max()), float(np.arctan2(y, x)))

    def towards(self, goal: Region) -> Region:
        """This region moved towards ``goal``: all the way where that is far, hardly where it is near. A region that
        took every small step would shiver with the landmarks, and they with it."""
        roll = (goal.roll - self.roll + np.pi) % (2 * np.pi) - np.pi
        shift = goal.centre - self.centre
        far = max(float(np.linalg.norm(shift)) / goal.side, abs(goal.side / self.side - 1), abs(roll))
        step = min(far / 0.06, 1.0)
        return Region(self.centre + step * shift, self.side + step * (goal.side - self.side), self.roll + step * roll)

    def from_crop(self) -> np.ndarray:
        """(2, 3) map from the network's input to the picture."""
        turn = np.array([[np.cos(self.roll), -np.sin(self.roll)], [np.sin(self.roll), np.cos(self.roll)]])
        turn *= self.side / SIDE
        return np.column_stack([turn, self.centre - turn @ (SIDE / 2, SIDE / 2)])

    @property
    def fineness(self) -> int:
        """Pixels of the picture per pixel of the network's input, about."""
        return max(round(self.side / SIDE), 1)

    def box(self, width: int, height: int) -> Box | None:
        """The part of a ``width`` x ``height`` picture that the region needs; None where it lies outside."""
        reach = self.side / 2 * (abs(np.cos(self.roll)) + abs(np.sin(self.roll))) + 2 * self.fineness + 2
        (x0, y0), (x1, y1) = np.floor(self.centre - reach), np.ceil(self.centre + reach)
        box = max(int(x0) & ~1, 0), max(int(y0) & ~1, 0), min(int(x1) + 1 & ~1, width), min(int(y1) + 1 & ~1, height)
        return box if box[0] < box[2] and box[1] < box[3] else None

    def crop(self, picture: Picture) -> np.ndarray | None:
        """(192, 192, 3) RGB. Area-averaged first where the face is large: sampling it would make the points shiver."""
        box = self.box(*size(picture))
        if box is None:
            return None
        patch = shrunk(picture, box, self.fineness)
        there = self.from_crop()
        there[:, 2] -= box[:2]
        there /= self.fineness
        there[:, 2] += (1 / self.fineness - 1) / 2  # pixel centres stay where they were
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(patch, there, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)


class LandmarkNet:
    """The network. About 2.5 ms a face on one core. Close it: each holds about 40 MB."""

    def __init__(self) -> None:
        with quiet():
            import mediapipe.python.solutions.face_mesh  # registers the calculators' options  # noqa: F401
            from mediapipe.python.solution_base import SolutionBase

            self._graph: Any = SolutionBase(graph_config=_GRAPH)  # pyright: ignore[reportArgumentType]
            self._graph.process(np.zeros((SIDE, SIDE, 3), np.uint8))

    def find(self, picture: Picture, region: Region) -> tuple[np.ndarray, float] | None:
        """Landmarks (468, 3) float32 px of the picture (z too) in ``region``, and the score 0..1 of a face there."""
        crop = region.crop(picture)
        if crop is None:
            return None
        out = self._graph.process(crop)
        points = np.array(out.mesh).reshape(-1, 3)
        points[_LIPS, :2] = np.array(out.lips).reshape(-1, 2)
        there = region.from_crop()
        points[:, :2] = points[:, :2] @ there[:, :2].T + there[:, 2]
        points[:, 2] *= region.side / SIDE
        return points.astype(np.float32), float(out.score)

    def close(self) -> None:
        if self._graph is not None:
            self._graph.close()
            self._graph = None


def size(picture: Picture) -> tuple[int, int]:
    """Width and height in px."""
    return (picture.shape[1], picture.shape[0]) if isinstance(picture, np.ndarray) else (picture.width, picture.height)


def rgb(picture: Picture, box: Box | None = None) -> np.ndarray:
    """(h, w, 3) uint8 RGB of a box inside the picture, or of all of it."""
    if not isinstance(picture, np.ndarray):
        return picture.rgb(box)
    return picture if box is None else picture[box[1] : box[3], box[0] : box[2]]


def shrunk(picture: Picture, box: Box, by: int) -> np.ndarray:
    """(h, w, 3) uint8 RGB of a box inside the picture, ``by`` times smaller: means of whole blocks, which is fast.

    What is left over at the right and at the bottom is dropped. Planes are shrunk before colours are made.
    """
    if by == 1:
        return rgb(picture, box)
    wide, high = (max((box[k + 2] - box[k]) // (2 * by), 1) * 2 for k in (0, 1))
    box = box[0], box[1], box[0] + wide * by, box[1] + high * by
    if isinstance(picture, np.ndarray):
        return cv2.resize(rgb(picture, box), (wide, high), interpolation=cv2.INTER_AREA)
    small = Frame.blank(wide, high)
    for plane, mine, step in zip(picture.planes(), small.planes(), (1, 2, 2), strict=True):
        x0, y0, x1, y1 = (edge // step for edge in box)
        cv2.resize(plane[y0:y1, x0:x1], mine.shape[::-1], dst=mine, interpolation=cv2.INTER_AREA)
    return small.rgb()


def luma(picture: Picture) -> np.ndarray:
    """Brightness, about 64 px wide, uint8: sampled, so it costs nothing."""
    step = max(size(picture)[0] // 64, 1)
    if isinstance(picture, np.ndarray):
        return picture[::step, ::step, 1]
    return picture.planes()[0][::step, ::step]
