"""The enclosures of the layer: they contain the exact answers, worked out again in 6000 bits, and they are narrow."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from flint import arb, ctx

from gradlab.layer.oracle.answers import Skeleton
from gradlab.layer.oracle.balls import answer_by_balls
from gradlab.layer.oracle.fast import answer_by_slices
from gradlab.layer.oracle.truth import LayerTruth, enclose_layer, enclose_layer_by_balls
from gradlab.layer.problem import OUTPUTS, LayerProblem, Penalty
from gradlab.oracle.intervals import Enclosures, ldexp
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype
from gradlab.problems.objective import Objective
from tests.layer.brute_force import BITS, Exact, exact_answers
from tests.layer.random_problems import RANGES, random_problem

RNG = np.random.default_rng(7)
X, W, B = RNG.standard_normal((4, 3)), RNG.standard_normal((3, 5)), RNG.standard_normal(5)
LABELS = np.array([0, 4, 2, 1])
PLAIN = LayerProblem(X, W, B, LABELS)
LARGE = LayerProblem(RNG.standard_normal((20, 9)), RNG.standard_normal((9, 30)), None, RNG.integers(0, 30, 20))


def flat(values: object) -> list[arb]:
    if isinstance(values, list):
        return [one for part in values for one in flat(part)]
    assert isinstance(values, arb)
    return [values]


def outside(values: Enclosures, exact: object) -> int:
    """How many of the exact values are not in their enclosures; an infinity contains nothing that is finite."""
    columns = [part.ravel().tolist() for part in (values.high, values.low, values.radius, values.exponent)]
    n_outside = 0
    with ctx.workprec(BITS):
        for high, low, radius, exponent, value in zip(*columns, flat(exact), strict=True):
            distance = abs(arb(high) + arb(low) - value * arb((1, -exponent)))
            n_outside += not math.isfinite(high) or bool(distance > radius)
    return n_outside


def wrong_outputs(truth: LayerTruth, exact: Exact) -> list[str]:
    return [name for name in OUTPUTS if outside(truth.output(name), getattr(exact, name))]


def with_values(problem: LayerProblem) -> bool:
    """Whether every row has a finite loss, and the mean is over something."""
    return Skeleton(problem).has_loss


@pytest.mark.parametrize(("dtype", "kind"), [*product(DTYPE_NAMES, RANGES)])
def test_the_enclosures_contain_the_exact_answers(dtype: str, kind: str) -> None:
    rng = np.random.default_rng([DTYPE_NAMES.index(dtype), RANGES.index(kind)])
    problems = [problem for problem in (random_problem(rng, dtype, kind) for _ in range(8)) if with_values(problem)]
    assert len(problems) >= 3
    for problem in problems:
        exact = exact_answers(problem)
        assert wrong_outputs(enclose_layer_by_balls(problem), exact) == []
        assert wrong_outputs(enclose_layer(problem), exact) == []
        answers = answer_by_slices(Skeleton(problem))
        if answers is not None:
            assert [outside(getattr(answers, name), getattr(exact, name)) for name in OUTPUTS[1:]] == [0, 0, 0]


def test_the_test_finds_a_value_beside_its_enclosure() -> None:
    exact = exact_answers(PLAIN)
    assert isinstance(exact.loss, arb)
    with ctx.workprec(BITS):
        exact.dW[1][2] *= 1 + arb((1, -70))
        exact.db[0] *= 1 + arb((1, -200))
    assert wrong_outputs(enclose_layer_by_balls(PLAIN), exact) == ["dW"]
    with ctx.workprec(BITS):
        exact.loss *= 1 + arb((1, -70))
    assert wrong_outputs(enclose_layer_by_balls(PLAIN), exact) == ["loss", "dW"]


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("objective", [Objective(), Objective("sum", label_smoothing=0.1)], ids=["labels", "smoothed"])
def test_slices_and_balls_overlap_and_are_narrow(dtype: str, objective: Objective) -> None:
    cast = as_dtype(dtype)
    problem = LayerProblem(LARGE.features.astype(cast), LARGE.weight.astype(cast), None, LARGE.targets, objective)
    sliced, balls = answer_by_slices(Skeleton(problem)), answer_by_balls(Skeleton(problem))
    assert sliced is not None
    for name in OUTPUTS[1:]:
        one, other = getattr(sliced, name), getattr(balls, name)
        with np.errstate(all="ignore"):
            apart = np.abs(one.nearest() - other.nearest())
        largest = np.abs(other.nearest()).max()
        assert (apart <= 2.0**-50 * largest).all()
        assert (ldexp(one.radius, one.exponent) <= 2.0**-75 * largest).all()


def test_a_nan_in_the_features_takes_its_row_and_the_sums_away() -> None:
    problem = PLAIN.replace(features=np.where(np.arange(4)[:, None] == 1, math.nan, X))
    truth = enclose_layer(problem)
    assert np.isnan(truth.dX.high[1]).all()
    assert not np.isnan(truth.dX.high[[0, 2, 3]]).any()
    assert all(np.isnan(truth.output(name).high).all() for name in ("loss", "dW", "db"))


def test_an_ignored_row_counts_for_nothing_whatever_is_in_it() -> None:
    objective = Objective(ignore_index=-100)
    features, targets = X.copy(), LABELS.copy()
    features[1], targets[1] = math.nan, -100
    truth = enclose_layer(PLAIN.replace(features=features, targets=targets, objective=objective))
    expected = enclose_layer(PLAIN.rows(np.array([0, 2, 3])))
    for name in ("loss", "dW", "db"):
        assert truth.output(name).nearest().tolist() == expected.output(name).nearest().tolist()
    assert truth.dX.nearest().tolist()[1] == [0.0] * 3


@pytest.mark.parametrize("penalty", [Penalty(), Penalty(0.5)], ids=["plain", "penalised"])
def test_a_mean_over_nothing_is_nan_with_the_gradients_of_the_penalty(penalty: Penalty) -> None:
    targets = np.full(4, -100)
    truth = enclose_layer(PLAIN.replace(targets=targets, objective=Objective(ignore_index=-100), penalty=penalty))
    assert math.isnan(truth.loss.high[()])
    assert not truth.dX.nearest().any()
    assert not truth.db.nearest().any()
    assert truth.dW.nearest().tolist() == (penalty.slope * W).tolist()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_parameters_without_a_value_leave_none_to_the_rows_that_count(value: float) -> None:
    weight = W.copy()
    weight[0, 0] = value
    objective = Objective(ignore_index=4)
    truth = enclose_layer(PLAIN.replace(weight=weight, objective=objective))
    assert np.isnan(truth.dX.high).tolist() == [[True] * 3, [False] * 3, [True] * 3, [True] * 3]
    assert np.isnan(truth.dW.high).all()


def test_a_masked_class_has_no_part_in_the_gradients() -> None:
    bias = B.copy()
    bias[3] = -math.inf
    truth = enclose_layer(PLAIN.replace(bias=bias))
    kept = [0, 1, 2, 4]
    labels = np.array([0, 3, 2, 1])
    expected = enclose_layer(PLAIN.replace(weight=W[:, kept], bias=bias[kept], targets=labels))
    assert not truth.dW.nearest()[:, 3].any()
    assert truth.dX.nearest() == pytest.approx(expected.dX.nearest(), rel=1e-14)
    assert truth.loss.nearest() == pytest.approx(expected.loss.nearest(), rel=1e-14)


def test_a_masked_target_has_infinite_loss_and_finite_gradients() -> None:
    bias = np.where(np.arange(5) == 2, -math.inf, B)
    truth = enclose_layer(PLAIN.replace(bias=bias))
    assert truth.loss.high[()] == math.inf
    assert np.isfinite(truth.dW.nearest()).all()
    rows = enclose_layer(PLAIN.replace(bias=bias, objective=Objective("none"))).loss.nearest()
    assert np.isinf(rows).tolist() == [False, False, True, False]


def test_an_empty_batch_has_a_sum_of_zero_and_no_mean() -> None:
    empty = PLAIN.rows(slice(0, 0))
    assert math.isnan(enclose_layer(empty).loss.high[()])
    truth = enclose_layer(empty.replace(objective=Objective("sum"), penalty=Penalty(2.0)))
    assert truth.loss.nearest() == pytest.approx((W**2).sum())
    assert truth.dX.shape == (0, 3)
    assert truth.dW.nearest().tolist() == (2 * W).tolist()


def test_one_class_leaves_nothing_to_learn() -> None:
    problem = LayerProblem(X, W[:, :1], None, np.zeros(4, int))
    truth = enclose_layer(problem)
    assert truth.loss.nearest() == 0
    assert not truth.dW.nearest().any()


def test_the_penalty_may_or_may_not_be_halved_and_take_the_bias() -> None:
    for halved, takes_bias in product((True, False), repeat=2):
        problem = replace(PLAIN, penalty=Penalty(0.25, halved, takes_bias))
        plain, truth = enclose_layer(PLAIN), enclose_layer(problem)
        squares = (W**2).sum() + takes_bias * (B**2).sum()
        slope = 0.25 if halved else 0.5
        assert truth.loss.nearest() - plain.loss.nearest() == pytest.approx(slope / 2 * squares, rel=1e-13)
        assert truth.dW.nearest() - plain.dW.nearest() == pytest.approx(slope * W, rel=1e-12)
        assert truth.db.nearest() - plain.db.nearest() == pytest.approx(takes_bias * slope * B, rel=1e-12)


def test_a_product_beyond_float64_is_enclosed_by_balls() -> None:
    problem = LayerProblem(X * 2.0**600, W * 2.0**600, B, LABELS)
    assert answer_by_slices(Skeleton(problem)) is None
    assert wrong_outputs(enclose_layer(problem), exact_answers(problem)) == []
