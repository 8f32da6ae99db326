"""The proved bounds of the layer: sound code in any order stays below them, wrong code does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradlab.layer.bounds.arithmetic import ACCUMULATES_IN, arithmetic
from gradlab.layer.bounds.proved import proved_bounds, proved_loss
from gradlab.layer.oracle.answers import Skeleton
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import OUTPUTS, LayerProblem, Penalty
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype, format_of
from gradlab.problems.problem import Array
from tests.layer.random_problems import RANGES, random_problem
from tools.layer.forms import FORMS, Form, Outputs, by_blas, compute


def normal_problem(dtype: str = "float32", shape: tuple[int, int, int] = (12, 9, 7)) -> LayerProblem:
    rng = np.random.default_rng(shape)
    cast = as_dtype(dtype)
    X, W = (rng.standard_normal(size).astype(cast) for size in (shape[:2], shape[1:]))
    b, labels = rng.standard_normal(shape[2]).astype(cast), rng.integers(0, shape[2], shape[0])
    return LayerProblem(X, W, b, labels, penalty=Penalty(0.1))


def ratios(problem: LayerProblem, found: Outputs, accumulates_in: str | None = None) -> dict[str, float]:
    """The largest error over bound of each output."""
    truth, bounds = enclose_layer(problem), proved_bounds(problem, accumulates_in)
    return {name: largest_ratio(found[name], truth.output(name), bounds.output(name).error) for name in OUTPUTS}


def largest_ratio(found: Array, exact: object, bound: Array) -> float:
    error = absolute_error(found, exact)  # type: ignore[arg-type]  # Enclosures
    with np.errstate(all="ignore"):
        return float(np.where((error == 0) | np.isinf(bound), 0.0, error / bound).max(initial=0.0))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_sound_code_is_within_the_bounds(dtype: str, form: Form) -> None:
    rng = np.random.default_rng([FORMS.index(form), DTYPE_NAMES.index(dtype)])
    problems = [random_problem(rng, dtype, kind) for kind in (*RANGES, *RANGES)]
    problems = [one for one in problems if Skeleton(one).has_mean]
    assert len(problems) >= 6
    for problem in problems:
        assert max(ratios(problem, compute(form, problem)).values()) <= 1


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_bounds_are_known_where_nothing_overflows(dtype: str) -> None:
    bounds = proved_bounds(normal_problem(dtype))
    assert all(np.isfinite(bound.error).all() and (bound.error > 0).all() for bound in bounds)
    assert all("any order of summation" in bound.source for bound in bounds)


WRONG: dict[str, Callable[[Outputs, LayerProblem], None]] = {
    "sign of dX": lambda found, problem: found.update(dX=-found["dX"]),
    "dW not averaged": lambda found, problem: found.update(dW=found["dW"] * problem.n_rows),
    "dW off by a thousandth": lambda found, problem: found.update(dW=found["dW"] * np.float32(1.001)),
    "db of one row": lambda found, problem: found.update(db=found["db"] / problem.n_rows),
    "no penalty in the loss": lambda found, problem: found.update(
        loss=found["loss"] - np.float32(0.05 * (problem.weight64**2).sum())
    ),
    "penalty doubled": lambda found, problem: found.update(dW=found["dW"] + np.float32(0.1) * problem.weight),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_wrong_answers_are_beyond_the_bounds(mistake: str) -> None:
    problem = normal_problem()
    found = compute(FORMS[0], problem)
    assert max(ratios(problem, found).values()) <= 1
    WRONG[mistake](found, problem)
    assert max(ratios(problem, found).values()) > 10


def rounded_to(n_bits: int) -> Callable[[Array, Array], Array]:
    """A product of operands that are rounded to so many bits."""

    def keep(values: Array) -> Array:
        fraction, exponent = np.frexp(values)
        return np.asarray(np.ldexp(np.rint(np.ldexp(fraction, n_bits)), exponent - n_bits), values.dtype)

    return lambda a, b: by_blas(keep(a), keep(b))


def test_operands_of_11_bits_need_the_claim_tf32() -> None:
    problem = normal_problem(shape=(20, 30, 6))
    found = compute(Form("tf32", rounded_to(11)), problem)
    assert max(ratios(problem, found).values()) > 1
    assert max(ratios(problem, found, "tf32").values()) <= 1


def in_float16(a: Array, b: Array) -> Array:
    """A product whose terms are added in float16, one after another."""
    total = np.zeros((a.shape[0], b.shape[1]), np.float16)
    for k in range(a.shape[1]):
        total += (a[:, k : k + 1] * b[k : k + 1]).astype(np.float16)
    return total.astype(a.dtype)


def test_sums_in_a_narrower_dtype_need_a_claim() -> None:
    problem = normal_problem(shape=(20, 30, 6))
    found = compute(Form("float16", in_float16), problem)
    assert max(ratios(problem, found).values()) > 1
    assert max(ratios(problem, found, "float16").values()) <= 1


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_what_is_claimed_moves_the_bound(dtype: str) -> None:
    problem = normal_problem(dtype, (40, 200, 6))
    own, wide, narrow = (proved_bounds(problem, name).dW.error for name in (None, "float64", "float16"))
    assert (wide <= own * (1 + 1e-9)).all()
    assert (narrow > own).all()


def test_what_may_be_claimed() -> None:
    assert arithmetic(format_of("bfloat16")).roundings(256) == 256 * 2.0**-16 + 1
    assert arithmetic(format_of("float32")).roundings(256) == 256
    assert arithmetic(format_of("float32"), "tf32").roundings(256) == 256 + 2 * 2.0**13
    with pytest.raises(ValueError, match=rf"must be one of {', '.join(ACCUMULATES_IN)}, got 'int8'"):
        arithmetic(format_of("float32"), "int8")


def test_a_row_that_may_overflow_has_no_bound_and_takes_those_of_the_sums_away() -> None:
    problem = normal_problem("float16")
    features = problem.features.copy()
    features[3] = 30000
    bounds = proved_bounds(problem.replace(features=features))
    assert np.isinf(bounds.dX.error[3]).all()
    assert np.isfinite(np.delete(bounds.dX.error, 3, axis=0)).all()
    assert np.isinf(bounds.dW.error).all()
    assert np.isinf(bounds.db.error).all()


@pytest.mark.parametrize("accumulates_in", [None, "float32"])
@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_the_bound_of_the_loss_alone_is_that_of_all(dtype: str, accumulates_in: str | None) -> None:
    if accumulates_in is not None and format_of(dtype).precision > 24:
        accumulates_in = None
    problem = normal_problem(dtype)
    assert proved_loss(normal_problem(dtype), accumulates_in) == proved_bounds(problem, accumulates_in).loss
