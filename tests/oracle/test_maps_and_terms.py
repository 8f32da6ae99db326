"""The oracle with logit maps and row terms: the definition's Taylor series, 60 digits of mpmath, the domain's rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb
from sympy import Expr, Indexed

from gradlab.oracle.enclosure import enclose, enclose_by_double_double
from gradlab.oracle.exact.balls import answer_of_row
from gradlab.oracle.ulp import is_narrow
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.symbolic.definition import row_loss, u, x
from gradlab.symbolic.derivation import term_along_logits
from gradlab.symbolic.options import LOGIT_MAPS, ROW_TERMS
from gradlab.symbolic.proofs import TAYLOR, ProofError
from gradlab.symbolic.taylor import Row, row_agrees

INF, NAN = np.inf, np.nan

OBJECTIVES = {
    "softcap": Objective(softcap=2.0),
    "temperature": Objective(temperature=0.7),
    "z_loss": Objective(z_loss=0.3),
    "poly_epsilon": Objective(poly_epsilon=-0.5),
    "maps": Objective(softcap=3.0, temperature=1.7),
    "everything": Objective(softcap=5.0, temperature=0.6, z_loss=0.2, poly_epsilon=1.5),
}


def defined_loss(objective: Objective) -> Expr:
    """The whole loss of a row, put together from the tables of SymPy's definitions."""
    on = objective.real_options
    loss = row_loss() + sum(term_along_logits(ROW_TERMS[name]) for name in on if name in ROW_TERMS)
    for name in reversed(list(on)):  # what is applied first is innermost
        if name in LOGIT_MAPS:
            mapped = LOGIT_MAPS[name].mapped
            loss = loss.replace(
                lambda part: isinstance(part, Indexed) and part.base == x, lambda part, f=mapped: f.subs(u, part)
            )
    return loss


def parameters(objective: Objective) -> dict[Expr, arb]:
    letters = {name: one.letter for table in (LOGIT_MAPS, ROW_TERMS) for name, one in table.items()}
    return {letters[name]: arb(value) for name, value in objective.real_options.items()}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_loss_and_gradient_of_a_row_are_the_value_and_derivatives_of_the_definition(name: str) -> None:
    objective = OBJECTIVES[name]

    def program(logits: Row, coefficients: Row) -> tuple[arb, Row]:
        return answer_of_row(objective, [float(value) for value in logits], coefficients)

    assert row_agrees(program, defined_loss(objective), parameters(objective)).method == TAYLOR


def test_maps_in_the_other_order_are_refused() -> None:
    objective = OBJECTIVES["maps"]

    def program(logits: Row, coefficients: Row) -> tuple[arb, Row]:
        first = Objective(softcap=objective.softcap)
        halved = [float(value) / objective.temperature for value in logits]
        return answer_of_row(first, halved, coefficients)

    with pytest.raises(ProofError, match="have no number in common"):
        row_agrees(program, defined_loss(objective), parameters(objective))


def by_mpmath(problem: Problem) -> tuple[list[Any], list[list[Any]]]:
    """Each row's loss and, by mpmath's own derivative at 60 digits, its gradient; index targets, no weights."""
    objective = problem.objective

    def loss(row: list[Any], label: int) -> Any:
        z = [v if objective.softcap == INF else objective.softcap * mpmath.tanh(v / objective.softcap) for v in row]
        z = [v / objective.temperature for v in z]
        lse = mpmath.log(mpmath.fsum(mpmath.exp(v) for v in z))
        p = mpmath.exp(z[label] - lse)
        return lse - z[label] + objective.z_loss * lse**2 + objective.poly_epsilon * (1 - p)

    losses, gradient = [], []
    for values, label in zip(problem.logits64.tolist(), problem.targets.tolist(), strict=True):
        row = [mpmath.mpf(value) for value in values]
        losses.append(loss(row, label))
        moved = [lambda v, j=j, row=row, y=label: loss([*row[:j], v, *row[j + 1 :]], y) for j in range(len(row))]
        gradient.append([mpmath.diff(f, value) for f, value in zip(moved, row, strict=True)])
    return losses, gradient


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_enclosures_are_narrow_and_hold_what_mpmath_finds(name: str) -> None:
    logits = np.random.default_rng(3).normal(0, 4, (5, 4))
    problem = Problem(logits, np.array([0, 3, 1, 2, 2]), replace(OBJECTIVES[name], reduction="none"))
    truth = enclose(problem)
    with mpmath.workdps(60):
        losses, gradient = by_mpmath(problem)
    np.testing.assert_allclose(truth.loss.nearest(), np.array(losses, dtype=float), rtol=2.0**-52)
    np.testing.assert_allclose(truth.gradient.nearest(), np.array(gradient, dtype=float), rtol=2.0**-50, atol=2.0**-80)
    assert is_narrow(truth.gradient, problem.format).all()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_large_problems_are_answered_as_small_ones(name: str) -> None:
    generator = np.random.default_rng(4)
    problem = Problem(generator.normal(0, 3, (6, 40)), generator.integers(0, 40, 6), OBJECTIVES[name])
    ways = (enclose(problem), enclose_by_double_double(problem))
    assert np.array_equal(ways[0].gradient.nearest(), ways[1].gradient.nearest())


