"""Decoded pictures of any kind become frames: upright, square pixels, 8 bit 4:2:0, BT.709 limited."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph

from heygem.media.frame import Frame

# AVColorSpace (ITU-T H.273 matrix coefficients) -> name in the filters.
_MATRIX = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc", 10: "bt2020nc"}
_FULL = 2  # AVCOL_RANGE_JPEG
_TURNS = {0: (), 90: ("transpose=cclock",), 180: ("hflip", "vflip"), 270: ("transpose=clock",)}


class Upright:
    """Turns decoded pictures into frames of one size. Nothing is computed for what is already in that form."""

    def __init__(self, width: int, height: int) -> None:
        self._size = width, height
        self._key: object = None
        self._graph: Graph | None = None

    def __call__(self, picture: av.VideoFrame) -> Frame:
        """A new frame; ``picture`` stays as it is."""
        look = (picture.width, picture.height, picture.format.name, picture.colorspace, picture.color_range)
        key = (*look, picture.rotation)  # reading side data keeps the picture alive until the next garbage collection
        if key != self._key:
            steps = self._steps(picture)
            self._graph = build_graph(picture, steps) if steps else None
            self._key = key
        if self._graph is None:
            return Frame.of_picture(picture)
        self._graph.vpush(picture)
        return Frame.of_picture(self._graph.vpull())

    def _steps(self, picture: av.VideoFrame) -> list[str]:
        """The filters (libavfilter syntax) that are needed, in their order."""
        turned, mirrored = display_turn(picture)
        colours = _colour_steps(picture)
        if colours and (picture.width % 2 or picture.height % 2):
            colours.insert(0, "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0")  # half-size chroma of odd sizes is ill-defined
        steps = [*colours, *_TURNS[turned]]
        if mirrored:
            steps.append("hflip")
        size = picture.width, picture.height
        wide, high = size if turned in (0, 180) else size[::-1]
        if (wide & ~1, high & ~1) != self._size:
            steps.append(f"scale={self._size[0]}:{self._size[1]}:flags=bicubic+accurate_rnd")
        return steps


def display_turn(picture: av.VideoFrame) -> tuple[int, bool]:
    """(degrees counter-clockwise, then mirrored left to right) that bring a picture upright: the display matrix."""
    data = picture.side_data.get("DISPLAYMATRIX")  # type: ignore[call-overload]
    if data is None:
        return 0, False
    a, b, _, c, d = np.frombuffer(bytes(data), "<i4")[:5].astype(float)
    mirrored = a * d - b * c < 0
    if mirrored:
        a, c = -a, -c
    return round(float(np.degrees(np.arctan2(-b, a))) / 90) % 4 * 90, bool(mirrored)


def colour_matrix(picture: av.VideoFrame) -> str:
    """Name of the YCbCr matrix. Untagged pictures follow the players' rule: BT.601 for standard definition."""
    high = max(picture.width, picture.height) >= 1280 or min(picture.width, picture.height) > 576
    return _MATRIX.get(picture.colorspace, "bt709" if high else "bt470bg")


def _colour_steps(picture: av.VideoFrame) -> list[str]:
    kind = picture.format
    full = picture.color_range == _FULL or kind.name.startswith("yuvj")
    matrix = colour_matrix(picture)
    if kind.is_rgb or kind.has_palette or not kind.name.startswith(("yuv4", "yuvj4")):
        yuv = "" if kind.is_rgb or kind.has_palette else f":in_color_matrix={matrix}:in_range={'pc' if full else 'tv'}"
        return [f"scale=flags=accurate_rnd+full_chroma_inp:out_color_matrix=bt709:out_range=tv{yuv}", "format=yuv420p"]
    if matrix == "bt709" and not full:
        return [] if kind.name == "yuv420p" else ["scale=flags=accurate_rnd", "format=yuv420p"]
    # Primaries of 601 and 709 differ by less than anyone sees; those of BT.2020 do not. HLG is made to look right
    # when its curve is read as the plain one (ITU-R BT.2100, backward compatibility).
    wide = matrix.startswith("bt2020")
    space = {"bt2020nc": "bt2020ncl"}.get(matrix, matrix)
    given = "iprimaries=bt2020:itrc=bt2020-10" if wide else "iprimaries=bt709:itrc=bt709:fast=1"
    source = f"ispace={space}:irange={'pc' if full else 'tv'}:{given}"
    plain = [] if kind.name in _COLORSPACE_FORMATS else ["format=yuv444p" if "444" in kind.name else "format=yuv420p"]
    return [*plain, f"colorspace=all=bt709:range=tv:format=yuv420p:{source}"]


_COLORSPACE_FORMATS = {
    *(f"yuv{chroma}p{depth}" for chroma in (420, 422, 444) for depth in ("", "10le", "12le")),
    *(f"yuvj{chroma}p" for chroma in (420, 422, 444)),
}


_PLANAR = {"nv12": "yuv420p", "p010le": "yuv420p10le"}


def planar(pictures: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """The pictures; those of a graphics card, whose U and V are woven into one plane, as the processor decodes them."""
    graphs: dict[tuple[object, ...], Graph] = {}
    for picture in pictures:
        form = _PLANAR.get(picture.format.name)
        if form is None:
            yield picture
            continue
        key = (form, picture.width, picture.height, picture.colorspace, picture.color_range)
        if key not in graphs:
            graphs = {key: build_graph(picture, [f"format={form}"])}
        graphs[key].vpush(picture)
        yield graphs[key].vpull()


def deinterlaced(pictures: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """The pictures; from the first interlaced one on, those flagged interlaced are woven progressive (bwdif)."""
    graph: Graph | None = None
    for picture in pictures:
        if graph is None and picture.interlaced_frame:
            graph = build_graph(picture, ["bwdif=mode=send_frame:deint=interlaced"])
        if graph is None:
            yield picture
        else:
            graph.vpush(picture)
            yield from _ready(graph)
    if graph is not None:
        graph.vpush(None)  # type: ignore[arg-type]
        yield from _ready(graph)


def _ready(graph: Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (BlockingIOError, EOFError):
            return


def build_graph(picture: av.VideoFrame, steps: list[str]) -> Graph:
    """A configured chain of filters that takes pictures like ``picture``. A step is ``name`` or ``name=arguments``."""
    graph = Graph()
    nodes = [graph.add("buffer", _buffer_arguments(picture))]
    for step in steps:
        name, _, arguments = step.partition("=")
        nodes.append(graph.add(name, arguments or None))
    nodes.append(graph.add("buffersink"))
    graph.link_nodes(*nodes).configure()
    return graph


def _buffer_arguments(picture: av.VideoFrame) -> str:
    size, tick = f"{picture.width}x{picture.height}", picture.time_base or Fraction(1, 1000)
    colours = f"colorspace={picture.colorspace}:range={picture.color_range}"
    return f"video_size={size}:pix_fmt={picture.format.name}:time_base={tick.numerator}/{tick.denominator}:{colours}"
