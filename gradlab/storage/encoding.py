"""Problems, answers and enclosures as plain data for JSON: every number in hexadecimal, so that no bit is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradlab.evaluation.call import Answer
from gradlab.oracle.enclosure import Enclosures, Truth
from gradlab.oracle.ends import ends_of
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.options import PER_ROW_OPTIONS
from gradlab.problems.problem import Array, Problem, Shape

Plain = dict[str, Any]

NOISE_LINES, NOISE_LENGTH = 20, 200  # how much is kept of what an implementation prints and warns


def hex_of(value: float) -> str:
    """A float64 in hexadecimal, or "nan", "inf", "-inf"."""
    return float(value).hex()


def encoded_array(values: Array) -> Any:
    """The values in hexadecimal, nested as the array is; a value beyond float64 as a sum of two, "0x1p+0 + 0x1p-60"."""
    with np.errstate(invalid="ignore"):
        doubles = values.astype(np.float64)
        rest = (values - doubles).astype(np.float64) if values.dtype.itemsize > 8 else np.zeros(values.shape)
    pairs = zip(doubles.ravel().tolist(), rest.ravel().tolist(), strict=True)
    words = [f"{hex_of(high)} + {hex_of(low)}" if low and low == low else hex_of(high) for high, low in pairs]
    return np.array(words, dtype=object).reshape(values.shape).tolist()


def encoded_problem(problem: Problem) -> Plain:
    """All of a problem: dtype, shape, family, objective, logits and targets; and the vector where there is one."""
    objective = problem.objective
    index = objective.targets == "index"
    return {
        "dtype": problem.format.name,
        "shape": list(problem.logits.shape),
        "family": problem.family,
        "objective": encoded_objective(objective),
        "logits": encoded_array(problem.logits),
        "targets": problem.targets.tolist() if index else encoded_array(problem.targets),
        **({} if problem.vector is None else {"vector": encoded_array(problem.vector)}),
    }


def encoded_objective(objective: Objective) -> Plain:
    """All of an objective; its numbers in hexadecimal. The derivative only where it is not the gradient."""
    return {
        "reduction": objective.reduction,
        "targets": objective.targets,
        "label_smoothing": hex_of(objective.label_smoothing),
        "class_weights": _hex_of_each(objective.class_weights),
        "ignore_index": objective.ignore_index,
        **{name: hex_of(getattr(objective, name)) for name in objective.real_names()},
        **{name: _hex_of_each(getattr(objective, name)) for name in PER_ROW_OPTIONS},
        "mean_over": objective.mean_over,
        **({} if objective.is_first_order else {"derivative": objective.derivative}),
    }


def _hex_of_each(values: tuple[float, ...] | None) -> list[str] | None:
    return None if values is None else [hex_of(value) for value in values]


def encoded_answer(answer: Answer) -> Plain:
    """What an implementation gave: its fault, or loss and gradient with their dtypes; and what it printed or warned.

    "gradient" is the derivative that the problem's objective names.
    """
    given = {"loss": answer.loss, "gradient": answer.gradient}
    arrays = {
        name: None if array is None else {"dtype": array.dtype.name, "values": encoded_array(array)}
        for name, array in given.items()
    }
    return {"fault": answer.fault, **arrays, "noise": [line[:NOISE_LENGTH] for line in answer.noise[:NOISE_LINES]]}


def encoded_truth(truth: Truth) -> Plain:
    """The enclosures of loss and gradient, or of the derivative that the problem's objective names."""
    return {"loss": encoded_bounds(truth.loss), "gradient": encoded_bounds(truth.derivative)}


def encoded_bounds(values: Enclosures) -> Plain:
    """The bounds of enclosures, rounded outwards."""
    lower, upper = ends_of(values)
    return {"lower": encoded_array(lower), "upper": encoded_array(upper)}


def decoded_problem(plain: Any) -> Problem:
    """The problem written as plain data. Raises ValueError that shows the rule and the value."""
    fields = fields_of(plain, "problem", ("dtype", "shape", "family", "objective", "logits", "targets"))
    if fields["dtype"] not in DTYPE_NAMES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPE_NAMES)}, got {fields['dtype']!r}")
    shape = _shape(fields["shape"])
    if not isinstance(fields["family"], str):
        raise ValueError(f"family must be a string, got {fields['family']!r}")
    objective = decoded_objective(fields["objective"])
    logits = matrix_from(fields["logits"], "logits", fields["dtype"], shape)
    if objective.targets == "index":
        targets = labels_from(fields["targets"], shape[0])
    else:
        targets = matrix_from(fields["targets"], "targets", fields["dtype"], shape)
    vector = matrix_from(fields["vector"], "vector", fields["dtype"], shape) if "vector" in fields else None
    try:
        return Problem(logits, targets, objective, fields["family"], vector)
    except TypeError as error:
        raise ValueError(str(error)) from error


