"""Tensors of a stranger's file as safetensors: every number that says where something lies is checked first."""

from __future__ import annotations

import json
import math
from mmap import mmap
from typing import IO, Any

import numpy as np

from heygem.weights.inert import Dtype, Piece, Refused, Storage

_SPARE = 64 << 20  # bytes that a result may have beyond twice its source: tensors that share memory are written apart


def write(pieces: dict[str, Piece], places: dict[str, tuple[int, int]], source: mmap, out: IO[bytes]) -> None:
    """Header and numbers, contiguous, in their own types, without metadata. Raises Refused."""
    ordered = sorted(pieces, key=lambda name: (-_dtype(pieces[name]).size, name))
    views = {name: _view(pieces[name], places, source) for name in ordered}
    if sum(view.nbytes for view in views.values()) > 2 * len(source) + _SPARE:
        raise Refused("large")
    header, at = {}, 0
    for name, view in views.items():
        about = {"dtype": _dtype(pieces[name]).name, "shape": list(view.shape)}
        header[name] = {**about, "data_offsets": [at, at + view.nbytes]}
        at += view.nbytes
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the numbers lie at multiples of eight
    out.write(len(text).to_bytes(8, "little") + text)
    for view in views.values():
        out.write(view.tobytes() if not view.flags.c_contiguous else view.data)


def _dtype(piece: Piece) -> Dtype:
    if not isinstance(piece.dtype, Dtype) or not piece.dtype.name:
        raise Refused("numbers")
    return piece.dtype


def _view(piece: Piece, places: dict[str, tuple[int, int]], source: mmap) -> np.ndarray:
    """The elements as raw bytes of their size, in the source. numpy refuses what does not lie inside its storage."""
    size, storage = _dtype(piece).size, piece.storage
    shape, strides = _whole(piece.size), _whole(piece.stride)
    if not isinstance(storage, Storage) or len(shape) != len(strides) or math.prod(shape) > 2 * len(source) + _SPARE:
        raise Refused("damaged")
    first, length = places[storage.key]
    if first < 0 or length < 0 or first + length > len(source):
        raise Refused("damaged")
    offset = (_whole((piece.offset,))[0] + _whole((storage.start,))[0]) * size
    inside = memoryview(source)[first : first + length]
    steps = tuple(stride * size for stride in strides)
    return np.ndarray(shape, f"V{size}", inside if math.prod(shape) else None, offset * bool(math.prod(shape)), steps)


def _whole(numbers: Any) -> tuple[int, ...]:
    found = tuple(numbers)
    if not all(type(number) is int and 0 <= number < 1 << 48 for number in found):
        raise Refused("damaged")
    return found
