"""As the authors' own program renders: whole pixels, the mask of a face parser, nothing improved. To compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from PIL import Image

from heygem.engines.musetalk.face import BRIDGE, OUTLINE
from heygem.engines.musetalk.heard import Heard
from heygem.engines.musetalk.painter import Painter
from heygem.engines.nets.parsing import LOWER_LIP, MOUTH, NOSE, SKIN, UPPER_LIP, BiSeNet
from heygem.engines.neural.place import Place
from heygem.faces.avatar import Avatar
from heygem.media.frame import Box, Frame

SIDE, PARSED = 256, 512
"""Pixels of the square that is painted, and of the one that is parsed."""
BELOW = 10
"""Pixels that the box reaches below the chin, in version 1.5."""
WIDER, BLUR, CHEEK = 1.5, 0.05, 90
"""Of half the box, the square round it; of that, the soft edge of the mask; px from the middle to the cheeks."""


@dataclass(frozen=True)
class Cut:
    """A square round a face: its ``picture`` (2 s, 2 s, 3) RGB, black outside the frame; ``box`` and ``face`` px in the
    frame and in the picture."""

    picture: np.ndarray
    box: Box
    face: Box

    @classmethod
    def of(cls, frame: Frame, box: Box) -> Cut:
        x0, y0, x1, y1 = box
        half = int(max(x1 - x0, y1 - y0) // 2 * WIDER)
        left, top = (x0 + x1) // 2 - half, (y0 + y1) // 2 - half
        inner = max(left, 0), max(top, 0), min(left + 2 * half, frame.width), min(top + 2 * half, frame.height)
        picture = np.zeros((2 * half, 2 * half, 3), np.uint8)
        picture[inner[1] - top : inner[3] - top, inner[0] - left : inner[2] - left] = frame.rgb(inner)
        face = (x0 - left, y0 - top, x1 - left, y1 - top)
        return cls(picture, (left, top, left + 2 * half, top + 2 * half), face)

    def seen(self) -> np.ndarray:
        """(SIDE, SIDE, 3) RGB: what the painter sees."""
        x0, y0, x1, y1 = self.face
        return cv2.resize(self.picture[y0:y1, x0:x1], (SIDE, SIDE), interpolation=cv2.INTER_LANCZOS4)

    def exchanged(self, made: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """(2 s, 2 s, 3) RGB: the picture with ``made`` (SIDE, SIDE, 3) in it where ``mask`` (2 s, 2 s) lets it."""
        x0, y0, x1, y1 = self.face
        below, above = Image.fromarray(self.picture), Image.fromarray(self.picture)
        above.paste(Image.fromarray(cv2.resize(made, (x1 - x0, y1 - y0))), (x0, y0))
        below.paste(above, (0, 0), Image.fromarray(mask))
        return np.asarray(below)

    def put(self, picture: np.ndarray, frame: Frame) -> None:
        """Puts what lies inside the frame back there."""
        x0, y0, x1, y1 = self.box
        left, top = max(x0, 0), max(y0, 0)
        inside = picture[top - y0 : min(y1, frame.height) - y0, left - x0 : min(x1, frame.width) - x0]
        frame.paste(left, top, np.ascontiguousarray(inside))


class ExactRenderer:
    def __init__(
        self, avatar: Avatar, plan: np.ndarray, painter: Painter, parser: BiSeNet, place: Place, heard: Heard
    ) -> None:
        self._avatar, self._plan, self._heard = avatar, plan, heard
        self._painter, self._parser, self._place = painter, parser, place

    def render(self, start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
        sources = self._plan[start : start + len(frames)]
        chosen = [k for k, n in enumerate(sources) if self._avatar.weight[n] > 0]
        cuts = [Cut.of(frames[k], self._box(int(sources[k]))) for k in chosen]
        if cuts:
            made = self._paint(cuts, start + np.array(chosen))
            for k, cut, face in zip(chosen, cuts, made, strict=True):
                mask = mask_of(cut, parsed(cut.picture, self._parser, self._place), self._heard.first)
                cut.put(cut.exchanged(face, mask), frames[k])
        return frames

    @torch.inference_mode()
    def _paint(self, cuts: Sequence[Cut], numbers: np.ndarray) -> np.ndarray:
        faces = self._place.take(np.stack([cut.seen() for cut in cuts])).permute(0, 3, 1, 2) / 255
        latents = self._painter.latents(faces)
        made = self._painter.faces(latents, self._place.take(self._heard.exact(numbers)))
        return (made.permute(0, 2, 3, 1) * 255).round().byte().cpu().numpy()

    def _box(self, source: int) -> Box:
        below = 0 if self._heard.first else BELOW
        return box_of(self._avatar.landmarks[source], (self._avatar.width, self._avatar.height), below)

    def report(self) -> dict[str, float]:
        """Nothing is known."""
        return {}

    def close(self) -> None:
        """Holds nothing that outlives it."""


def box_of(points: np.ndarray, size: tuple[int, int], below: int) -> Box:
    """The box of a face (468, 2 or more) px inside a frame of ``size`` (width, height) px."""
    outline, bridge = points[list(OUTLINE), :2].astype(int), int(points[BRIDGE, 1])
    (x0, _), (x1, chin) = outline.min(axis=0).tolist(), outline.max(axis=0).tolist()
    return max(x0, 0), max(2 * bridge - chin, 0), min(x1, size[0]), min(chin + below, size[1])


@torch.inference_mode()
def parsed(picture: np.ndarray, parser: BiSeNet, place: Place) -> np.ndarray:
    """(PARSED, PARSED) uint8: the classes of a ``picture`` (h, w, 3) RGB."""
    small = np.asarray(Image.fromarray(picture).resize((PARSED, PARSED), Image.Resampling.BILINEAR))
    values = parser(place.take(small.copy()).permute(2, 0, 1)[None].to(place.dtype) / 255)
    return values[0].argmax(0).byte().cpu().numpy()


def mask_of(cut: Cut, classes: np.ndarray, first: bool) -> np.ndarray:
    """(2 s, 2 s) uint8: 255 where the lower face is exchanged, of the ``classes`` (PARSED, PARSED) of the pixels."""
    inside = np.isin(classes, [SKIN, MOUTH, UPPER_LIP, LOWER_LIP])
    if not first:
        inside = np.isin(classes, [MOUTH, UPPER_LIP, LOWER_LIP]) | (_jaw(classes == SKIN) & (classes != NOSE))
    size = len(cut.picture)
    whole = np.asarray(Image.fromarray(inside.astype(np.uint8) * 255).resize((size, size)))
    mask = np.zeros_like(whole)
    x0, y0, x1, y1 = cut.face
    y0 = max(y0, size // 2)
    mask[y0:y1, x0:x1] = whole[y0:y1, x0:x1]
    kernel = int(BLUR * size // 2 * 2) + 1
    return cv2.GaussianBlur(mask, (kernel, kernel), 0)


def _jaw(skin: np.ndarray) -> np.ndarray:
    """(PARSED, PARSED) bool: skin, grown downwards where a jaw may open, and smooth between the cheeks' outer parts."""
    down = np.zeros((33, 33), np.uint8)
    for row in range(10, 33):
        reach = min(row - 10, 10)
        down[row, 16 - reach : 17 + reach] = 1
    grown = cv2.dilate(skin.astype(np.uint8), down)
    smooth = cv2.erode(grown, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (35, 3)), iterations=2)
    cheeks = np.abs(np.arange(PARSED) - PARSED // 2) >= CHEEK
    return np.where(cheeks, smooth, grown) > 0