def answers(logits: Any, labels: Any, **options: Any) -> tuple[Any, Any]:
    truth = enclose(Problem(np.array(logits), np.array(labels), Objective("none", **options)))
    return truth.loss.nearest(), truth.gradient.nearest()


def test_a_mask_stays_one_under_a_temperature_and_costs_its_share_over_it_at_the_target() -> None:
    loss, gradient = answers([[0, 0, -INF], [0, 0, -INF]], [0, 2], temperature=2.0)
    assert loss.tolist() == [np.log(2), INF]
    assert gradient.tolist() == [[-0.25, 0.25, 0], [0.25, 0.25, -0.5]]


def test_a_masked_class_is_not_in_the_log_sum_exp_of_the_z_loss() -> None:
    loss, gradient = answers([[0, 0, -INF]], [0], z_loss=0.5)
    assert loss[0] == pytest.approx(np.log(2) + 0.5 * np.log(2) ** 2, rel=1e-15, abs=0)
    assert gradient[0].tolist() == [-0.5 + 0.5 * np.log(2), 0.5 + 0.5 * np.log(2), 0]


def test_under_a_softcap_infinite_logits_are_the_cap_and_do_not_move() -> None:
    loss, gradient = answers([[0, -INF], [INF, 0], [-INF, -INF]], [1, 1, 0], softcap=3.0)
    assert loss == pytest.approx([np.log1p(np.exp(3)), np.log1p(np.exp(3)), np.log(2)], rel=1e-15, abs=0)
    assert gradient[:, 0] == pytest.approx([1 / (1 + np.exp(-3)), 0, 0], rel=1e-15, abs=0)
    assert gradient[0, 1] == gradient[2, 1] == 0
    assert gradient[1, 1] == pytest.approx(-1 / (1 + np.exp(-3)), rel=1e-15, abs=0)


def test_nan_has_no_value_under_any_map() -> None:
    for options in ({"softcap": 3.0}, {"temperature": 2.0}, {"z_loss": 1.0}, {"poly_epsilon": 1.0}):
        loss, gradient = answers([[0, NAN], [0, 1]], [0, 0], **options)
        assert np.isnan(loss).tolist() == [True, False]
        assert np.isnan(gradient).tolist() == [[True, True], [False, False]]


def test_an_ignored_row_has_no_term_either() -> None:
    loss, gradient = answers([[5, NAN], [0, 0]], [-1, 0], z_loss=1.0, poly_epsilon=2.0, ignore_index=-1)
    assert loss[0] == 0
    assert gradient[0].tolist() == [0, 0]


def test_a_saturated_softcap_keeps_the_digits_of_its_slope() -> None:
    _, gradient = answers([[200.0, 0.0]], [1], softcap=1.0)
    slope = 4 * np.exp(-400)  # 1 - tanh(200)^2, whose difference needs 580 bits
    assert gradient[0, 0] == pytest.approx(slope / (1 + np.exp(-1)), rel=1e-13, abs=0)
