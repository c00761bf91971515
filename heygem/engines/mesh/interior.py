"""Draws the inside of a mouth where no picture shows one: teeth fixed to skull and jaw, tongue, darkness behind them.

Sizes come from average anatomy (an inter-ocular distance of 63 mm: 1 mm is 0.016 canonical units).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from heygem.engines.mesh.behind import TEETH_END, Inside, Lips
from heygem.engines.mesh.geometry import smoothstep
from heygem.engines.mesh.person import Person
from heygem.engines.mesh.pixels import Array, Canvas, Pixels
from heygem.faces.avatar import Avatar
from heygem.faces.shape import CHIN, INNER_LOWER, INNER_UPPER, OUTER_LOWER, OUTER_UPPER, gap

MM = 0.016
EDGE = TEETH_END
"""The upper front teeth end this far below the line where the closed lips meet."""
UPPER_TEETH = (np.cumsum([0, 8.4, 6.4, 6.4, 4.6, 3.6]) * MM, np.array([0.0, 0.8, 0.3, 1.0, 1.6]) * MM)
"""Where the upper teeth meet, from the middle outward, seen from the front; how much shorter each is than the first."""
LOWER_TEETH = (np.cumsum([0, 5.3, 5.4, 6.0, 4.6, 3.6]) * MM, np.array([0.0, 0.1, 0.3, 0.9, 1.4]) * MM)
CHEEKS = (50, 280, 205, 425)
_LUMA = np.array((0.2126, 0.7152, 0.0722))
EDGES, MEET = 2.0, 0.5
"""px between the lips from which their edges are softened in full; share of it where lips meet: their line stays."""
_FEATHER = 0.014  # canonical units over which a hole in a picture begins


@dataclass(frozen=True)
class Light:
    """What the picture tells of the light in a mouth: RGB (3,) of skin and of lips 0..255; blur, px of standard
    deviation of the picture's edges; grain, levels of standard deviation of its noise."""

    skin: np.ndarray
    lips: np.ndarray
    blur: float = 0.6
    grain: float = 0.0

    @classmethod
    def of(cls, avatar: Avatar) -> Light:
        """Read from the first mouth picture of an avatar."""
        mouths = avatar.mouths
        picture, corner = mouths.picture(0).rgb(), mouths.boxes[0][:2]
        points = avatar.landmarks[mouths.frames[0], :, :2] - corner
        lips = [(points[a] + points[b]) / 2 for a, b in zip(OUTER_LOWER[3:8], INNER_LOWER[3:8], strict=True)]
        lips += [(points[a] + points[b]) / 2 for a, b in zip(OUTER_UPPER[3:8], INNER_UPPER[3:8], strict=True)]
        luma = picture @ _LUMA.astype(np.float32)
        return cls(
            _median(picture, points[list(CHEEKS)], 3), _median(picture, np.array(lips), 1), _blur(luma), _grain(luma)
        )


