"""What foreign code returns and raises, described, and made into plain data, in which nothing runs foreign code."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from gradlab.evaluation.text import class_name, on_one_line
from gradlab.evaluation.user_frame import place_of
from gradlab.problems.problem import Array

PLAIN = frozenset({float, int, bool, complex, str, bytes, type(None)})
ARRAYS = ("numpy", "ml_dtypes")  # whose scalars are plain data
MAX_DEPTH = 3  # of structures in structures


class ForeignError(Exception):
    """An exception of foreign code as plain data: the name of its class, and what is said of it."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind, self.text = kind, text


@dataclass(frozen=True)
class Described:
    """Stands for an object of foreign code of which there is nothing but a description."""

    text: str


def describe_error(error: BaseException) -> str:
    """The class of an exception, its message, and the line of foreign code where it was raised; on one line."""
    return error.text if isinstance(error, ForeignError) else spelled_error(error) + place_of(error)


def spelled_error(error: BaseException) -> str:
    """The class of an exception and its message, on one line: all that is said of an error of gradlab's own."""
    text = on_one_line(str, error)
    return f"{kind_of(error)}: {text}" if text else kind_of(error)


def kind_of(error: BaseException) -> str:
    """The name of the class of an exception, that of foreign code too; on one line."""
    return error.kind if isinstance(error, ForeignError) else on_one_line(class_name, error)


def pair_of(value: Any) -> tuple[Any, Any] | None:
    """The loss and the gradient in what was returned, or None if it is no tuple or list of two."""
    if not isinstance(value, tuple | list):
        return None
    parts = (
        list.__iter__(value) if isinstance(value, list) else tuple.__iter__(value)
    )  # what a subclass says is not asked
    pair = tuple(parts)
    return (pair[0], pair[1]) if len(pair) == 2 else None


def inert(value: Any) -> Any:
    """What was returned as plain data: numbers, texts, arrays and pairs of them, which share memory as before.

    Anything else becomes its description.
    """
    pair = pair_of(value)
    if pair is not None:
        return tuple(map(_part, pair))
    if _is_plain(value):
        return value
    if inspect.iscoroutine(value):
        value.close()  # or Python warns that it was never awaited, whenever it is collected
    return Described(describe(value))


@dataclass(frozen=True, eq=False)
class Leaves:
    """What was returned as plain data, taken apart, each number or array with its path: "1", "grads.W"; "" for itself.

    text: what it is as a whole, in a few words.
    """

    parts: Mapping[str, Any]
    text: str


def leaves_of(value: Any) -> Leaves:
    """What was returned, taken apart into its numbers and arrays; tuples, mappings and dataclasses in it, too."""
    if isinstance(value, Leaves):
        return value
    return Leaves({".".join(path): part for path, part in _leaves(value, ())}, _describe_whole(value))


def _describe_whole(value: Any) -> str:
    """What a structure is, by the names in it: to spell its numbers takes longer than most calls."""
    children = _children(value)
    if children is None or isinstance(value, tuple | list):
        return describe(value)
    return f"a {on_one_line(class_name, value)} of {on_one_line(', '.join, children) or 'nothing'}"


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    children = _children(value) if len(path) < MAX_DEPTH else None
    if children is None:
        yield path, value if isinstance(value, Described) else _part(value)
        return
    for key, child in children.items():
        yield from _leaves(child, (*path, key))


def _children(value: Any) -> dict[str, Any] | None:
    """What a structure holds, by name or number; None for what is one thing, such as a list of numbers."""
    if isinstance(value, Mapping):
        return {on_one_line(str, key): one for key, one in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {str(name): getattr(value, name) for name in value._fields}
    if is_dataclass(value) and not isinstance(value, type | Described):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, tuple) or (isinstance(value, list) and not _is_array_like(value)):
        return {str(number): one for number, one in enumerate(value)}
    return None


def _is_array_like(value: Any) -> bool:
    """Whether lists hold nothing but numbers, in rows of one length: a matrix as `tolist` writes it."""
    if not isinstance(value, list):
        return isinstance(value, int | float)
    if not all(map(_is_array_like, value)):
        return False
    return len({len(one) if isinstance(one, list) else -1 for one in value}) <= 1


def array_of(value: Any, name: str) -> tuple[Array | None, str | None]:
    """Something that an implementation returned as an array, or why it is none; name: what it is."""
    if not isinstance(value, Described):
        value = _part(value)
    if isinstance(value, Described):
        return None, f"returned a {name} that is no array: {value.text}"
    return np.asarray(value), None


def describe(value: Any) -> str:
    """What was returned, in a few words on one line."""
    if isinstance(value, Described):
        return value.text
    if isinstance(value, tuple | list):
        size = list.__len__(value) if isinstance(value, list) else tuple.__len__(value)
        return f"a {on_one_line(class_name, value)} of {size}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    text = re.sub(r" at 0x[0-9a-f]+", "", on_one_line(repr, value))  # an address is another one in every run
    return f"{text:.60} of type {on_one_line(class_name, value)}" if value is not None else "None"


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is np.ndarray:
        return not value.dtype.hasobject
    return kind in PLAIN or (isinstance(value, np.generic) and kind.__module__ in ARRAYS)


def _part(value: Any) -> Any:
    """One of a pair as plain data; an array of objects without the objects, which tells its shape and its dtype."""
    if _is_plain(value):
        return value
    try:
        array = np.asarray(value)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Described(f"{describe(value)} ({describe_error(error)})")
    if not array.dtype.hasobject:
        return array
    with contextlib.suppress(Exception):
        return np.empty(array.shape, array.dtype)
    return Described(describe(value))
