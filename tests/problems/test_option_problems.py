"""The problems with options: every option is there, alone and with others, at its edges."""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.evaluation.claims import OPTIONS
from gradlab.problems.coefficients import denominator_of, denominators_of
from gradlab.problems.dtypes import DTYPE_NAMES, format_of
from gradlab.problems.families.options import UNUSED, USED, one_hot, option_problems
from gradlab.problems.options import MEANS, PER_ROW_OPTIONS, REDUCTIONS
from gradlab.problems.problem import Problem


def drawn(dtype: str = "float32", reduction: str = "mean") -> list[Problem]:
    return option_problems(format_of(dtype), 0, reduction)


def going_with(option: str) -> str:
    """A reduction that an option goes with: the mean, where it can be."""
    allowed = PER_ROW_OPTIONS[option].reductions if option in PER_ROW_OPTIONS else REDUCTIONS
    return "mean" if "mean" in allowed else allowed[0]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_all_have_the_reduction_and_the_dtype_asked_for(dtype: str, reduction: str) -> None:
    found = drawn(dtype, reduction)
    assert {problem.objective.reduction for problem in found} == {reduction}
    assert {problem.logits.dtype for problem in found} == {format_of(dtype).dtype}


def test_an_unknown_reduction_is_refused() -> None:
    with pytest.raises(ValueError, match="reduction must be one of"):
        drawn(reduction="median")


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_the_same_seed_gives_the_same_problems(dtype: str) -> None:
    assert [problem.digest for problem in drawn(dtype)] == [problem.digest for problem in drawn(dtype)]


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_no_problem_comes_twice(dtype: str) -> None:
    digests = [problem.digest for problem in drawn(dtype)]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_comes_alone_on_moderate_and_on_other_logits(option: str) -> None:
    alone = [
        p
        for p in drawn(reduction=going_with(option))
        if set(p.objective.options) == {option} and p.objective.targets == "index"
    ]
    assert {problem.is_moderate for problem in alone} == {True, False}
    assert {problem.family for problem in alone} == {option}


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_comes_with_another(option: str) -> None:
    problems = drawn(reduction=going_with(option))
    assert any(option in p.objective.options and len(p.objective.options) > 1 for p in problems)


def test_smoothing_is_tried_in_part_and_in_whole() -> None:
    assert {0.1, 1.0} <= {problem.objective.label_smoothing for problem in drawn()}


def test_a_label_has_the_weight_0_and_the_denominator_is_not() -> None:
    weighted = [p for p in drawn() if p.objective.class_weights and p.objective.targets == "index"]
    kept = [np.array(p.objective.class_weights)[p.targets[~p.ignored_rows]] for p in weighted]
    assert all(weights.sum() > 0 for weights in kept)
    assert any((weights == 0).any() for weights in kept)


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_weights_are_exact_in_every_dtype(dtype: str) -> None:
    weights = np.array(next(p.objective.class_weights for p in drawn(dtype) if p.objective.class_weights))
    assert np.array_equal(weights.astype(format_of(dtype).dtype).astype(np.float64), weights)


def test_one_row_some_rows_and_all_rows_are_ignored() -> None:
    shares = {float(p.ignored_rows.mean()) for p in drawn() if p.objective.ignore_index is not None}
    assert {0.25, 1.0} <= shares


def test_the_ignored_label_is_a_class_or_none() -> None:
    assert {None, UNUSED, USED, 0, -1, 5, 255} <= {p.objective.ignore_index for p in drawn()}
    assert not 0 <= UNUSED < 5
    assert 0 <= USED < 5


def test_an_ignored_row_may_hold_nan_and_with_other_options_one_that_counts() -> None:
    lost = [p for p in drawn() if not p.rows_with_value.all()]
    counting: dict[bool, list[set[str]]] = {True: [], False: []}
    for p in lost:
        counting[bool((p.rows_with_value | p.ignored_rows).all())].append(set(p.objective.options))
    assert counting[True] == [{"ignore_index"}]
    alone = {"label_smoothing", "class_weights", "sample_weights"}
    assert all(len(options) == 1 and options <= alone for options in counting[False])
    assert {name for options in counting[False] for name in options} == alone


def test_there_are_more_rows_and_more_classes_than_a_block_holds_with_every_option_alone() -> None:
    large = [p for p in drawn(reduction="none") if p.logits.size > 500]
    assert {(p.family, p.n_rows > 256) for p in large} == {
        (name, many) for name in (*OPTIONS, "reduction", "probability") for many in (True, False)
    }


def test_no_row_whose_number_is_0_holds_anything_infinite() -> None:
    for p in drawn(reduction="none"):
        for values in p.objective.per_row_options.values():
            assert np.isfinite(p.logits64[np.array(values) == 0]).all()


@pytest.mark.parametrize("rule", MEANS)
def test_sample_weights_tell_the_rules_of_the_mean_apart(rule: str) -> None:
    problems = option_problems(format_of("float64"), 0, "mean", rule)
    assert {p.objective.mean_over for p in problems} == {rule}
    others = [[denominators_of(p, one).sum() for one in MEANS if one != rule] for p in problems]
    own = [denominator_of(p) for p in problems]
    assert any(value not in other for value, other in zip(own, others, strict=True))


def test_probabilities_sum_to_1_to_more_and_to_0_and_some_are_0() -> None:
    rows = np.concatenate([p.targets.sum(axis=1) for p in drawn() if p.objective.targets == "probability"])
    assert (np.abs(rows - 1) < 1e-6).any()
    assert (rows > 1.1).any()
    assert (rows == 0).any()


def test_a_masked_class_may_have_a_share_or_none() -> None:
    shares = [p.targets[p.logits64 == -np.inf] for p in drawn() if p.objective.targets == "probability"]
    assert {bool(share > 0) for found in shares for share in found} == {True, False}


def test_one_hot_spells_labels_as_probabilities() -> None:
    problem = Problem(np.zeros((2, 3), np.float32), np.array([2, 0]))
    spelled = one_hot(problem)
    assert spelled.targets.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert spelled.objective.targets == "probability"
    assert spelled.targets.dtype == np.float32


def test_one_hot_of_an_empty_batch_is_empty() -> None:
    assert one_hot(Problem(np.zeros((0, 3)), np.array([]))).targets.shape == (0, 3)
