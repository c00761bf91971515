"""A pickle read without running anything in it: tensors become descriptions, everything else stays inert.

A pickle names functions and has them called. Here every name leads to one of a few builders of this file, or to a
stand-in that takes whatever is done to it and does nothing. No name is ever looked up in a module, so nothing of the
file, of torch or of Python can be called by it.
"""

from __future__ import annotations

import pickle
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, NamedTuple


class Refused(Exception):
    """Why a file is not taken: a key of ``REASONS``."""


REASONS = {
    "damaged": "it is damaged, cut short or in an unknown format",
    "code": "it holds commands that would run when it is loaded; do not use this file anywhere",
    "page": "it is a web page; the address it was downloaded from answered with an error or a login",
    "pointer": "it is a Git LFS pointer, which holds the address of the file and not the file",
    "archive": "it is an archive; unpack it and take the file inside",
    "compressed": "its tensors are compressed, which published weights never are",
    "large": "it claims to hold more than a file of its size can",
    "foreign": "it holds no tensors that can be read without running it",
    "numbers": "it holds numbers of a kind that weights do not have",
    "machine": "it was written on a machine with another byte order",
    "time": "it took too long to read",
}
"""Key -> sentence. The process that reads a stranger's file answers with a key and nothing else."""
FULL = "full"
"""What it answers where the disk is full, which is not the file's fault."""


class Dtype(NamedTuple):
    """Its name in safetensors (empty: bytes of any kind), and the bytes of an element."""

    name: str
    size: int


_DTYPES = {
    "float64": Dtype("F64", 8),
    "float32": Dtype("F32", 4),
    "float16": Dtype("F16", 2),
    "bfloat16": Dtype("BF16", 2),
    "float8_e4m3fn": Dtype("F8_E4M3", 1),
    "float8_e5m2": Dtype("F8_E5M2", 1),
    "int64": Dtype("I64", 8),
    "int32": Dtype("I32", 4),
    "int16": Dtype("I16", 2),
    "int8": Dtype("I8", 1),
    "uint64": Dtype("U64", 8),
    "uint32": Dtype("U32", 4),
    "uint16": Dtype("U16", 2),
    "uint8": Dtype("U8", 1),
    "bool": Dtype("BOOL", 1),
}
SIZES = {dtype.name: dtype.size for dtype in _DTYPES.values()}
_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}


@dataclass
class Storage:
    """A run of numbers in the file: its key, the kind of number, where in it a view of old files begins."""

    key: str
    dtype: Dtype
    start: int = 0


@dataclass
class Piece:
    """A tensor: where it lies in its storage, in elements. Nothing in it is checked yet."""

    storage: Any
    offset: Any
    size: Any
    stride: Any
    dtype: Any


class Inert:
    """Stands for any object of a pickle. ``state``: the attributes that the pickle gave it."""

    def __new__(cls, *_: object, **__: object) -> Inert:
        self = object.__new__(cls)
        self.state = {}
        return self

    def __init__(self, *_: object, **__: object) -> None: ...

    def __call__(self, *_: object, **__: object) -> Inert:
        return Inert()

    def __setstate__(self, state: object) -> None:
        self.state = state if isinstance(state, dict) else {}

    def __setitem__(self, key: object, value: object) -> None: ...

    def append(self, value: object) -> None: ...

    def extend(self, values: object) -> None: ...

    def add(self, value: object) -> None: ...


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: object) -> Piece:
    return Piece(storage, offset, size, stride, storage.dtype)


def _typed_tensor(storage: Any, offset: Any, size: Any, stride: Any, *more: Any) -> Piece:
    """torch's third form: the storage is bytes, and the kind of number stands at the end."""
    return Piece(storage, offset, size, stride, more[2])


def _parameter(data: object, *_: object) -> object:
    return data


def _of_type(build: Callable[..., object], _: object, given: tuple[object, ...], *__: object) -> object:
    return build(*given) if build in _BUILDERS.values() else Inert()


_BUILDERS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): lambda *_: {},
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _typed_tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _of_type,
    ("torch.storage", "UntypedStorage"): Dtype("", 1),
    **{("torch", name): dtype for name, dtype in _DTYPES.items()},
    **{(home, name): _DTYPES[kind] for name, kind in _STORAGES.items() for home in ("torch", "torch.cuda")},
}

_COMMANDS = re.compile(
    r"(os|posix|nt|subprocess|sys|socket|shutil|runpy|importlib|imp|ctypes|pty|pdb|codeop|c?Pickle|_?pickle|dill"
    r"|cloudpickle|marshal|webbrowser|https?|urllib2?|requests|httpx|zipimport|pip|pkgutil)(\..*)?"
    r"|types\.(Code|Function)Type"
    r"|(.*\.)?(eval|exec|execfile|compile|system|popen|spawn|fork|kill|open|loads?|_load_from_bytes|load_url|apply|call"
    r"|run|__import__|import_module|breakpoint|input|runstring|getoutput|getstatusoutput|methodcaller)"
)
"""Names that serve to run commands, as far as they are known."""


class Unpickler(pickle.Unpickler):
    """``load()`` gives dicts, lists, numbers, ``Piece`` and ``Inert``. Raises Refused, or whatever damage raises.

    ``storages``: those that the tensors lie in, by key. A name that only serves to run commands is refused, so that
    who brings such a file is told; that the list of those can never be complete does no harm.
    """

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, encoding="utf-8", errors="replace")
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _BUILDERS:
            return _BUILDERS[module, name]
        if module.partition(".")[0] == "__torch__":  # the classes of a TorchScript archive
            return type("Inert", (Inert,), {})
        if _COMMANDS.fullmatch(f"{module}.{name}"):
            raise Refused("code")
        return type("Inert", (Inert,), {})

    def persistent_load(self, pid: Any) -> object:
        kind, *rest = pid
        if kind != "storage":  # the source text of a class, beside the class
            return rest[0]
        dtype, key, _, _, *view = rest
        if not isinstance(dtype, Dtype):
            raise Refused("numbers")
        base = self.storages.setdefault(str(key), Storage(str(key), dtype))
        start = view[0][1] if view and view[0] is not None else 0
        return Storage(base.key, dtype, start) if start else base
