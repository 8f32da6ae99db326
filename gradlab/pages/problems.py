"""A problem of a report in words: its shape, its numbers where they are few, else those that matter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradlab.problems.problem import Array

Plain = Mapping[str, Any]
MAX_SHOWN = 24  # numbers of a problem
READABLE = 3  # rows, that are read without a summary
FEW_ROWS = 8  # of which each has its largest logit shown
_PLACE = re.compile(r"(gradient|loss|dX)\[(\d+)(?:, (\d+))?\]")


@dataclass(frozen=True)
class Shown:
    """A problem: its shape, which size has in words, and its rows, each with its label or targets, as text.

    rows: none where it is large. numbers, targets: what the numbers and the targets of a row are called. more: weight,
    bias, options. matters: of a problem with more than a few numbers, the logits that tell how it is. command: what
    runs it again; empty where it was not kept.
    """

    shape: str
    size: str
    family: str
    rows: tuple[tuple[str, str], ...]
    numbers: str
    targets: str
    more: tuple[str, ...]
    matters: tuple[str, ...]
    command: str


def shown_problem(result: Plain) -> Shown:
    """The problem of a result: what was asked of the code, where that was derived from another."""
    problem = result["asked"] or result["problem"]
    targets, case = problem["targets"], result["problem"]["case"]
    given = [name for name in ("logits", "features", "weight") if problem.get(name)]
    size = sum(len(problem[name]) * len(problem[name][0]) for name in given if problem[name][0])
    rows: list[tuple[str, str]] = []
    if targets is not None and 0 < size <= 2 * MAX_SHOWN:
        first = problem.get("logits") or problem.get("features") or []
        rows = [(_numbers(row), _target(target)) for row, target in zip(first, targets, strict=False)]
    more = [f"{name}: {'; '.join(map(_numbers, problem[name]))}" for name in ("weight",) if rows and problem.get(name)]
    if rows and problem.get("bias"):
        more.append(f"bias: {_numbers(problem['bias'])}")
    return Shown(
        " × ".join(map(str, problem["shape"])),
        _size(problem["shape"]),
        problem["family"],
        tuple(rows),
        "logits" if problem.get("logits") else "features",
        "label" if problem["objective"]["targets"] == "index" else "targets",
        tuple(more) + _options(problem["objective"]),
        () if 0 < len(rows) <= READABLE else tuple(_matters(problem, result["where"])),
        f"gradlab replay {case}" if case else "",
    )


def _matters(problem: Plain, place: str) -> Iterator[str]:
    """The largest logit of each row, or their range; and those that matter of the row with the entry that is off."""
    logits = _logits(problem)
    if logits is None or not logits.size:
        return
    largest = logits.max(axis=1)
    if len(logits) <= FEW_ROWS:
        rows = "row’s largest logit is" if len(logits) == 1 else "rows’ largest logits are"
        yield f"Its {rows} {_few(largest)}; the smallest of all is {_short(logits.min())}."
    else:
        yield (
            f"Its logits lie between {_short(logits.min())} and {_short(logits.max())}, "
            f"the rows’ largest between {_short(largest.min())} and {_short(largest.max())}."
        )
    found = _PLACE.match(place)
    targets = problem["targets"]
    if found is None or not targets or int(found[2]) >= len(logits):
        return
    row = int(found[2])
    parts = []
    if isinstance(targets[row], int) and 0 <= targets[row] < logits.shape[1]:
        parts.append(f"label {targets[row]}, with the logit {_short(logits[row, targets[row]])}")
    if found[1] == "gradient" and found[3] and int(found[3]) < logits.shape[1] and int(found[3]) != targets[row]:
        parts.append(f"class {found[3]} with the logit {_short(logits[row, int(found[3])])}")
    if parts:
        yield f"Row {row} has {', and '.join(parts)}; its largest is {_short(largest[row])}."


def _logits(problem: Plain) -> Array | None:
    """The logits of a problem, which a layer works out; None where the report does not have its numbers."""
    if problem.get("logits"):
        return _matrix(problem["logits"])
    if not problem.get("features") or not problem.get("weight"):
        return None
    with np.errstate(all="ignore"):
        products = _matrix(problem["features"]) @ _matrix(problem["weight"])
        return products + _matrix([problem["bias"]]) if problem.get("bias") else products


def _matrix(rows: Sequence[Sequence[str]]) -> Array:
    return np.array([[float.fromhex(text) for text in row] for row in rows])


def _few(values: Array) -> str:
    return ", ".join(map(_short, values))


def _short(value: Any) -> str:
    return f"{value:.4g}"


def _size(shape: Sequence[int]) -> str:
    """A shape in words, such as "2 rows, 3 features and 4 classes"."""
    names = ("row", "feature", "class") if len(shape) == 3 else ("row", "class")
    plurals = {"class": "classes"}
    counts = [
        f"{count:,} {name if count == 1 else plurals.get(name, f'{name}s')}"
        for count, name in zip(shape, names, strict=True)
    ]
    return f"{', '.join(counts[:-1])} and {counts[-1]}"


def _target(target: Any) -> str:
    return _numbers(target) if isinstance(target, list) else str(target)


def _numbers(row: list[str]) -> str:
    return ", ".join(_plain(text) for text in row)


def _plain(text: str) -> str:
    value = float.fromhex(text)
    return f"{value:.9g}"


def _options(objective: Plain) -> tuple[str, ...]:
    """What is not the default in an objective."""
    usual = {"reduction": "mean", "targets": "index", "mean_over": "sum_of_weights"}
    usual |= {"label_smoothing": "0x0.0p+0", "softcap": "inf", "temperature": "0x1.0000000000000p+0"}
    usual |= {"z_loss": "0x0.0p+0", "poly_epsilon": "0x0.0p+0"}
    other = {name: value for name, value in objective.items() if value is not None and usual.get(name) != value}
    return tuple(f"{name.replace('_', ' ')}: {_option(value)}" for name, value in other.items())


def _option(value: Any) -> str:
    if isinstance(value, list):
        return _numbers(value)
    return _plain(value) if isinstance(value, str) and value.lstrip("-").startswith("0x") else str(value)
