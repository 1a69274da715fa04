"""Plain data: the only thing that crosses between a student's process and whoever decides.

Plain data is None, bool, int, float, str, numeric NumPy arrays, and tuples, lists and string-keyed dicts of them.
Anything else becomes an `Other`, which no expected value equals. Nothing is ever pickled.
"""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

MAX_DEPTH = 20
MAX_ITEMS = 200_000
MAX_TEXT = 100_000
MAX_BYTES = 64 * 2**20


class NotPlain(ValueError):
    """Bytes that do not decode to plain data; the message says why."""


@dataclass(frozen=True)
class Other:
    """Stands for a value that is not plain data; `kind` names its type for the message."""

    kind: str


def _type_name(value: Any) -> str:
    kind = type(value)
    module = getattr(kind, "__module__", "")
    name = getattr(kind, "__name__", "object")
    return name if module in ("builtins", "__main__", "") else f"{module.split('.')[0]}.{name}"


def to_plain(value: Any, depth: int = 0) -> Any:
    """A deep copy of `value` as plain data; what is not plain becomes `Other`.

    Arrays are copied (so later changes in place do not matter) but stay non-contiguous if they were.
    """
    if depth > MAX_DEPTH:
        return Other("something nested too deeply")
    if value is None or type(value) in (bool, int, float, Other):
        return value
    if type(value) is str:
        return value[:MAX_TEXT]
    if isinstance(value, np.generic):
        return to_plain(value.item(), depth + 1) if value.dtype.kind in "biu" else _plain_array(np.asarray(value))
    if isinstance(value, np.ndarray):
        return _plain_array(value)
    if type(value) in (tuple, list):
        items = [to_plain(item, depth + 1) for item in value]
        return tuple(items) if type(value) is tuple else items
    if isinstance(value, dict) and all(type(key) is str for key in value):
        return {key: to_plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, tuple):  # named tuples count as tuples
        return tuple(to_plain(item, depth + 1) for item in tuple.__iter__(value))
    return Other(_type_name(value))


def _plain_array(array: np.ndarray) -> Any:
    if array.dtype.kind not in "biufc":
        return Other(f"array of {array.dtype}")
    base = np.array(array, copy=True, subok=False, order="C")
    return base if array.flags.c_contiguous else strided(base)


def strided(array: np.ndarray) -> np.ndarray:
    """The same values as a non-contiguous view: every second element of the last axis of a wider buffer."""
    if array.ndim == 0:
        return array
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), dtype=array.dtype)
    view = wide[..., ::2]
    view[...] = array
    return view


def same(a: Any, b: Any) -> bool:
    """Whether two pieces of plain data are identical: types, shapes, dtypes and every value (NaN equals NaN)."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
            return False
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))
    if type(a) is not type(b):
        return False
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    return a == b


def arrays_in(value: Any) -> list[np.ndarray]:
    """All arrays inside a piece of data, depth first."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return [array for item in value for array in arrays_in(item)]
    return []


def encode(value: Any) -> bytes:
    """Bytes for a piece of plain data: a line of JSON, then the arrays in NumPy's `.npy` format."""
    arrays: list[np.ndarray] = []

    def pack(item: Any) -> Any:
        if item is None or isinstance(item, (bool, str)):
            return item
        if isinstance(item, int):
            return {"int": str(item)} if abs(item) > 2**53 else item
        if isinstance(item, float):
            return item if math.isfinite(item) else {"float": repr(item)}
        if isinstance(item, Other):
            return {"other": item.kind}
        if isinstance(item, np.ndarray):
            arrays.append(np.ascontiguousarray(item).reshape(item.shape))
            return {"array": len(arrays) - 1, "strided": not item.flags.c_contiguous}
        if isinstance(item, tuple):
            return {"tuple": [pack(x) for x in item]}
        if isinstance(item, list):
            return [pack(x) for x in item]
        return {"dict": [[key, pack(x)] for key, x in item.items()]}

    head = json.dumps(pack(to_plain(value))).encode()
    out = io.BytesIO()
    out.write(head + b"\n")
    for array in arrays:
        np.save(out, array, allow_pickle=False)
    return out.getvalue()


def decode(data: bytes, max_bytes: int = MAX_BYTES) -> Any:
    """The plain data in `data`, which may come from a hostile process. Raises `NotPlain`."""
    if len(data) > max_bytes:
        raise NotPlain(f"{len(data)} bytes are more than the {max_bytes} allowed")
    try:
        head, rest = data.split(b"\n", 1)
        tree = json.loads(head)
        stream = io.BytesIO(rest)
        arrays = []
        while stream.tell() < len(rest):
            arrays.append(_read_array(stream, len(rest)))
        budget = [MAX_ITEMS]
        return _unpack(tree, arrays, budget, 0)
    except NotPlain:
        raise
    except Exception as error:  # any malformed input is the sender's fault
        raise NotPlain(f"not plain data ({type(error).__name__})") from None


def _read_array(stream: io.BytesIO, limit: int) -> np.ndarray:
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise NotPlain("unexpected array format")
    size = stream.read(2)
    shape, fortran, dtype = _header(size + stream.read(int.from_bytes(size, "little")))
    if dtype.kind not in "biufc" or dtype.hasobject:
        raise NotPlain(f"array of {dtype}")
    count = math.prod(shape)
    if any(n < 0 for n in shape) or count * dtype.itemsize > limit - stream.tell():
        raise NotPlain("an array shorter than its header says")
    flat = np.frombuffer(stream.read(count * dtype.itemsize), dtype=dtype).copy()
    return flat.reshape(shape, order="F" if fortran else "C")


@lru_cache(maxsize=256)  # few of an assignment's arrays have a form of their own
def _header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    return np.lib.format.read_array_header_1_0(io.BytesIO(data))


def _unpack(tree: Any, arrays: list, budget: list, depth: int) -> Any:
    budget[0] -= 1
    if depth > MAX_DEPTH + 5 or budget[0] < 0:
        raise NotPlain("too deep or too long")
    if isinstance(tree, list):
        return [_unpack(x, arrays, budget, depth + 1) for x in tree]
    if not isinstance(tree, dict):
        return tree
    if "int" in tree:
        return int(tree["int"][:400])
    if "float" in tree:
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[tree["float"]]
    if "other" in tree:
        return Other(str(tree["other"])[:200])
    if "array" in tree:
        array = arrays[tree["array"]]
        return strided(array) if tree.get("strided") else array
    if "tuple" in tree:
        return tuple(_unpack(x, arrays, budget, depth + 1) for x in tree["tuple"])
    return {str(key): _unpack(x, arrays, budget, depth + 1) for key, x in tree["dict"]}
