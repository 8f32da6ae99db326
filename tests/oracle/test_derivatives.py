"""The enclosures of other derivatives than the gradient: against mpmath, differences, and the rules of the domain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest

from gradlab.oracle.enclosure import enclose
from gradlab.oracle.ulp import error_in_ulp, is_narrow
from gradlab.problems.dtypes import as_dtype, format_of
from gradlab.problems.families.vectors import with_vector
from gradlab.problems.objective import DERIVATIVES, Objective
from gradlab.problems.problem import Array, Problem

OTHERS = tuple(name for name in DERIVATIVES if name != "gradient")
ROWS = np.array([[0.0, 1.0, -2.0], [40.0, 0.0, 39.0], [-700.0, 50.0, 0.25], [3.0, 3.0, 3.0]])
SHARES = np.array([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0], [0.0, 2.0, 0.5], [0.0, 0.0, 0.0]])
WEIGHTS = (0.3, 2.0, 0.0)
VECTOR = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])
OBJECTIVES = {
    "mean": Objective(),
    "sum-smoothed-weighted": Objective("sum", "index", 0.1, WEIGHTS),
    "weighted": Objective("mean", "index", 0.0, (0.3, 2.0, 1.0)),
    "none-soft": Objective("none", "probability"),
    "soft-everything": Objective("mean", "probability", 0.25, WEIGHTS),
    "rows-weighted": Objective("mean", "index", 0.1, (0.3, 2.0, 1.0), sample_weights=(0.3, 2.0, 0.0, 7.0)),
    "rows-soft": Objective("mean", "probability", sample_weights=(0.3, 2.0, 0.0, 7.0)),
}


def asking(objective: Objective, derivative: str, logits: Array = ROWS) -> Problem:
    targets = SHARES.astype(logits.dtype) if objective.targets == "probability" else np.array([0, 1, 2, 1])
    problem = Problem(logits, targets, objective)
    if derivative == "hessian_vector_product":
        return with_vector(problem)
    return problem.replace(objective=replace(objective, derivative=derivative))


def exact_row(problem: Problem, row: int) -> dict[str, Any]:
    """Every derivative of a row's own loss by mpmath, at 60 digits."""
    objective, n = problem.objective, problem.n_classes
    x = [mpmath.mpf(float(one)) for one in problem.logits[row]]
    e = [mpmath.exp(one - max(x)) for one in x]
    p = [one / mpmath.fsum(e) for one in e]
    w = [mpmath.mpf(one) for one in objective.class_weights or (1.0,) * n]
    eps = mpmath.mpf(objective.label_smoothing)
    if objective.targets == "index":
        q = [mpmath.mpf(int(j == problem.targets[row])) for j in range(n)]
    else:
        q = [mpmath.mpf(float(one)) for one in problem.targets[row]]
    s = row_weights(problem)[row]
    mass = s * mpmath.fsum(w[j] * ((1 - eps) * q[j] + eps / n) for j in range(n))
    second = [[mass * p[i] * ((i == j) - p[j]) for j in range(n)] for i in range(n)]
    v = [mpmath.mpf(0)] * n if problem.vector is None else [mpmath.mpf(float(one)) for one in problem.vector[row]]
    return {
        "hessian": second,
        "hessian_diagonal": [second[i][i] for i in range(n)],
        "hessian_vector_product": [mpmath.fsum(second[i][j] * v[j] for j in range(n)) for i in range(n)],
        "target_gradient": [-s * w[j] * (1 - eps) * mpmath.log(p[j]) for j in range(n)],
    }


def row_weights(problem: Problem) -> list[Any]:
    return [mpmath.mpf(one) for one in problem.objective.sample_weights or (1.0,) * problem.n_rows]


def divisor(problem: Problem) -> Any:
    weights, own = problem.objective.class_weights, row_weights(problem)
    if problem.objective.reduction != "mean":
        return mpmath.mpf(1)
    if problem.objective.targets == "probability" or weights is None:
        return mpmath.fsum(own)
    return mpmath.fsum(s * mpmath.mpf(weights[label]) for s, label in zip(own, problem.targets, strict=True))


CASES = [
    (name, derivative)
    for name, objective in OBJECTIVES.items()
    for derivative in OTHERS
    if derivative != "target_gradient" or objective.targets == "probability"
]


