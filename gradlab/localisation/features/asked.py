"""Features of what is asked for, and of how the arrays are handed over."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradlab.evaluation.claims import OPTIONS
from gradlab.evaluation.layouts import INTEGERS, MORE_INTEGERS, PLAIN_INTEGERS, PLAIN_LAYOUT, READ_ONLY
from gradlab.localisation.features.feature import Feature, Row, View, truth
from gradlab.localisation.trial import ALL_LAYOUTS
from gradlab.problems.dtypes import DTYPE_NAMES
from gradlab.problems.options import REDUCTIONS, TARGETS
from gradlab.problems.problem import Array

LAYOUT_NAMES = tuple(ALL_LAYOUTS)
INTEGER_NAMES = (*INTEGERS, *MORE_INTEGERS)
CONTIGUOUS = (PLAIN_LAYOUT, READ_ONLY, "unaligned")
BY_COLUMNS = ("Fortran order", "transposed, of a taller array")
ROWS_IN_REVERSE = ("negative strides", "rows in reverse")
COLUMNS_IN_REVERSE = ("negative strides", "columns in reverse")


def _option(name: str) -> Callable[[View], Array]:
    return lambda view: np.asarray(float(name in view.problem.objective.options))


def _ignore_index(view: View) -> Array:
    value = view.problem.objective.ignore_index
    return np.asarray(np.nan if value is None else float(value))


def _layout(view: View) -> str:
    """The layout; one row, or one class, lies alike in both orders."""
    layout = view.trial.layout
    return PLAIN_LAYOUT if layout == "Fortran order" and 1 in view.problem.logits.shape else layout


def _bits(view: View) -> Array:
    """How many bits the labels' integers have; NaN for probabilities."""
    asked = view.problem.objective.targets == "index"
    return np.asarray(float(8 * np.dtype(view.trial.integers).itemsize) if asked else np.nan)


def _is_apart(view: View) -> Array:
    """Whether the logits do not lie one behind the other, row after row."""
    return np.asarray(_layout(view) not in CONTIGUOUS)


def _by_columns(view: View) -> Array:
    return np.asarray(_layout(view) in BY_COLUMNS and 1 not in view.problem.logits.shape)


def _in_reverse(layouts: tuple[str, ...], axis: int) -> Callable[[View], Array]:
    """Whether an axis lies in reverse, which is to be seen where it has two places or more."""
    return lambda view: np.asarray(view.trial.layout in layouts and view.problem.logits.shape[axis] > 1)


def _index_is_cut(view: View) -> Array:
    """Whether row K + label is no number of the labels' integer type."""
    largest = np.iinfo(view.trial.integers).max
    return np.asarray(view.rows.astype(np.float64) * view.problem.n_classes + view.y > largest)


def _code(names: tuple[str, ...], value: Callable[[View], str]) -> Callable[[View], Array]:
    return lambda view: np.asarray(float(names.index(value(view))) if value(view) in names else np.nan)


_BITS = {
    ">=": "the labels' integer type has {} bits or more",
    "<=": "the labels' integer type has at most {} bits",
    "==": "the labels' integer type has {} bits",
}

ASKED = (
    Row(
        Feature("reduction", "the reduction", 1.0, True, names=REDUCTIONS),
        _code(REDUCTIONS, lambda v: v.problem.objective.reduction),
    ),
    Row(
        Feature("targets", "the targets", 1.0, True, names=TARGETS),
        _code(TARGETS, lambda v: v.problem.objective.targets),
    ),
    Row(
        Feature("dtype", "the dtype", 1.0, True, names=DTYPE_NAMES), _code(DTYPE_NAMES, lambda v: v.problem.format.name)
    ),
    Row(
        Feature("integers", "the labels' integer type", 1.0, True, names=INTEGER_NAMES),
        _code(INTEGER_NAMES, lambda v: v.trial.integers),
    ),
    Row(
        Feature("layout", "the layout of the logits", 1.0, True, names=LAYOUT_NAMES),
        _code(LAYOUT_NAMES, _layout),
    ),
    Row(
        truth("other_integers", "the labels' integer type is not int64", "the labels are int64", 1.3),
        lambda v: np.asarray(v.trial.integers != PLAIN_INTEGERS),
    ),
    Row(Feature("integer_bits", "bits of a label's integer type", 1.5, True, _BITS), _bits),
    Row(
        truth("unsigned", "the labels' integer type is unsigned", "the labels' integer type is signed", 1.4),
        lambda v: np.asarray(v.trial.integers.startswith("u")),
    ),
    Row(truth("apart", "the logits are not contiguous", "the logits are contiguous", 1.3), _is_apart),
    Row(
        truth("labels_apart", "the labels are not contiguous", "the labels are contiguous", 1.3),
        lambda v: np.asarray(v.trial.labels_apart and v.problem.n_rows > 1),
    ),
    Row(
        truth("other_layout", "the logits lie otherwise than in C order", "the logits lie in C order", 1.4),
        lambda v: np.asarray(_layout(v) != PLAIN_LAYOUT),
    ),
    Row(truth("by_columns", "the logits lie column after column", "the logits lie row after row", 1.25), _by_columns),
    Row(
        truth("rows_in_reverse", "the rows lie in reverse", "the rows do not lie in reverse", 1.25),
        _in_reverse(ROWS_IN_REVERSE, 0),
    ),
    Row(
        truth("columns_in_reverse", "the columns lie in reverse", "the columns do not lie in reverse", 1.25),
        _in_reverse(COLUMNS_IN_REVERSE, 1),
    ),
    Row(
        truth(
            "index_is_cut",
            "row K + label is no number of the labels' integer type",
            "row K + label is a number of the labels' integer type",
            1.25,
        ),
        _index_is_cut,
    ),
    Row(
        truth("ignored", "the row is ignored", "the row is not ignored", 1.0), lambda v: v.problem.ignored_rows[v.rows]
    ),
    Row(
        Feature(
            "n_ignored",
            "how many rows are ignored",
            1.1,
            True,
            {">= 1": "a row is ignored", "<= 0": "no row is ignored"},
        ),
        lambda v: np.asarray(v.problem.ignored_rows.sum()),
    ),
    Row(
        Feature(
            "n_kept",
            "how many rows are not ignored",
            1.05,
            True,
            {
                "== 1": "one row is not ignored",
                "<= 1": "at most one row is not ignored",
                "<= 0": "all rows are ignored",
            },
            like="n_rows",
        ),
        lambda v: np.asarray((~v.problem.ignored_rows).sum()),
    ),
    Row(
        truth("all_ignored", "all rows are ignored", "not all rows are ignored", 1.1),
        lambda v: np.asarray(bool(v.problem.ignored_rows.all())),
    ),
    Row(Feature("ignore_index", "ignore_index", 1.2, True), _ignore_index),
    Row(Feature("target_sum", "the sum of the row's targets", 1.2), lambda v: v.targets.sum(axis=1)),
    Row(Feature("largest_target", "the row's largest target", 1.2), lambda v: v.targets.max(axis=1)),
    Row(
        Feature(
            "n_targets",
            "how many targets of the row are not 0",
            1.2,
            True,
            {"== 1": "one target of the row is not 0", "<= 1": "one target of the row is not 0"},
        ),
        lambda v: (v.targets != 0).sum(axis=1),
    ),
    *(
        Row(truth(f"asks_{name}", f"{name} is asked for", f"{name} is not asked for"), _option(name))
        for name in OPTIONS
    ),
)
