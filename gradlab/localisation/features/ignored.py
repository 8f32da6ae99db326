"""Features of the label to be ignored, and of labels that may be taken for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradlab.localisation.features.feature import Feature, Row, Value, View, truth
from gradlab.problems.problem import Array

BITS = (8, 16, 31, 32)  # of integers in which another label may look like the one to be ignored


def _with_value(value: Callable[[View, int], Array]) -> Value:
    """What is worked out with the label to be ignored; NaN where there is none."""

    def work_out(view: View) -> Array:
        ignored = view.problem.objective.ignore_index
        if ignored is None or view.problem.objective.targets != "index":
            return np.full(len(view.rows), np.nan)
        return np.broadcast_to(np.asarray(value(view, ignored), dtype=np.float64), view.rows.shape)

    return work_out


def _in_bits(bits: int) -> Value:
    return _with_value(lambda view, ignored: (view.y != ignored) & ((view.y - ignored) % 2**bits == 0))


def _is_met(view: View, ignored: int) -> Array:
    """Whether the place ignore_index of a later row, which is ignored, is that of this row's label in memory."""
    labels, k = view.labels.astype(np.int64), view.problem.n_classes
    rows = np.arange(len(labels))
    places = np.where(labels == ignored, rows * k + ignored, -1)
    own = view.rows * k + view.y
    last = np.array([np.flatnonzero(places == place)[-1:].sum() if (places == place).any() else -1 for place in own])
    return np.asarray((view.y != ignored) & (last > view.rows))


def _is_class(view: View, ignored: int) -> Array:
    return np.asarray(0 <= ignored < view.problem.n_classes)


IGNORED = (
    Row(
        truth("ignored_is_class", "ignore_index is a class", "ignore_index is no class", 1.1),
        _with_value(_is_class),
    ),
    Row(
        Feature(
            "label_less_ignored",
            "label - ignore_index - K",
            1.3,
            True,
            {"== 0": "the label is ignore_index + K"},
        ),
        _with_value(lambda view, ignored: view.y - ignored - view.problem.n_classes),
    ),
    *(
        Row(
            truth(
                f"ignored_in_{bits}_bits",
                f"the label is ignore_index modulo 2^{bits}, but not ignore_index itself",
                f"the label is ignore_index, or not even that modulo 2^{bits}",
                1.2 + bits / 1000,
            ),
            _in_bits(bits),
        )
        for bits in BITS
    ),
    Row(
        truth(
            "label_met_by_ignored",
            "a later row is ignored, whose place row * K + ignore_index is that of the row's label",
            "no later row is ignored whose place row * K + ignore_index is that of the row's label",
            1.4,
        ),
        _with_value(_is_met),
    ),
)