@pytest.mark.parametrize(("name", "derivative"), CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_enclosure_holds_what_mpmath_finds(name: str, derivative: str, dtype: str) -> None:
    problem = asking(OBJECTIVES[name], derivative, ROWS.astype(dtype))
    found = enclose(problem).derivative
    with mpmath.workdps(700):  # 1 - p_j, where p_j is 1 - exp(-750)
        scale = divisor(problem)
        exact = np.array([exact_row(problem, row)[derivative] for row in range(4)], dtype=object) / scale
        for index in np.ndindex(*exact.shape):
            middle = mpmath.mpf(float(found.high[index])) + mpmath.mpf(float(found.low[index]))
            unit = mpmath.mpf(2) ** int(found.exponent[index])
            reach = (mpmath.mpf(float(found.radius[index])) + mpmath.mpf(2) ** -100) * unit
            assert abs(middle * unit - exact[index]) <= reach, index


@pytest.mark.parametrize("derivative", OTHERS)
@pytest.mark.parametrize("samples", [(1.0, 1.0), (0.25, 0.25), (1.0, 0.0), (3.0, 5.0)])
def test_a_mean_is_the_sum_over_its_denominator_whatever_that_is(samples: tuple[float, ...], derivative: str) -> None:
    found = []
    for reduction in ("mean", "sum"):
        plain = Problem(ROWS[:2], SHARES[:2], Objective(reduction, "probability", sample_weights=samples))
        if derivative == "hessian_vector_product":
            asked = plain.replace(objective=replace(plain.objective, derivative=derivative), vector=VECTOR)
        else:
            asked = plain.replace(objective=replace(plain.objective, derivative=derivative))
        found.append(enclose(asked).derivative.nearest())
    np.testing.assert_allclose(found[0], found[1] / sum(samples), rtol=2.0**-51, atol=0)
    assert (found[1] != 0).any()


@pytest.mark.parametrize("derivative", OTHERS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_every_entry_is_narrow_zero_too(derivative: str, dtype: str) -> None:
    problem = asking(OBJECTIVES["soft-everything"], derivative, ROWS.astype(as_dtype(dtype)))
    assert is_narrow(enclose(problem).derivative, format_of(dtype)).all()


@pytest.mark.parametrize("derivative", ["hessian", "hessian_diagonal", "hessian_vector_product"])
def test_a_small_entry_is_held_to_its_own_last_place(derivative: str) -> None:
    problem = asking(Objective("none"), derivative, np.array([[0.0, -80.0, -500.0]] * 4))
    truth = enclose(problem).derivative
    assert (error_in_ulp(truth.nearest(), truth, format_of("float64")) <= 0.5 + 2.0**-19).all()
    assert (truth.nearest() != 0).any()


LOST = np.array([[0.0, np.nan, 1.0], [np.inf, 0.0, 0.0], [-np.inf] * 3, [1.0, 2.0, 3.0]])


@pytest.mark.parametrize("derivative", OTHERS)
def test_a_row_without_a_value_is_nan_and_no_other(derivative: str) -> None:
    found = enclose(asking(OBJECTIVES["none-soft"], derivative, LOST)).derivative.nearest().reshape(4, -1)
    assert np.isnan(found[:3]).all()
    assert np.isfinite(found[3]).all()


MASKED = np.array([[0.0, -np.inf, 1.0]] * 4)


@pytest.mark.parametrize("derivative", ["hessian", "hessian_diagonal", "hessian_vector_product"])
def test_a_masked_class_takes_no_part(derivative: str) -> None:
    found = enclose(asking(OBJECTIVES["none-soft"], derivative, MASKED)).derivative.nearest()
    assert (found[:, 1] == 0).all()
    pair = enclose(asking(OBJECTIVES["none-soft"], derivative, MASKED)).derivative.nearest()[0]
    assert (np.abs(pair) > 0).any() or derivative == "hessian_vector_product"


@pytest.mark.parametrize("name", ["none-soft", "soft-everything", "sum-smoothed-weighted", "weighted"])
@pytest.mark.parametrize("derivative", ["hessian", "hessian_diagonal", "hessian_vector_product"])
def test_what_a_masked_class_has_of_the_target_counts_in_the_mass(name: str, derivative: str) -> None:
    problem = asking(OBJECTIVES[name], derivative, MASKED)
    found = enclose(problem).derivative
    with mpmath.workdps(700):
        # as if the masked class were so low that its probability is 0: its target is in A all the same
        low = problem.replace(logits=np.where(np.isinf(MASKED), -1e9, MASKED))
        exact = np.array([exact_row(low, row)[derivative] for row in range(4)], dtype=object) / divisor(problem)
    kept = np.ones(found.shape, dtype=bool)
    kept[:, 1] = False
    if derivative == "hessian":
        kept[:, :, 1] = False
    np.testing.assert_allclose(found.nearest()[kept], exact[kept].astype(np.float64), rtol=2.0**-50, atol=1e-300)
    assert (exact[kept] != 0).any()


def test_the_target_gradient_of_a_masked_class_is_infinite_unless_it_counts_for_nothing() -> None:
    plain = enclose(asking(OBJECTIVES["none-soft"], "target_gradient", MASKED)).derivative.nearest()
    assert (plain[:, 1] == np.inf).all()
    assert np.isfinite(plain[:, [0, 2]]).all()
    unweighted = Objective("none", "probability", 0.0, (1.0, 0.0, 1.0))
    assert (enclose(asking(unweighted, "target_gradient", MASKED)).derivative.nearest()[:, 1] == 0).all()
    nearly = Objective("none", "probability", 0.99)
    assert (enclose(asking(nearly, "target_gradient", MASKED)).derivative.nearest()[:, 1] == np.inf).all()
    uniform = Objective("none", "probability", 1.0)
    assert (enclose(asking(uniform, "target_gradient", MASKED)).derivative.nearest() == 0).all()


@pytest.mark.parametrize("derivative", ["hessian", "hessian_diagonal", "hessian_vector_product"])
def test_an_ignored_row_is_zero_and_a_mean_of_nothing_else_nan(derivative: str) -> None:
    some = Problem(ROWS, np.array([0, -7, 2, 1]), Objective(ignore_index=-7))
    every = some.replace(targets=np.full(4, -7))
    for problem in (some, every):
        asked = with_vector(problem)
        if derivative != "hessian_vector_product":
            asked = problem.replace(objective=replace(problem.objective, derivative=derivative))
        found = enclose(asked).derivative.nearest()
        assert (found[asked.ignored_rows] == 0).all()
        assert np.isfinite(found).all()


def test_the_gradient_s_own_derivative_is_the_gradient() -> None:
    truth = enclose(asking(Objective(), "gradient"))
    assert truth.derivative is truth.gradient


def test_truths_with_another_vector_are_not_mixed_up() -> None:
    first = with_vector(Problem(ROWS, np.array([0, 1, 2, 1])))
    second = first.replace(vector=np.eye(4, 3))
    assert enclose(first).derivative.nearest().tolist() != enclose(second).derivative.nearest().tolist()
