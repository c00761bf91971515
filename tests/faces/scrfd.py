"""A detector in the form of InsightFace's files that finds red squares: theirs may not be shipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE, STRIDES = 640, (8, 16, 32)
CELL = STRIDES[-1]
Box = tuple[float, float, float, float]
AROUND = (3.0, 3.0, 3.0, 3.0)


def red_finder(file: Path, box: Box = AROUND) -> Path:
    """Inputs and outputs as those of ``det_10g.onnx``: three strides, two anchors each, scores, boxes, points.

    box: left, up, right, down from the upper left corner of a red cell of 32 px to where the face ends, in cells.
    """
    left, up, right, down = box
    eyes = [(right - 3 * left) / 4, (down - 2 * up) / 3, (3 * right - left) / 4, (down - 2 * up) / 3]
    face = [*eyes, (right - left) / 2, (down - up) / 2, eyes[0], (3 * down - up) / 4, eyes[2], (3 * down - up) / 4]
    nodes, outputs, constants = [], [], []
    for stride in STRIDES:
        count = 2 * (SIDE // stride) ** 2
        boxes, points = (np.tile(np.array(one, np.float32), (count, 1)) for one in (box, face))
        constants += [numpy_helper.from_array(boxes, f"b{stride}"), numpy_helper.from_array(points, f"p{stride}")]
        if stride == CELL:
            nodes += _scores(stride, count)
            constants += [
                numpy_helper.from_array(np.array([[[[0.5]], [[-0.25]], [[-0.25]]]], np.float32), "redness"),
                numpy_helper.from_array(np.array([-1, 1]), "column"),
                numpy_helper.from_array(np.array([count // 2, 2]), "twice"),
            ]
        else:
            constants.append(numpy_helper.from_array(np.zeros((count, 1), np.float32), f"s{stride}"))
    for kind in "sbp":
        for stride in STRIDES:
            nodes.append(helper.make_node("Identity", [f"{kind}{stride}"], [f"out_{kind}{stride}"]))
            outputs.append(helper.make_tensor_value_info(f"out_{kind}{stride}", TensorProto.FLOAT, None))
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    for output, width in zip(outputs, [1] * 3 + [4] * 3 + [10] * 3, strict=True):
        output.type.tensor_type.shape.CopyFrom(
            helper.make_tensor_type_proto(TensorProto.FLOAT, [None, width]).tensor_type.shape
        )
    graph = helper.make_graph(nodes, "red", [picture], outputs, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(file))
    return file


def _scores(stride: int, count: int) -> list[onnx.NodeProto]:
    """How red each cell is, 1 for pure red, for both anchors."""
    return [
        helper.make_node("Conv", ["picture", "redness"], ["red"]),
        helper.make_node("AveragePool", ["red"], ["cells"], kernel_shape=[stride] * 2, strides=[stride] * 2),
        helper.make_node("Reshape", ["cells", "column"], ["flat"]),
        helper.make_node("Expand", ["flat", "twice"], ["both"]),
        helper.make_node("Reshape", ["both", "column"], [f"s{stride}"]),
    ]
