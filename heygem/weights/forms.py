"""The forms in which weights circulate, told apart by their content: what is in the file, and where its numbers lie."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from dataclasses import dataclass
from typing import IO, Any

from heygem.weights.inert import SIZES, Dtype, Piece, Refused, Storage, Unpickler

_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the first of the pickles in a file of torch before 1.6
_MOST = 64 << 20  # bytes of a description; those of the largest published weights have one
_LOCAL = struct.Struct("<4s22xHH")  # of a local header in a zip: signature, lengths of the name and of the extra field


@dataclass
class Content:
    """``tree``: dicts, ``Piece`` and ``Inert``. ``places``: key of a storage -> (first byte, bytes) in the file."""

    tree: Any
    places: dict[str, tuple[int, int]]


def read(file: IO[bytes], size: int) -> Content:
    """What a file of ``size`` bytes holds. Raises Refused, or whatever damage raises."""
    head = file.read(4096)
    file.seek(0)
    if head.startswith(b"PK\x03\x04"):
        return _zip(file)
    if head.startswith(_LEGACY):
        return _legacy(file, size)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < size:
        return _safetensors(file, size)
    raise Refused(_why_not(head))


def _why_not(head: bytes) -> str:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<script")):
        return "page"
    if text.startswith(b"version https://git-lfs"):
        return "pointer"
    if head.startswith((b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")):
        return "archive"
    if head[257:262] == b"ustar":
        return "archive"
    return "foreign" if head[:1] == b"\x80" else "damaged"


def _zip(file: IO[bytes]) -> Content:
    """torch since 1.6, and TorchScript: one pickle, and a record for every storage, as it is in memory."""
    with zipfile.ZipFile(file) as archive:
        records = {info.filename: info for info in archive.infolist()}
        found = [name for name in records if name.rpartition("/")[2] == "data.pkl"]
        if len(found) != 1:
            raise Refused("archive" if not found else "damaged")
        prefix = found[0].removesuffix("data.pkl")
        if f"{prefix}byteorder" in records and _text(archive, f"{prefix}byteorder") != b"little":
            raise Refused("machine")
        pickled = Unpickler(io.BytesIO(_text(archive, found[0])))
        tree = pickled.load()
    return Content(tree, {key: _record(file, records.get(f"{prefix}data/{key}")) for key in pickled.storages})


def _text(archive: zipfile.ZipFile, name: str) -> bytes:
    """A record that may be compressed: never more of it than a description has."""
    with archive.open(name) as record:
        text = record.read(_MOST + 1)
    if len(text) > _MOST:
        raise Refused("large")
    return text


def _record(file: IO[bytes], info: zipfile.ZipInfo | None) -> tuple[int, int]:
    if info is None:
        raise Refused("damaged")
    if info.compress_type != zipfile.ZIP_STORED:
        raise Refused("compressed")
    file.seek(info.header_offset)
    signature, name, extra = _LOCAL.unpack(file.read(_LOCAL.size))
    if signature != b"PK\x03\x04":
        raise Refused("damaged")
    return info.header_offset + _LOCAL.size + name + extra, info.file_size


def _legacy(file: IO[bytes], size: int) -> Content:
    """torch before 1.6: pickles one behind the other (a number, a version, the machine, the tree, the keys), and then
    every storage with its length before it."""
    for _ in range(3):
        machine = Unpickler(file).load()
    if not machine.get("little_endian", True):
        raise Refused("machine")
    pickled = Unpickler(file)
    tree = pickled.load()
    places, at = {}, 0
    for key in Unpickler(file).load():
        at = at or file.tell()
        file.seek(at)
        (count,) = struct.unpack("<q", file.read(8))
        length = count * pickled.storages[key].dtype.size
        if count < 0 or at + 8 + length > size:
            raise Refused("damaged")
        places[key] = at + 8, length
        at += 8 + length
    return Content(tree, places)


def _safetensors(file: IO[bytes], size: int) -> Content:
    """A header in JSON, then all numbers. It is checked like the others, not believed."""
    length = int.from_bytes(file.read(8), "little")
    if length > _MOST:
        raise Refused("large")
    header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    tree, places = {}, {}
    for name, about in header.items():
        first, last = about["data_offsets"]
        if first < 0:
            raise Refused("damaged")
        if about["dtype"] not in SIZES:
            raise Refused("numbers")
        dtype = Dtype(about["dtype"], SIZES[about["dtype"]])
        tree[name] = Piece(Storage(name, dtype), 0, tuple(about["shape"]), _strides(about["shape"]), dtype)
        places[name] = 8 + length + first, last - first
    return Content(tree, places)


def _strides(shape: list[int]) -> tuple[int, ...]:
    strides, step = [], 1
    for length in reversed(shape):
        strides.append(step)
        step *= length
    return tuple(reversed(strides))
