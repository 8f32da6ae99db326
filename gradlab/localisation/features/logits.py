"""Features of the logits of a row."""

from __future__ import annotations

import numpy as np

from gradlab.localisation.features.feature import Feature, Row, View, truth
from gradlab.problems.problem import Array

_LARGEST = {
    "< 0": "all logits of the row are negative",
    "<= 0": "no logit of the row is positive",
    "> 0": "a logit of the row is positive",
    ">= 0": "a logit of the row is at least 0",
    ">= inf": "a logit of the row is +inf",
    ">=": "the largest logit of the row is {} or more",
    "<=": "the largest logit of the row is at most {}",
}
_SMALLEST = {
    "> 0": "all logits of the row are positive",
    ">= 0": "no logit of the row is negative",
    "< 0": "a logit of the row is negative",
    "<= 0": "a logit of the row is at most 0",
    ">=": "the smallest logit of the row is {} or more",
    "<=": "the smallest logit of the row is at most {}",
    "<= -inf": "a logit of the row is -inf",
}
_MARGIN = {
    "<= 0": "the label's logit is the largest",
    "== 0": "the label's logit is the largest",
    "> 0": "the label's logit is not the largest",
    ">=": "the label's logit is {} or more below the largest",
    "<=": "the label's logit is at most {} below the largest",
}
_LEAD = {
    "> 0": "the label's logit is larger than all others",
    ">= 0": "no logit is larger than the label's",
    "< 0": "another logit is larger than the label's",
    "<= 0": "another logit is at least the label's",
    "== 0": "the label's logit is the largest together with another",
    ">=": "the label's logit is {} or more above all others",
    "<=": "the label's logit is at most {} above the largest other",
}
_TIES = {
    ">= 2": "the largest logit occurs more than once",
    ">=": "the largest logit occurs {} times or more",
    "==": "the largest logit occurs {} times",
    "<= 1": "the largest logit occurs once",
    "== 2": "the largest logit occurs twice",
    "== 1": "the largest logit occurs once",
}
_SIZE = {
    ">=": "a logit of the row has size {} or more",
    "<=": "all logits of the row have at most size {}",
    "<": "all logits of the row are smaller than {} in size",
}
_SPREAD = {
    ">=": "the largest and the smallest logit of the row are {} or more apart",
    "<=": "the logits of the row are at most {} apart",
    "<= 0": "all logits of the row are equal",
}
_LOSS = {
    ">=": "the loss of the row is {} or more",
    "<=": "the loss of the row is at most {}",
}
_SUM = {
    ">=": "the sum of exp(x - max x) over all but the largest logit is {} or more",
    "<=": "the sum of exp(x - max x) over all but the largest logit is at most {}",
}


def _quiet_max(values: Array) -> Array:
    return np.asarray(np.where(np.isnan(values), -np.inf, values).max(axis=1, initial=-np.inf))


def _leading(marks: Array) -> Array:
    """How many marks are true before the first that is not."""
    return np.asarray(np.where(marks.all(axis=1), marks.shape[1], (~marks).argmax(axis=1)))


def _lse(view: View) -> Array:
    top = view.largest[:, None]
    return np.asarray(view.largest + np.log(np.exp(view.x - top).sum(axis=1)))


def _others_exponentials(view: View) -> Array:
    """The sum of exp(x - max x) without that of the first largest logit, which is 1."""
    e = np.exp(view.x - view.largest[:, None])
    e[np.arange(len(e)), view.x.argmax(axis=1)] = 0
    return np.asarray(e.sum(axis=1))


def _row_loss(view: View) -> Array:
    return np.asarray(np.log1p(_others_exponentials(view)) + (view.largest - view.at_label))


def _is_sorted(view: View, sign: int) -> Array:
    steps = sign * np.diff(view.x, axis=1)
    return np.asarray((steps >= 0).all(axis=1) & (view.x.shape[1] > 1))


def _second(view: View) -> Array:
    """How far the largest logit is above the second largest."""
    if view.x.shape[1] < 2:
        return np.full(len(view.rows), np.nan)
    top = np.partition(view.x, -2, axis=1)
    return np.asarray(top[:, -1] - top[:, -2])


