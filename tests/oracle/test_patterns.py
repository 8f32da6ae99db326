"""The truth of problems of few kinds is that of the general oracle, entry by entry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradlab.bounds import first_order
from gradlab.bounds.patterns import errors_of_kinds, flushed_kinds
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.exact.patterns import enclose_kinds
from gradlab.oracle.ulp import absolute_error, is_narrow
from gradlab.problems.dtypes import DTYPE_NAMES, format_of
from gradlab.problems.families.options import one_hot
from gradlab.problems.options import REDUCTIONS
from gradlab.problems.patterns import Pattern, pattern_of, patterned
from gradlab.problems.problem import Array, Problem

SHAPES = ((1, 1), (2, 3), (40, 5), (27, 27), (14, 300), (31, 600))
ROUNDED_IN_FLOAT64 = 1e-12  # relative: the same formula, summed in another order


def kinds(shape: tuple[int, int], dtype: str, reduction: str) -> tuple[Problem, Pattern]:
    problem = patterned(format_of(dtype), *shape)
    problem = problem.replace(objective=replace(problem.objective, reduction=reduction))
    pattern = pattern_of(problem)
    assert pattern is not None
    return problem, pattern


def spread_out(by_kind: Array, pattern: Pattern) -> Array:
    """The entries of kinds as a matrix (N, K)."""
    full = by_kind[:, :-1][pattern.rows][:, pattern.columns]
    full[np.arange(len(pattern.rows)), pattern.labels[pattern.rows]] = by_kind[pattern.rows, -1]
    return full


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_that_of_the_general_oracle(shape: tuple[int, int], dtype: str, reduction: str) -> None:
    problem, pattern = kinds(shape, dtype, reduction)
    truth, general = enclose_kinds(problem, pattern), enclose(problem)
    gradient, losses = spread_out(truth.gradient, pattern), truth.losses.nearest()[pattern.rows]
    loss = losses if reduction == "none" else truth.loss.nearest()
    width = 2.0**-44 * problem.format.unit_roundoff / 2.0**-53 if dtype == "bfloat16" else 2.0**-51
    assert (absolute_error(gradient, general.gradient) <= width * np.abs(gradient) + 1e-300).all()
    assert (absolute_error(loss, general.loss) <= width * np.abs(loss) + 1e-300).all()


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_bounds_are_those_of_first_order_and_never_less(
    shape: tuple[int, int], dtype: str, reduction: str, soft: bool
) -> None:
    problem, pattern = kinds(shape, dtype, reduction)
    problem = one_hot(problem) if soft else problem
    found = errors_of_kinds(problem, pattern)
    losses = found.losses[pattern.rows]
    pairs = [
        (spread_out(found.gradient, pattern), first_order.gradient(problem).error),
        (losses, first_order.losses(problem).error),
        (losses if reduction == "none" else found.loss, first_order.loss(problem).error),
    ]
    for mine, general in pairs:
        assert (mine >= general * (1 - ROUNDED_IN_FLOAT64)).all()
        assert (mine <= 1.5 * general).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_what_flushing_costs_is_that_of_first_order(shape: tuple[int, int]) -> None:
    problem, _ = kinds(shape, "float32", "mean")
    assert flushed_kinds(problem) == pytest.approx(first_order.flush_error(problem))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_an_entry_is_enclosed_about_its_nearest_number(shape: tuple[int, int], reduction: str) -> None:
    truth = enclose_kinds(*kinds(shape, "float64", reduction))
    for (kind, group), nearest in np.ndenumerate(truth.gradient):
        entry = truth.entry(kind, group)
        assert entry.nearest() == nearest
        assert is_narrow(entry, format_of("float64")).all()


def test_kinds_of_another_number_of_classes_are_not_equal() -> None:
    _, few = kinds((14, 300), "float64", "mean")
    _, more = kinds((14, 301), "float64", "mean")
    _, again = kinds((40, 300), "float64", "mean")
    assert few.kinds != more.kinds
    assert few.kinds == again.kinds
