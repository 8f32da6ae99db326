"""Only what explains an answer that is wrong is named: not where calls raise, hang or return something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.diagnosis.diagnosis import PROBES, diagnose
from gradlab.diagnosis.probe import side_of
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.logits_problems import problems_for
from gradlab.harness.profiles import PROFILES
from gradlab.harness.selection import problems_in_run
from gradlab.implementations.specimens._right import minus_one_hot, reduced, row_losses, softmax
from gradlab.implementations.strangers.second_order import hessian_by_outer_products
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Array
from gradlab.report.explained import diagnosis_lines
from gradlab.targets.shipped import specimens
from tests.runs import in_one_dtype_first

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
DTYPES = ("float64", "float32", "float16", "bfloat16")
RETURNS = "returns_loss_and_gradient"


def right(x: Array, y: Array, **asked: Any) -> Any:
    return reduced(row_losses(x, y), minus_one_hot(softmax(x), y), "mean")


def finite_size(x: Array) -> float:
    return float(np.abs(x[np.isfinite(x)]).max(initial=0.0))


UNANSWERED: dict[str, Callable[[Array], Any]] = {
    "one row": lambda x: len(x) == 1,
    "one class": lambda x: x.shape[1] == 1,
    "two classes": lambda x: x.shape[1] == 2,
    "a mask": lambda x: (x == -np.inf).any(),
    "NaN": lambda x: np.isnan(x).any(),
    "+inf": lambda x: (x == np.inf).any(),
    "anything not finite": lambda x: not np.isfinite(x).all(),
    "logits beyond exp": lambda x: finite_size(x) > 700,
    "huge logits": lambda x: finite_size(x) > 1e4,
    "far from each other": lambda x: len(x) and (np.ptp(np.nan_to_num(x), axis=1) > 88).any(),
    "equal maxima": lambda x: len(x) and ((x == x.max(axis=1, keepdims=True)).sum(axis=1) > 1).any(),
    "subnormal logits": lambda x: ((x != 0) & (np.abs(x) < 1e-37)).any(),
    "more than three rows": lambda x: len(x) > 3,
}


def raises(when: Callable[[Array], Any], x: Array, y: Array) -> Any:
    if when(x):
        raise ValueError("not this one")
    return right(x, y)


def gives_nothing(when: Callable[[Array], Any], x: Array, y: Array) -> Any:
    return None if when(x) else right(x, y)


def turns(when: Callable[[Array], Any], x: Array, y: Array) -> Any:
    loss, gradient = right(x, y)
    return loss, gradient[None] if when(x) else gradient


@pytest.mark.parametrize(
    ("failing", "dtype"), [(raises, "float32"), (raises, "float64"), (gives_nothing, "float64"), (turns, "float32")]
)
@pytest.mark.parametrize("where", UNANSWERED)
def test_right_answers_and_others_missing_are_no_known_defect(
    where: str, failing: Any, dtype: str, diagnosed: Any
) -> None:
    found = diagnosed(lambda x, y: failing(UNANSWERED[where], x, y), dtype, [RETURNS])
    assert (found.alternatives, found.side_effects) == ((), ())
    assert (found.n_wrong, found.unexplained) == (0, (RETURNS,))
    told = "\n".join(diagnosis_lines(found, specimens()))
    assert f"none of them wrong; {found.n_raised} more raise" in told or not found.n_raised


def nan_for_one_class(x: Array, y: Array) -> Any:
    loss, gradient = right(x, y)
    return (loss, gradient * x.dtype.type(np.nan)) if x.shape[1] == 1 else (loss, gradient)


def wipes_its_logits(x: Array, y: Array) -> Any:
    answer = right(x, y)
    x[...] = 0
    return answer


def refuses_no_rows(x: Array, y: Array) -> Any:
    return raises(lambda x: not len(x), x, y)


@pytest.mark.parametrize(
    ("function", "dtype"), in_one_dtype_first([nan_for_one_class, wipes_its_logits, refuses_no_rows])
)
def test_what_no_defect_predicts_gets_no_name(function: Any, dtype: str, diagnosed: Any) -> None:
    assert diagnosed(function, dtype, [RETURNS, "leaves_its_inputs_alone"]).defects == ()


def hessian(x: Array, y: Array, **asked: Any) -> Any:
    if x.shape[1] == 1:
        raise ValueError("one class")
    return hessian_by_outer_products(x, y, **asked)


def test_a_derivative_that_is_right_where_it_is_given_is_no_known_formula() -> None:
    claims = claims_from({"derivative": "hessian", "dtypes": "float64", "options": ["sample_weights"]})
    problems = [one for one in problems_for(claims, "float64", "quick", 0) if one.objective.sample_weights is None]
    found = diagnose(Implementation("hessian", hessian, claims), problems, [RETURNS])
    assert (found.alternatives, found.n_wrong) == ((), 0)
    assert found.n_raised > 0
    assert found.unexplained == (RETURNS,)


def zero(x: Array, y: Array, **asked: Any) -> Any:
    return right(x, y)[0], np.zeros_like(x)


def uniform(x: Array, y: Array, **asked: Any) -> Any:
    return right(0 * x, y)


def signs(x: Array, y: Array, **asked: Any) -> Any:
    return right(x, y)[0], np.sign(right(x, y)[1])


def not_a_number(x: Array, y: Array, **asked: Any) -> Any:
    return right(x, y)[0], np.full_like(x, np.nan)


def without_labels(x: Array, y: Array, **asked: Any) -> Any:
    return right(x, 0 * y)


def never(x: Array, y: Array, **asked: Any) -> Any:
    raise ValueError("never")


TRUE = {  # of the functions below: labels are read by NumPy's indexing, and no upstream gradient is looked at
    zero: {"labels_broadcast"},
    uniform: {"labels_broadcast", "labels_wrap", "upstream_of_the_loss_ignored"},
    signs: {"labels_broadcast", "labels_wrap", "upstream_of_the_loss_ignored"},
    not_a_number: set[str](),
    never: {"empty_batch_refused"},
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", TRUE)
def test_probes_take_a_gradient_that_is_always_the_same_for_no_side_effect(function: Any, dtype: str) -> None:
    side = side_of(Implementation("anonymous", function, claims_from({"dtypes": dtype})), as_dtype(dtype))
    seen = {probe(side) for probes in PROBES.values() for probe in probes} - {None}
    assert seen == TRUE[function]


def test_what_is_wrong_on_small_problems_too_is_no_mistake_of_a_size_nor_of_a_label(diagnosed: Any) -> None:
    found = diagnosed(without_labels, "float64", ["answer_is_right_at_this_size", "refuses_bad_labels"])
    assert not {"label_in_sixteen_bits", "labels_wrap"} & set(found.defects)


def labels_above_127_are_lost_in_small_batches(x: Array, y: Array, reduction: str = "mean") -> Any:
    return right(x, np.where(y > 127, 0, y) if len(y) < 4 else y)


def test_what_answers_one_problem_as_a_specimen_and_others_not_is_not_that_specimen(diagnosed: Any) -> None:
    found = diagnosed(labels_above_127_are_lost_in_small_batches, "float64", ["answer_is_right_at_this_size"])
    assert found.n_wrong > 0
    assert "label_in_sixteen_bits" not in found.defects


@pytest.mark.parametrize("n_fresh", [1, 3, 6])
def test_an_answer_that_is_given_again_is_not_called_overwritten(diagnosed: Any, n_fresh: int) -> None:
    kept: dict[tuple[int, ...], list[Any]] = {}

    def remembers(x: Array, y: Array) -> Any:
        answers = kept.setdefault(x.shape, [])
        if len(answers) < n_fresh:
            answers.append(right(x, y))
        return answers[-1]

    found = diagnosed(remembers, "float64", ["earlier_answers_stay_as_they_were"])
    assert "buffer_returned" not in found.side_effects


@pytest.mark.parametrize(
    ("dtype", "said"),
    [(np.uint8, "y mod 256"), (np.int8, "y is kept in 8 bits with a sign: classes 128 to 255 become -128 to -1")],
)
def test_what_is_said_of_a_label_in_eight_bits_is_true_of_its_sign(diagnosed: Any, dtype: Any, said: str) -> None:
    def narrow(x: Array, y: Array) -> Any:
        return right(x, y.astype(dtype).astype(np.int64) % x.shape[1])

    lines = list(diagnosis_lines(diagnosed(narrow, "float64", ["loss_is_right", "gradient_is_right"]), specimens()))
    assert any(f"label_in_eight_bits: {said}" in line for line in lines)


def in_lanes_of_four(x: Array, y: Array) -> Any:
    """Filled up with zeros, which count in the sum and in the largest logit."""
    filled = np.concatenate([x, np.zeros((len(x), -x.shape[1] % 4), x.dtype)], axis=1)
    loss, gradient = right(filled, y)
    return loss, gradient[:, : x.shape[1]]


def test_a_defect_is_not_named_for_the_room_that_it_leaves_to_another(diagnosed: Any) -> None:
    found = diagnosed(in_lanes_of_four, "float64", ["loss_is_right", "gradient_is_right"])
    assert "sequential_half_mean" not in {name for one in found.alternatives for name in one.defects}


def test_drawing_from_the_global_generator_is_not_called_seeding(diagnosed: Any) -> None:
    def draws(x: Array, y: Array) -> Any:
        np.random.normal(size=5)  # the mistake
        return right(x, y)

    assert not diagnosed(draws, "float64", ["leaves_the_process_as_it_was"]).is_explained


def a_pick_in_each_half(x: Array, y: Array, **asked: Any) -> Any:
    """As two processes with half of the classes each, both of which pick a logit; no mask but of a class of its own."""
    half = max(1, x.shape[1] // 2)
    shifted = x - x.max(axis=1, keepdims=True)
    picked = np.zeros(len(x), x.dtype)
    gradient = softmax(x)
    for start in {0, half if half < x.shape[1] else 0}:
        at = (np.arange(len(x)), np.minimum(start + y % half, x.shape[1] - 1))
        picked += shifted[at]
        gradient[at] -= 1
    losses = np.log(np.exp(shifted).sum(axis=1)) - picked
    return losses.mean(), gradient / x.dtype.type(len(x))


def entries_in_order(x: Array, y: Array, **asked: Any) -> Any:
    loss, gradient = right(x, y)
    return 3 - loss, np.sort(gradient, axis=1)


@pytest.mark.parametrize("function", [a_pick_in_each_half, entries_in_order])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_set_of_defects_that_foresees_nothing_is_not_named(function: Any, dtype: str) -> None:
    problems = problems_in_run(Claims(), dtype, PROFILES["smoke"], 0)
    found = diagnose(Implementation("mine", function), problems, ["loss_is_right", "gradient_is_right"])
    assert found.n_wrong > 0
    assert found.alternatives == ()


@pytest.mark.parametrize("least", [-70, -80])
def test_small_probabilities_that_are_lost_are_no_rounding_to_a_coarser_dtype(least: int) -> None:
    """A large answer, in which a coarse model foretells 0 as well, does not outvote several small ones."""

    def lost(x: Array, y: Array) -> Any:
        p = softmax(x)
        return reduced(
            row_losses(x, y), minus_one_hot(np.where(x - x.max(axis=1, keepdims=True) < least, 0, p), y), "mean"
        )

    problems = problems_in_run(Claims(), "float32", PROFILES["quick"], 0)
    found = diagnose(Implementation("mine", lost), problems, ["gradient_within_forward_error"])
    assert found.n_wrong > 0
    assert "stored_before_subtracting" not in found.defects


def test_a_few_problems_are_enough_for_a_sum_that_overflows() -> None:
    problems = problems_in_run(Claims(), "float32", PROFILES["smoke"], 0)
    implementation = Implementation("mine", specimens()["no_shift"].function)
    assert "no_shift" in diagnose(implementation, problems, ["loss_within_forward_error"]).defects