def decoded_objective(plain: Any) -> Objective:
    """The objective written as plain data. Raises ValueError that shows the rule and the value.

    An option of one number, or of one per row, that is not there is off: cases were kept before there were any. So is
    another derivative than the gradient.
    """
    names = ("reduction", "targets", "label_smoothing", "class_weights", "ignore_index")
    fields = fields_of(plain, "objective", names)
    ignored = fields["ignore_index"]
    if ignored is not None and not _is_integer(ignored):
        raise ValueError(f"ignore_index must be an integer or null, got {ignored!r:.60}")
    later: dict[str, Any] = {
        **{name: number_from(fields[name], name) for name in Objective.real_names() if name in fields},
        **{name: _numbers(fields[name], name) for name in PER_ROW_OPTIONS if name in fields},
        **{name: fields[name] for name in ("mean_over",) if name in fields},
    }
    return Objective(
        fields["reduction"],
        fields["targets"],
        number_from(fields["label_smoothing"], "label_smoothing"),
        _numbers(fields["class_weights"], "class_weights"),
        ignored,
        **later,
        derivative=fields.get("derivative", "gradient"),
    )


def _numbers(plain: Any, name: str) -> tuple[float, ...] | None:
    """The numbers of an option that has one for each class or row, or None where it is off."""
    if plain is not None and not isinstance(plain, list):
        raise ValueError(f"{name} must be a list or null, got {plain!r:.60}")
    return None if plain is None else tuple(number_from(one, name) for one in plain)


def number_from(word: Any, name: str) -> float:
    """The float64 written in hexadecimal. Raises ValueError; a decimal number is refused, it would be misread."""
    if isinstance(word, str) and (word in ("nan", "inf", "-inf") or "0x" in word):
        try:
            return float.fromhex(word)
        except (ValueError, OverflowError):
            pass
    raise ValueError(f"{name} must be hexadecimal floats such as '0x1.8p+1', 'nan', 'inf' or '-inf', got {word!r:.60}")


def fields_of(plain: Any, name: str, names: tuple[str, ...]) -> Mapping[str, Any]:
    """The fields of an object that has all of these. Raises ValueError."""
    if not isinstance(plain, dict):
        raise ValueError(f"{name} must be an object, got {plain!r:.60}")
    for field in names:
        if field not in plain:
            raise ValueError(f"{name} must have the field {field!r}")
    return plain


def _shape(given: Any) -> Shape:
    if not (isinstance(given, list) and len(given) == 2 and all(_is_integer(n) and n >= 0 for n in given)):
        raise ValueError(f"shape must be [n_rows, n_classes], got {given!r:.60}")
    return given[0], given[1]


def matrix_from(rows: Any, name: str, dtype: str, shape: Shape) -> Array:
    """The array of this dtype and shape that is written as rows of hexadecimal numbers. Raises ValueError."""
    if not (isinstance(rows, list) and len(rows) == shape[0] and all(isinstance(row, list) for row in rows)):
        raise ValueError(f"{name} must be a list of {shape[0]} rows, as shape says")
    if any(len(row) != shape[1] for row in rows):
        raise ValueError(f"{name} must have {shape[1]} entries in each row, as shape says")
    exact = np.array([[number_from(word, name) for word in row] for row in rows]).reshape(shape)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        values = exact.astype(as_dtype(dtype))
    differs = np.argwhere((values.astype(np.float64) != exact) & ~np.isnan(exact))
    if differs.size:
        raise ValueError(f"{name} must be {dtype} numbers, got {hex_of(exact[tuple(differs[0])])}")
    return np.asarray(values)


def labels_from(given: Any, n_rows: int) -> Array:
    """The labels written as so many integers. Raises ValueError."""
    if not (isinstance(given, list) and len(given) == n_rows and all(map(_is_integer, given))):
        raise ValueError(f"targets must be a list of {n_rows} integers, got {given!r:.60}")
    try:
        return np.array(given, dtype=np.int64)
    except OverflowError as error:
        raise ValueError("targets must be 64-bit integers") from error


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
