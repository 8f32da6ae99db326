"""Features of a row beside other rows, and of the label's place among the logits."""

from __future__ import annotations

import numpy as np

from gradlab.localisation.distinct import distinct_rows
from gradlab.localisation.features.feature import Feature, Row, View, modular, truth
from gradlab.problems.problem import Array

MODULI_OF_PLACES = (2, 3, 4, 8, 16)  # of the place of the largest logit

_RANK = {
    "== 0": "no logit is larger than the label's",
    "<= 0": "no logit is larger than the label's",
    ">= 1": "a logit is larger than the label's",
    "== 1": "one logit is larger than the label's",
    "==": "{} logits are larger than the label's",
    ">=": "{} or more logits are larger than the label's",
    "<=": "at most {} logits are larger than the label's",
}
_ABOVE = {
    "<= 0": "the label's logit is the smallest",
    "== 0": "the label's logit is the smallest",
    "> 0": "a logit is smaller than the label's",
    ">=": "the label's logit is {} or more above the smallest",
}
_ALIKE = {
    ">= 2": "another row has the same label",
    "<= 1": "no other row has the same label",
    ">=": "{} or more rows have the row's label",
    "<=": "at most {} rows have the row's label",
}


def _batch_words(fact: str) -> dict[str, str]:
    return {
        "<= 0": f"in no row of the batch {fact}",
        ">= 1": f"in some row of the batch {fact}",
        ">=": f"in {{}} or more rows of the batch {fact}",
        "<=": f"in at most {{}} rows of the batch {fact}",
    }


_BEST = _batch_words("the label's logit is the largest")
_HITS = _batch_words("the label is the place of the first largest logit")


def _repeats_before(view: View) -> Array:
    x, rows = view.problem.logits64, view.rows
    same = (x[rows] == x[np.maximum(rows - 1, 0)]).all(axis=1)
    return np.asarray(same & (rows > 0))


def _repeats_earlier(view: View) -> Array:
    """Whether an earlier row has the same logits."""
    x = np.ascontiguousarray(view.problem.logits64) + 0.0  # -0 is 0
    first, _ = distinct_rows(x.view(np.uint8).reshape(len(x), -1))
    new = np.zeros(len(x), dtype=bool)
    new[first] = True
    return ~new[view.rows]


def _n_alike(view: View) -> Array:
    inside = view.labels - view.labels.min(initial=0)
    if inside.size and inside.max() > 1 << 20:  # a label to be ignored that is far from all classes
        return np.asarray((view.labels[None, :] == view.y[:, None]).sum(axis=1))
    return np.asarray(np.bincount(inside)[inside][view.rows])


def _n_best(view: View) -> Array:
    x, labels = view.problem.logits64, np.clip(view.labels, 0, view.problem.n_classes - 1)
    return np.asarray((x[np.arange(len(x)), labels] == x.max(axis=1)).sum())


PLACES_OF_ROWS = (
    Row(
        Feature("label_rank", "the number of logits larger than the label's", 1.3, True, _RANK),
        lambda v: (v.x > v.at_label[:, None]).sum(axis=1),
    ),
    Row(
        Feature("above_smallest", "label's - smallest logit", 1.2, False, _ABOVE),
        lambda v: np.where(v.x.min(axis=1) == v.at_label, 0.0, v.at_label - v.x.min(axis=1)),
    ),
    Row(
        Feature(
            "largest_less_label",
            "place of the first largest logit - label",
            1.7,
            True,
            {"== 0": "the label is the place of the first largest logit"},
        ),
        lambda v: v.x.argmax(axis=1) - v.y,
    ),
    *modular("place_of_largest", "the place of the largest logit", lambda v: v.x.argmax(axis=1), MODULI_OF_PLACES),
    Row(
        truth(
            "repeats_row_before",
            "the row before has the same logits",
            "the row before has other logits, or there is none",
            1.3,
        ),
        _repeats_before,
    ),
    Row(
        truth("repeats_earlier_row", "an earlier row has the same logits", "no earlier row has the same logits", 1.35),
        _repeats_earlier,
    ),
    Row(
        Feature("label_less_rows", "label - N", 1.5, True, {">= 0": "the label is N or more", ">= 1": "label > N"}),
        lambda v: v.y - v.problem.n_rows,
    ),
    Row(Feature("n_alike", "the number of rows with the row's label", 1.4, True, _ALIKE), _n_alike),
    Row(
        Feature("n_best", "the number of rows whose label's logit is the largest", 1.4, True, _BEST),
        _n_best,
    ),
    Row(
        Feature("n_hits", "the number of rows whose label is the place of the first largest logit", 1.5, True, _HITS),
        lambda v: np.asarray((v.problem.logits64.argmax(axis=1) == v.labels).sum()),
    ),
)
