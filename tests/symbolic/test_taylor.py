"""Taylor arithmetic over balls: it agrees with every generated program and refuses one that is wrong by a hair."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flint import arb, ctx
from sympy import Symbol, cos

from gradlab.reference import ball_forms
from gradlab.symbolic.proofs import TAYLOR, ProofError
from gradlab.symbolic.taylor import PRECISION, Row, along, evaluate, hessian_agrees, map_agrees, program_agrees

Program = Callable[[Row, Row], tuple[arb, Row]]

correct = ball_forms.FORMS["complement"]


def wrong_sign(logits: Row, coefficients: Row) -> tuple[arb, Row]:
    loss, gradient = correct(logits, coefficients)
    return loss, [-entry for entry in gradient]


def target_forgotten(logits: Row, coefficients: Row) -> tuple[arb, Row]:
    loss, gradient = correct(logits, coefficients)
    return loss, [entry + t for entry, t in zip(gradient, coefficients, strict=True)]


def last_entry_off_by_a_hair(logits: Row, coefficients: Row) -> tuple[arb, Row]:
    loss, gradient = correct(logits, coefficients)
    return loss, [*gradient[:-1], gradient[-1] + arb(2) ** -190]


def loss_off_by_a_hair(logits: Row, coefficients: Row) -> tuple[arb, Row]:
    loss, gradient = correct(logits, coefficients)
    return loss + arb(2) ** -190, gradient


def too_wide(logits: Row, coefficients: Row) -> tuple[arb, Row]:
    loss, gradient = correct(logits, coefficients)
    return loss, [entry + arb(0, 1) for entry in gradient]


def no_value(logits: Row, coefficients: Row) -> tuple[arb, Row]:
    loss, gradient = correct(logits, coefficients)
    return loss, [entry + arb("nan") for entry in gradient]


def doubled_hessian(logits: Row, coefficients: Row) -> list[Row]:
    return [[2 * entry for entry in row] for row in ball_forms.hessian(logits, coefficients)]


def diagonal_hessian(logits: Row, coefficients: Row) -> list[Row]:
    rows = ball_forms.hessian(logits, coefficients)
    return [[entry if i == j else arb(0) for j, entry in enumerate(row)] for i, row in enumerate(rows)]


@pytest.mark.parametrize("name", ball_forms.FORMS)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_generated_program_agrees(name: str, seed: int) -> None:
    assert program_agrees(ball_forms.FORMS[name], seed).method == TAYLOR


def test_the_generated_hessian_agrees() -> None:
    assert hessian_agrees(ball_forms.hessian, 1).method == TAYLOR


@pytest.mark.parametrize("name", ball_forms.LOGIT_MAPS)
def test_every_generated_map_agrees(name: str) -> None:
    assert map_agrees(name, ball_forms.LOGIT_MAPS[name], 1).method == TAYLOR


@pytest.mark.parametrize("name", ball_forms.LOGIT_MAPS)
def test_a_map_whose_slope_is_off_by_a_hair_is_refused(name: str) -> None:
    def off(logit: arb, factor: arb) -> tuple[arb, arb]:
        image, slope = ball_forms.LOGIT_MAPS[name](logit, factor)
        return image, slope + arb(2) ** -190

    with pytest.raises(ProofError, match=f"the slope of {name}: .* have no number in common"):
        map_agrees(name, off, 1)


@pytest.mark.parametrize("program", [wrong_sign, target_forgotten, last_entry_off_by_a_hair])
def test_a_wrong_gradient_is_refused(program: Program) -> None:
    with pytest.raises(ProofError, match=r"of the gradient, K = \d: .* have no number in common"):
        program_agrees(program, 1)


def test_a_wrong_loss_is_refused() -> None:
    with pytest.raises(ProofError, match=r"the loss, K = 1: .* have no number in common"):
        program_agrees(loss_off_by_a_hair, 1)


@pytest.mark.parametrize("program", [too_wide, no_value])
def test_an_enclosure_that_decides_nothing_is_refused(program: Program) -> None:
    with pytest.raises(ProofError, match="decides nothing"):
        program_agrees(program, 1)


@pytest.mark.parametrize("program", [doubled_hessian, diagonal_hessian])
def test_a_wrong_hessian_is_refused(program: Callable[[Row, Row], list[Row]]) -> None:
    with pytest.raises(ProofError, match=r"of the Hessian, K = \d: .* have no number in common"):
        hessian_agrees(program, 1)


def test_the_working_precision_is_put_back() -> None:
    before = ctx.prec
    program_agrees(correct, 1)
    assert ctx.prec == before != PRECISION


def test_the_series_of_a_single_class_is_0() -> None:
    series = along([arb(3)], [arb(1)], [0])
    assert all(series[order].contains(0) for order in range(3))


def test_an_expression_without_a_rule_is_refused() -> None:
    z = Symbol("z")
    with pytest.raises(TypeError, match="no rule for cos in cos"):
        evaluate(cos(z), {z: 0})