LOGITS = (
    Row(Feature("largest", "the largest logit", 1.0, False, _LARGEST), lambda v: v.largest),
    Row(Feature("smallest", "the smallest logit", 1.0, False, _SMALLEST), lambda v: v.x.min(axis=1)),
    Row(
        Feature("spread", "largest - smallest logit of the row", 1.1, said=_SPREAD),
        lambda v: v.largest - v.x.min(axis=1),
    ),
    Row(Feature("size", "max |x| of the row", 1.0, said=_SIZE), lambda v: np.abs(v.x).max(axis=1)),
    Row(
        Feature("least_size", "the smallest |x| of the row that is not 0", 1.5),
        lambda v: np.nanmin(np.where(v.sizes == 0, np.inf, v.sizes), axis=1),
    ),
    Row(
        Feature(
            "at_label",
            "the label's logit",
            1.0,
            False,
            {
                "< 0": "the label's logit is negative",
                "> 0": "the label's logit is positive",
                "== 0": "the label's logit is 0",
                "<= -inf": "the label's logit is -inf",
            },
        ),
        lambda v: v.at_label,
    ),
    Row(
        Feature("label_size", "|x_y|", 1.2, False, {"<=": "the label's logit has at most size {}"}),
        lambda v: np.abs(v.at_label),
    ),
    Row(
        Feature("margin", "largest - label's logit", 1.0, False, _MARGIN),
        lambda v: np.where(v.largest == v.at_label, 0.0, v.largest - v.at_label),
    ),
    Row(
        Feature("lead", "label's logit - largest other", 1.2, False, _LEAD), lambda v: v.at_label - _quiet_max(v.others)
    ),
    Row(
        Feature(
            "above_the_second", "largest - second largest logit", 1.4, False, {"== 0": "two logits are the largest"}
        ),
        _second,
    ),
    Row(
        Feature("n_largest", "how often the largest logit occurs", 1.0, True, _TIES),
        lambda v: (v.x == v.largest[:, None]).sum(axis=1),
    ),
    Row(
        Feature(
            "n_like_label",
            "how many logits equal the label's",
            1.2,
            True,
            {
                ">= 2": "another logit equals the label's",
                "<= 1": "no other logit equals the label's",
                "== 1": "no other logit equals the label's",
            },
        ),
        lambda v: (v.x == v.at_label[:, None]).sum(axis=1),
    ),
    Row(
        Feature(
            "place_of_largest",
            "the place of the largest logit",
            1.3,
            True,
            {"== 0": "the largest logit is that of class 0", "<= 0": "the largest logit is that of class 0"},
        ),
        lambda v: v.x.argmax(axis=1),
    ),
    Row(
        Feature(
            "place_of_largest_from_end",
            "K - 1 - place of the largest logit",
            1.3,
            True,
            {
                "== 0": "the largest logit is that of the last class",
                "<= 0": "the largest logit is that of the last class",
            },
        ),
        lambda v: v.problem.n_classes - 1 - v.x.argmax(axis=1),
    ),
    Row(
        Feature(
            "place_of_smallest",
            "the place of the smallest logit",
            1.5,
            True,
            {"== 0": "the smallest logit is that of class 0", "<= 0": "the smallest logit is that of class 0"},
        ),
        lambda v: v.x.argmin(axis=1),
    ),
    Row(
        Feature(
            "n_masked",
            "how many logits of the row are -inf",
            1.0,
            True,
            {">= 1": "a logit of the row is -inf", "<= 0": "no logit of the row is -inf"},
        ),
        lambda v: (v.x == -np.inf).sum(axis=1),
    ),
    Row(
        Feature(
            "leading_masked",
            "how many logits of the row are -inf before the first that is not",
            1.2,
            True,
            {">= 1": "the first logit of the row is -inf", ">=": "the first {} logits of the row are -inf"},
        ),
        lambda v: _leading(v.x == -np.inf),
    ),
    Row(
        Feature(
            "trailing_masked",
            "how many logits of the row are -inf behind the last that is not",
            1.3,
            True,
            {">= 1": "the last logit of the row is -inf", ">=": "the last {} logits of the row are -inf"},
        ),
        lambda v: _leading((v.x == -np.inf)[:, ::-1]),
    ),
    Row(
        truth("label_masked", "the label's logit is -inf", "the label's logit is not -inf"),
        lambda v: v.at_label == -np.inf,
    ),
    Row(
        truth("all_masked", "all logits of the row are -inf", "not all logits of the row are -inf"),
        lambda v: (v.x == -np.inf).all(axis=1),
    ),
    Row(
        Feature(
            "n_infinite",
            "how many logits of the row are +inf",
            1.0,
            True,
            {">= 1": "a logit of the row is +inf", "<= 0": "no logit of the row is +inf"},
        ),
        lambda v: (v.x == np.inf).sum(axis=1),
    ),
    Row(
        Feature(
            "n_nan",
            "how many logits of the row are NaN",
            1.0,
            True,
            {">= 1": "a logit of the row is NaN", "<= 0": "no logit of the row is NaN"},
        ),
        lambda v: np.isnan(v.x).sum(axis=1),
    ),
    Row(
        Feature(
            "n_zeros",
            "how many logits of the row are 0",
            1.3,
            True,
            {">= 1": "a logit of the row is 0", "<= 0": "no logit of the row is 0"},
        ),
        lambda v: (v.x == 0).sum(axis=1),
    ),
    Row(
        truth("negative_zero", "a logit of the row is -0", "no logit of the row is -0", 1.5),
        lambda v: ((v.x == 0) & np.signbit(v.x)).any(axis=1),
    ),
    Row(
        truth(
            "whole_numbers",
            "all logits of the row are whole numbers",
            "not all logits of the row are whole numbers",
            1.6,
        ),
        lambda v: (v.x == np.rint(v.x)).all(axis=1),
    ),
    Row(
        truth("rising", "the logits of the row rise", "the logits of the row do not rise", 1.4),
        lambda v: _is_sorted(v, 1),
    ),
    Row(
        truth("falling", "the logits of the row fall", "the logits of the row do not fall", 1.4),
        lambda v: _is_sorted(v, -1),
    ),
    Row(
        Feature("others_exponentials", "the sum of exp(x - max x) over the other logits", 1.3, said=_SUM),
        _others_exponentials,
    ),
    Row(Feature("mean", "the mean of the row's logits", 1.4), lambda v: np.nanmean(v.finite, axis=1)),
    Row(Feature("log_sum_exp", "log sum exp of the row", 1.5), _lse),
    Row(Feature("row_loss", "the row's loss -log p_y", 1.3, said=_LOSS), _row_loss),
)
