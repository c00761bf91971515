"""The arithmetic of pixels with which faces are bent, on the processor: OpenCV.

``heygem.engines.mesh.graphics`` does the same on a graphics card. Who bends works with arrays and canvases of the one
or the other and only asks its ``Pixels`` for what the two do differently. Planes are (h, w), pictures
(h, w, channels); levels are 0..255, rounded to uint8 after each step on the processor alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import cv2
import numpy as np

from heygem.engines.mesh import warp
from heygem.media.frame import Box, Frame

Array = Any
"""An array of NumPy, or a tensor of the graphics card."""
LINEAR, CUBIC = cv2.INTER_LINEAR, cv2.INTER_CUBIC


class Canvas(Protocol):
    """A part of a frame as something that can be drawn on: what ``Frame`` is, wherever its pixels lie."""

    width: int
    height: int

    def planes(self) -> Sequence[Array]: ...
    def views(self, box: Box) -> Sequence[Array]: ...
    def copy(self) -> Canvas: ...
    def rgb(self, box: Box) -> Array: ...
    def paste(self, x: int, y: int, rgb: Array) -> None: ...
    def blend(self, box: Box, above: Any, share: Array) -> None: ...


class Pixels(Protocol):
    def canvas(self, part: Frame) -> Any:
        """A canvas that shows ``part`` and may be ``part`` itself."""
        ...

    def blank(self, width: int, height: int) -> Any:
        """A canvas of undefined content."""
        ...

    def given(self, canvas: Any) -> Callable[[], Frame]:
        """What was drawn: waits for it where it is made elsewhere."""
        ...

    def here(self, values: np.ndarray) -> Array:
        """Values where the work is done."""
        ...

    def spread(self, index: np.ndarray, target: np.ndarray, values: np.ndarray, triangles: np.ndarray) -> Array:
        """As ``heygem.engines.mesh.warp.spread``."""
        ...

    def remapped(self, plane: Array, x: Array, y: Array, way: int) -> Array:
        """Each pixel of a plane from (x, y), beyond the edge from the edge. way: LINEAR or CUBIC."""
        ...

    def enlarged(self, plane: Array, size: tuple[int, int]) -> Array:
        """A plane of another size (w, h), linear."""
        ...

    def shrunk(self, plane: Array, size: tuple[int, int]) -> Array:
        """A plane of a smaller size (w, h), by the mean of areas."""
        ...

    def blurred(self, picture: Array, sigma: float) -> Array:
        """A plane or picture under a Gaussian."""
        ...

    def mixed(self, above: Array, below: Array, share: Array) -> Array:
        """A plane or picture over another one; share (h, w) 0..1 of it is seen."""
        ...

    def stacked(self, planes: Sequence[Array]) -> Array:
        """A picture of planes."""
        ...

    def difference(self, one: Array, other: Array) -> Array:
        """Of two planes of levels, float32."""
        ...

    def add(self, plane: Array, change: Array) -> None:
        """Adds to a plane of levels, in place."""
        ...

    def levels(self, picture: Array) -> Array:
        """What was computed as levels once more."""
        ...


class Processor:
    """``Pixels`` on the processor."""

    def canvas(self, part: Frame) -> Frame:
        return part

    def blank(self, width: int, height: int) -> Frame:
        return Frame.blank(width, height)

    def given(self, canvas: Frame) -> Callable[[], Frame]:
        return lambda: canvas

    def here(self, values: np.ndarray) -> np.ndarray:
        return values

    spread = staticmethod(warp.spread)

    def remapped(self, plane: np.ndarray, x: np.ndarray, y: np.ndarray, way: int) -> np.ndarray:
        return cv2.remap(plane, x, y, way, borderMode=cv2.BORDER_REPLICATE)

    def enlarged(self, plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        return cv2.resize(np.ascontiguousarray(plane), size, interpolation=cv2.INTER_LINEAR)

    def shrunk(self, plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        return cv2.resize(plane, size, interpolation=cv2.INTER_AREA)

    def blurred(self, picture: np.ndarray, sigma: float) -> np.ndarray:
        return cv2.GaussianBlur(picture, (0, 0), sigma)

    def mixed(self, above: np.ndarray, below: np.ndarray, share: np.ndarray) -> np.ndarray:
        return cv2.blendLinear(above, below, share, 1 - share)

    def stacked(self, planes: Sequence[np.ndarray]) -> np.ndarray:
        return cv2.merge(planes)

    def difference(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return cv2.subtract(one, other, dtype=cv2.CV_32F)

    def add(self, plane: np.ndarray, change: np.ndarray) -> None:
        cv2.add(plane, change, dst=plane, dtype=cv2.CV_8U)

    def levels(self, picture: np.ndarray) -> np.ndarray:
        return picture.astype(np.uint8)
