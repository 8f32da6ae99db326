"""The coefficients of the classes: those of the generated code at every working precision, remembered or not."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb, ctx

from gradlab.oracle.exact.canonical import class_coefficients
from gradlab.oracle.exact.conversion import balls_of_pairs
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.reference.ball_forms import coefficients_index

WEIGHTS = (0.5, 0.3, 2.0)


def same(first: arb, second: arb) -> bool:
    return bool(first.mid() == second.mid() and first.rad() == second.rad())


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_they_are_those_of_the_generated_code_whatever_was_asked_before(
    smoothing: float, weights: tuple[float, ...] | None
) -> None:
    objective = Objective(label_smoothing=smoothing, class_weights=weights)
    problem = Problem(np.zeros((1, 3)), np.array([1]), objective)
    for precision in (64, 320, 64):
        with ctx.workprec(precision):
            balls = [arb(weight) for weight in weights or (1.0,) * 3]
            wanted = coefficients_index(1, 3, arb(smoothing), balls)
            found = class_coefficients(problem)
            assert same(found.other[0], wanted[0])
            assert same(found.label[1], wanted[1])


def test_they_depend_on_the_number_of_classes() -> None:
    objective = Objective(label_smoothing=0.1)
    few, many = (class_coefficients(Problem(np.zeros((1, n)), np.array([0]), objective)) for n in (2, 5))
    assert (len(few.other), len(many.other)) == (2, 5)
    assert float(few.other[0]) == pytest.approx(0.05)
    assert float(many.other[0]) == pytest.approx(0.02)


@pytest.mark.parametrize("exponent", [-5000, -1, 0, 700])
def test_a_ball_of_parts_holds_what_it_stands_for(exponent: int) -> None:
    with ctx.workprec(320):
        exact = (arb(1.5) + arb(2.0**-60)) * arb((1, exponent))
        (ball,) = balls_of_pairs([1.5], [2.0**-60], [exponent], 2.0**-90)
        assert ball.contains(exact * (1 + arb((1, -91))))
        assert not ball.contains(exact * (1 + arb((1, -88))))
