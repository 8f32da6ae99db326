"""What calls are given and return as plain data, whose arrays lie in memory that is shared; nothing in it runs code.

A value is a list that begins with its kind. What comes from the judged process is read by `Reading`, which believes
nothing: all that is not of a known form is a ValueError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradlab.evaluation.foreign import Described, Leaves
from gradlab.judged.blocks import dtype_of, name_of
from gradlab.problems.problem import Array

MAX_TEXT = 1 << 20  # characters of one text in a value
MAX_DEPTH = 4  # of values in values
MAX_ENTRIES = 1 << 33  # of an array

Plain = list[Any]
WriteArray = Callable[[Array], Plain]
ReadArray = Callable[[Plain], Array]


def encode_value(value: Any, write: WriteArray) -> Plain:
    """A value as plain data; write: puts an array somewhere, and says where. Anything foreign is its description."""
    if isinstance(value, Leaves):
        return ["leaves", {path: encode_value(one, write) for path, one in value.parts.items()}, value.text[:MAX_TEXT]]
    if isinstance(value, tuple | list):
        return ["tuple", *(encode_value(one, write) for one in value)]
    if isinstance(value, np.ndarray):
        return ["objects", list(value.shape)] if value.dtype.hasobject else write(value)
    if isinstance(value, np.generic):
        return ["scalar", name_of(value.dtype), value.tobytes().hex()]
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if isinstance(value, complex):
        return ["complex", value.real, value.imag]
    if isinstance(value, Described):
        return ["described", value.text[:MAX_TEXT]]
    if isinstance(value, str):
        return ["text", value[:MAX_TEXT]]
    if value is None or isinstance(value, bool | int | float):
        return ["plain", value]
    raise TypeError(f"a value must be plain data, got one of type {type(value).__name__}")


def decode_value(plain: Any, read: ReadArray, depth: int = MAX_DEPTH) -> Any:
    """The value. Raises ValueError for what is none. read: makes an array of what `write` has said."""
    if not isinstance(plain, list) or not plain or not isinstance(plain[0], str) or depth < 0:
        raise ValueError("a value is a list that begins with its kind")
    kind, *parts = plain
    if kind == "tuple":
        return tuple(decode_value(one, read, depth - 1) for one in parts)
    if kind == "leaves" and len(parts) == 2 and isinstance(parts[0], Mapping):
        found = {path: decode_value(one, read, depth - 1) for path, one in parts[0].items()}
        return Leaves(found, _text(parts[1]))
    if kind in _READERS:
        return _READERS[kind](*parts) if len(parts) == _PARTS[kind] else _refuse(kind)
    return read(plain)


def _refuse(kind: str) -> Any:
    raise ValueError(f"a value of kind {kind} has other parts")


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError(f"a text must have {MAX_TEXT} characters at most")
    return value


def _plain(value: Any) -> Any:
    if value is None or type(value) in (bool, int, float):
        return value
    raise ValueError("a plain value must be a number or none")


def _scalar(name: Any, content: Any) -> Any:
    dtype, bits = dtype_of(_text(name)), bytes.fromhex(_text(content))
    if len(bits) != dtype.itemsize:
        raise ValueError("a scalar must have as many bytes as its dtype")
    return np.frombuffer(bits, dtype)[0]


def _complex(real: Any, imaginary: Any) -> complex:
    return complex(float(_plain(real)), float(_plain(imaginary)))


def _objects(shape: Any) -> Array:
    if not isinstance(shape, list) or not all(type(one) is int and one >= 0 for one in shape):
        raise ValueError("a shape must be a list of integers")
    return np.broadcast_to(np.empty((), object), shape)


_READERS: dict[str, Callable[..., Any]] = {
    "scalar": _scalar,
    "bytes": lambda content: bytes.fromhex(_text(content)),
    "complex": _complex,
    "described": lambda text: Described(_text(text)),
    "text": _text,
    "plain": _plain,
    "objects": _objects,
}
_PARTS = {"scalar": 2, "complex": 2, **dict.fromkeys(("bytes", "described", "text", "plain", "objects"), 1)}
