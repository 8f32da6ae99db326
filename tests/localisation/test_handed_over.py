"""What is done with the arrays that are handed over: written into, read otherwise than they lie, kept for later."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.harness.logits_problems import problems_for
from gradlab.harness.selection import may_be_asked
from gradlab.localisation.finding import localise
from gradlab.localisation.repeats import has_labels_of_earlier_call
from gradlab.localisation.statements import Localisation
from gradlab.localisation.trial import Laboratory
from gradlab.problems.problem import Array
from tests.localisation.functions import Function, right

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
CLAIMS = claims_from({"dtypes": "float64"})
Change = Callable[[Array, Array], None]


def described(function: Function, *failed: str) -> Localisation | None:
    implementation, problems = (
        Implementation("anonymous", function, CLAIMS),
        problems_for(CLAIMS, "float64", "quick", 0),
    )
    return localise(implementation, problems, failed, partial(may_be_asked, CLAIMS))


def writing(change: Change) -> Function:
    """The right answer; afterwards something is written into the arguments that can be written."""

    def function(x: Array, y: Array) -> Any:
        answer = right(x, y)
        if x.flags.writeable and y.flags.writeable and len(y):
            change(x, y)
        return answer

    return function


def keep_exponentials(x: Array, y: Array) -> None:
    np.exp(x - x.max(axis=1, keepdims=True), out=x)


def clear_long(x: Array, y: Array) -> None:
    if len(y) > 6:
        x[...] = 0


def sort_labels(x: Array, y: Array) -> None:
    y.sort()


def count_from_one(x: Array, y: Array) -> None:
    if (y == x.shape[1] - 1).any():
        y += 1


WRITING = {
    "the logits are overwritten by exp(x - max x)": (keep_exponentials, "wrong on every problem that can show it"),
    "the logits are overwritten by 0": (clear_long, "wrong only where the batch has 7 rows or more (right up to 6)"),
    "the labels are overwritten by themselves, sorted": (sort_labels, ""),
    "the labels are overwritten by themselves + 1": (count_from_one, "the last class"),
}


@pytest.mark.parametrize("what", WRITING)
def test_what_is_written_into_arguments_is_said_and_where(what: str) -> None:
    change, where = WRITING[what]
    found = described(writing(change), "leaves_its_inputs_alone")
    assert found is not None
    assert what in found.what
    assert where in found.where
    assert found.n_foretold >= 0.98 * found.n_fresh >= 12


def test_labels_that_are_read_as_if_they_were_contiguous_are_told_from_logits() -> None:
    def misread(x: Array, y: Array) -> Any:
        return right(x, y[::-1].copy() if y.strides[0] != y.itemsize else y)

    found = described(misread, "layout_does_not_matter")
    assert found is not None
    assert found.where == "wrong only where the labels are not contiguous"


def by_shape_and_ends(y: Array) -> Any:
    return int(y[0]), int(y[-1])


def by_counts(y: Array) -> Any:
    return tuple(np.sort(y).tolist())


def by_ends_and_counts(y: Array) -> Any:
    return by_shape_and_ends(y), by_counts(y)


KEPT_BY = {
    "the same shape, first and last label": by_shape_and_ends,
    "the same shape and as many labels of each class": by_counts,
    "the same shape, first and last label and as many labels of each class": by_ends_and_counts,
}


@pytest.mark.parametrize("words", KEPT_BY)
def test_labels_that_are_kept_by_too_little_are_those_of_an_earlier_call(words: str) -> None:
    kept: dict[Any, Array] = {}

    def function(x: Array, y: Array) -> Any:
        key = (x.shape, KEPT_BY[words](y)) if len(y) else None
        return right(x, kept.setdefault(key, y.copy()))

    laboratory = Laboratory(Implementation("anonymous", function, CLAIMS), partial(may_be_asked, CLAIMS))
    found = has_labels_of_earlier_call(laboratory, problems_for(CLAIMS, "float64", "quick", 0)[0])
    assert found is not None
    assert found.said == f"a call is answered as if it had the labels of an earlier one with {words}"


def test_a_label_that_is_taken_whatever_it_should_be_is_not_laid_to_an_earlier_call() -> None:
    laboratory = Laboratory(
        Implementation("anonymous", lambda x, y: right(x, 0 * y), CLAIMS), partial(may_be_asked, CLAIMS)
    )
    assert has_labels_of_earlier_call(laboratory, problems_for(CLAIMS, "float64", "quick", 0)[0]) is None