class Interior:
    """Draws insides of mouths in one light."""

    def __init__(self, light: Light, pixels: Pixels) -> None:
        self._pixels = pixels
        level = float(light.skin @ _LUMA)
        skin = light.skin / max(level, 1.0)
        lips = light.lips / max(float(light.lips @ _LUMA), 1.0)
        flesh = 0.5 * lips + 0.5 * skin  # grey in a grey picture, whatever the lips are painted with
        self._bounce = flesh / float(flesh @ _LUMA) - 1  # shade in a mouth is lit by its red walls
        flesh = flesh * flesh / float(flesh * flesh @ _LUMA)
        self._teeth = level * (1.4 - 0.5 * level / 255) * (0.45 * skin + 0.55)
        self._tongue = 0.48 * level * flesh
        self._dark = 0.1 * level * flesh
        self._light = light
        self._noise = np.random.default_rng(1).normal(0, light.grain, (64, 64, 1)).astype(np.float32)

    def paint(
        self, layer: Canvas, rim: np.ndarray, shape: np.ndarray, person: Person, source: int, inside: Inside
    ) -> None:
        """Draws what pictures do not show behind the inner lips of ``layer``, in place.

        rim (22, 2) px of the inner lips in the layer, upper then lower; shape (468, 3) the canonical target; source:
        the frame, for the head's pose; inside: what the pictures show.
        """
        pixels, n = self._pixels, len(INNER_UPPER)
        x0, y0 = np.maximum(np.floor(rim.min(axis=0)).astype(int) - 4, 0) // 2 * 2
        x1, y1 = np.minimum((np.ceil(rim.max(axis=0)).astype(int) + 6) // 2 * 2, (layer.width, layer.height))
        if x1 - x0 < 3 or y1 - y0 < 3:
            return
        view, unit = layer.rgb((int(x0), int(y0), int(x1), int(y1))), float(person.pose.scale[source])
        lines = [np.round((line - (x0, y0)) * 16).astype(np.int32) for line in (rim[:n], rim[n:])]
        if inside.closed > 0.02 or (inside.ends[1] - inside.ends[0]).max() > 0.01:
            mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
            cv2.fillPoly(mask, [np.concatenate([lines[0], lines[1][::-1]])], 255, cv2.LINE_AA, 4)
            soft = cv2.GaussianBlur(mask, (0, 0), max(0.5, self._light.blur, 0.006 * unit)).astype(np.float32) / 255
            x, y = _canonical((x0, y0, x1, y1), rim, shape, person, source)
            opacity = soft * _missing(x, y, Lips.of(shape), inside)
            picture = self._draw(x, y, shape, person.closed, 1 / unit, min(3 * inside.closed, 1)).astype(np.float32)
            picture = cv2.GaussianBlur(picture, (0, 0), max(self._light.blur, 0.3))
            picture += self._noise[np.arange(y0, y1)[:, None] % 64, np.arange(x0, x1) % 64]
            drawn = pixels.here(np.clip(picture, 0, 255).astype(np.uint8))
            view = pixels.mixed(drawn, view, pixels.here(opacity))
        edges = max(inside.sealed, MEET, float(smoothstep(np.array(gap(shape) * unit / EDGES))))
        layer.paste(int(x0), int(y0), self._softened(view, lines, unit, inside.sealed, edges))

    def _softened(self, view: Array, lines: list[np.ndarray], unit: float, sealed: float, edges: float) -> Array:
        """A view (h, w, 3) with the ``edges`` (0..1) of the inner lips, lines (11, 2) in 1/16 px, as soft as the
        picture's; where lips that were open meet, a line of shadow falls between them."""
        pixels, edge = self._pixels, np.zeros(tuple(view.shape[:2]), np.uint8)
        cv2.polylines(edge, lines, False, 255, 2, cv2.LINE_AA, 4)
        full = 560 - 420 * sealed  # an open mouth that closes leaves a thin strip, whose steps are seen most
        soft = edges * np.minimum(cv2.GaussianBlur(edge, (0, 0), 1.4).astype(np.float32) / full, 1)
        blurred = pixels.blurred(view, max(0.8, self._light.blur))
        if sealed > 0.02:
            shadow = cv2.GaussianBlur(edge, (0, 0), max(0.8, self._light.blur, 0.009 * unit)).astype(np.float32) / 255
            shade = pixels.here(1 - 0.22 * sealed * np.minimum(shadow, 1)[:, :, None])
            view, blurred = pixels.levels(view * shade), pixels.levels(blurred * shade)
        return pixels.mixed(blurred, view, pixels.here(soft))

    def _draw(
        self, x: np.ndarray, y: np.ndarray, shape: np.ndarray, closed: np.ndarray, pixel: float, teeth: float
    ) -> np.ndarray:
        """(h, w, 3) RGB of the inside at canonical x, y (h, w), which lie ``pixel`` apart; teeth: their opacity."""
        lips, meet = Lips.of(shape), np.interp(x, *_line(closed))
        roof, floor, _ = lips.at(x)
        middle = lips.x[len(lips.x) // 2]
        side = np.abs(x - middle)
        low = float(shape[14, 1])
        opening = float(shape[14, 1] - shape[13, 1])
        jaw = max(float(shape[list(CHIN), 1].mean() - closed[list(CHIN), 1].mean()), 0.0)
        soft = max(0.006, 0.8 * pixel)
        picture = np.tile(self._dark, (*x.shape, 1))
        top = np.minimum(meet + 0.45 * jaw + 0.03, low - 0.05) + 1.4 * side**2
        bulge = smoothstep((y - top + 0.03) / 0.11)
        shade = 0.55 + 0.45 * np.exp(-(((y - top - 0.07) / 0.06) ** 2)) - 0.06 * np.exp(-((side / 0.03) ** 2))
        tongue = bulge * np.exp(-((side / 0.20) ** 4))
        picture += tongue[..., None] * (shade[..., None] * self._tongue - picture)
        shown = 0.03 * float(smoothstep(np.array((opening - 0.13) / 0.2)))
        lower, bright = _teeth(side, floor.max() - shown - y + 0.25 * side**2, LOWER_TEETH, soft)
        picture += (teeth * lower * (shown > 0))[..., None] * (0.78 * bright[..., None] * self._teeth - picture)
        upper, bright = _teeth(side, y - meet - EDGE + 0.30 * side**2, UPPER_TEETH, soft)
        picture += (teeth * upper)[..., None] * (bright[..., None] * self._teeth - picture)
        lit = 0.5 + 0.5 * float(smoothstep(np.array(opening / 0.15)))
        shadow = 1 - 0.5 * np.exp(-np.maximum(y - roof, 0) / 0.02) - 0.25 * np.exp(-np.maximum(floor - y, 0) / 0.014)
        light = (lit * np.clip(shadow, 0.25, 1))[..., None]
        return picture * light * (1 + (1 - light) * self._bounce)


def _teeth(
    side: np.ndarray, beyond: np.ndarray, row: tuple[np.ndarray, np.ndarray], soft: float
) -> tuple[np.ndarray, np.ndarray]:
    """Opacity (h, w) and brightness (h, w) of a row of teeth. side: distance from the middle of the row; beyond:
    distance past the line of the edges of the longest; soft: how wide an edge is."""
    ends, shorter = row
    number = np.clip(np.searchsorted(ends, side) - 1, 0, len(shorter) - 1)
    width = np.diff(ends)[number]
    across = 2 * (side - ends[number]) / width - 1  # -1..1 over one tooth
    rounded = beyond + shorter[number] + 0.9 * MM * np.abs(across) ** 5
    opacity = smoothstep(0.5 - rounded / (2 * soft)) * np.exp(-((side / 0.33) ** 6))
    cleft = np.exp(-(((1 - np.abs(across)) * width / 2 / max(0.004, 0.5 * soft)) ** 2))
    bend = np.sqrt(np.clip(1 - (side / 0.42) ** 2, 0.05, 1))  # the arch turns away from the light
    return opacity, bend * (1 - 0.28 * cleft) * (1 - 0.10 * across**2)


def _missing(x: np.ndarray, y: np.ndarray, lips: Lips, inside: Inside) -> np.ndarray:
    """(h, w) float32 0..1: where between the lips the pictures show nothing."""
    above, below = (np.interp(x, lips.x, line) for line in inside.ends)
    roof, floor, _ = lips.at(x)
    hole = smoothstep((y - above) / _FEATHER + 0.5) * smoothstep((below - y) / _FEATHER + 0.5)
    wide = smoothstep((below - above) / np.maximum(floor - roof, 0.02) / 0.35 - 0.4)  # a small hole is stretched over
    hole = hole * wide
    return ((hole + inside.closed * (1 - hole)) * smoothstep((floor - roof) / 0.03)).astype(np.float32)


def _line(closed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two points (x, y) of the straight line along which the closed lips meet; it may slant."""
    line = closed[list(INNER_UPPER), :2]
    x = line[[0, -1], 0]
    return x, np.polyval(np.polyfit(line[:, 0], line[:, 1], 1), x)


def _canonical(
    box: tuple[int, int, int, int], rim: np.ndarray, shape: np.ndarray, person: Person, source: int
) -> tuple[np.ndarray, np.ndarray]:
    """Canonical x, y (h, w) of the pixels of a box (x0, y0, x1, y1), on the plane through the lips."""
    x0, y0, x1, y1 = box
    turn = person.pose.scale[source] * person.pose.rotation[source, :2, :2]
    back = np.linalg.inv(turn)
    anchor_px, anchor = rim[[5, 16]].mean(axis=0), shape[[13, 14], :2].mean(axis=0)
    columns, rows = np.arange(x0, x1) - anchor_px[0], np.arange(y0, y1)[:, None] - anchor_px[1]
    return back[0, 0] * columns + back[0, 1] * rows + anchor[0], back[1, 0] * columns + back[1, 1] * rows + anchor[1]


def _median(picture: np.ndarray, points: np.ndarray, around: int) -> np.ndarray:
    """(3,) RGB in the middle of the colours ``around`` points (n, 2) px."""
    points = np.clip(np.round(points).astype(int), around, np.array(picture.shape[1::-1]) - around - 1)
    size = around + 1
    patches = [picture[y - around : y + size, x - around : x + size].reshape(-1, 3) for x, y in points]
    return np.median(np.concatenate(patches), axis=0)


def _blur(luma: np.ndarray) -> float:
    """px of standard deviation of the strongest edges of a picture (h, w): how much blurring once more with a
    Gaussian of 1 px flattens them tells how blurred they were (Zhuo and Sim 2011)."""
    slope, again = (
        np.hypot(cv2.Sobel(p, cv2.CV_32F, 1, 0), cv2.Sobel(p, cv2.CV_32F, 0, 1))
        for p in (cv2.GaussianBlur(luma, (0, 0), 0.5), cv2.GaussianBlur(luma, (0, 0), np.sqrt(1.25)))
    )
    strong = again >= np.quantile(again, 0.99)
    ratio = float(np.median(slope[strong] / np.maximum(again[strong], 1e-3)))
    return float(np.clip(np.sqrt(max(1 / max(ratio**2 - 1, 1e-3) - 1.15, 0.09)), 0.3, 4.0))


def _grain(luma: np.ndarray) -> float:
    """Levels of standard deviation of the noise of a picture (h, w): the median of what a Laplacian that ignores planes
    and edges leaves (after Immerkaer 1996)."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    return float(np.clip(np.median(np.abs(cv2.filter2D(luma, cv2.CV_32F, kernel))) / (0.6745 * 6), 0, 3))
