"""Known wrong formulas for derivatives other than the gradient: which of them gives what was returned.

Each predicts every entry, with how far apart two faithful computations of it may be, from the parts that the bounds of
the right formula are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradlab.bounds import derivative_bound, first_order, second_order
from gradlab.bounds.conditioning import conditioning
from gradlab.bounds.rounding_counts import BETA, divisor, gamma
from gradlab.evaluation.call import Answer
from gradlab.oracle.enclosure import enclose
from gradlab.problems.coefficients import coefficients_of, gradient_factors
from gradlab.problems.problem import PRODUCT, Array, Problem

Predicted = tuple[Array, Array]  # the values, and how far what follows the formula may be from them


@dataclass(frozen=True, eq=False)
class Row:
    """What formulas are made of: p, t and v (or 1), (N, K); A (N, 1); D, what the batch divides by."""

    problem: Problem

    @property
    def p(self) -> Array:
        lost = ~self.problem.rows_with_value[:, None]
        return np.where(lost, np.nan, conditioning(self.problem).probabilities)

    @property
    def t(self) -> Array:
        return coefficients_of(self.problem)

    @property
    def coefficient_sum(self) -> Array:
        return conditioning(self.problem).coefficient_sum[:, None]

    @property
    def v(self) -> Array:
        return np.ones((1, 1)) if self.problem.vector is None else self.problem.vector.astype(np.float64)

    @property
    def factors(self) -> Array:
        """The sample weight, (N, 1)."""
        return gradient_factors(self.problem)[:, None]

    @property
    def share(self) -> Array:
        """A over D, times the sample weight, (N, 1)."""
        return np.asarray(self.factors * self.coefficient_sum / divisor(self.problem))


def explaining_formulas(answered: Sequence[tuple[Problem, Answer]]) -> tuple[tuple[str, ...], int]:
    """The defects whose formula gives every derivative that was returned, and how many of these are wrong.

    None where nothing is wrong, or where the formula is right wherever the answer is wrong; where two formulas agree on
    all of the problems, both.
    """
    seen = [(problem, given.gradient.astype(np.float64)) for problem, given in answered if given.gradient is not None]
    with np.errstate(all="ignore"):
        wrong = [problem for problem, derivative in seen if _is_wrong(problem, derivative)]
        if not wrong:
            return (), 0
        formulas = FORMULAS[seen[0][0].objective.derivative]
        names = [name for name, formula in formulas.items() if all(_gives(formula, *one) for one in seen)]
        names = [name for name in names if not all(_is_right(formulas[name], problem) for problem in wrong)]
    return tuple(names), len(wrong)


def _is_wrong(problem: Problem, seen: Array) -> bool:
    known = _known_rows(problem)
    truth, bound = enclose(problem).derivative.nearest()[known], derivative_bound(problem)[0][known]
    return not _close(seen[known], truth, bound)


def _is_right(formula: Callable[[Row], Predicted], problem: Problem) -> bool:
    """Whether a formula gives the truth on a problem, as far as rounding lets one see."""
    return _gives(formula, problem, enclose(problem).derivative.nearest())


def _gives(formula: Callable[[Row], Predicted], problem: Problem, seen: Array) -> bool:
    values, room = formula(Row(problem))
    known = _known_rows(problem)
    return _close(seen[known], values[known], np.broadcast_to(room, values.shape)[known])


def _close(seen: Array, values: Array, room: Array) -> bool:
    same = (seen == values) | (np.abs(seen - values) <= room)
    return bool((same | ~np.isfinite(values)).all())


def _known_rows(problem: Problem) -> Array:
    """The rows of which formulas say something: with a value, not ignored, the batch divided by something."""
    return np.asarray(problem.rows_with_value & ~problem.ignored_rows)


def _twice(problem: Problem) -> Array:
    return np.asarray(2 * derivative_bound(problem)[0])


def _diagonal_of(values: Array) -> Array:
    return values[:, :, None] * np.eye(values.shape[1])


def _outer(values: Array) -> Array:
    return values[:, :, None] * values[:, None, :]


def _predict_parts(diagonal: float, outer: float, crossed: float = 0.0) -> Callable[[Row], Predicted]:
    """A Hessian of so many times diag(p), p p^T, and the diagonal of p p^T."""

    def predicted(row: Row) -> Predicted:
        pairs = _outer(row.p)
        values = diagonal * _diagonal_of(row.p) + outer * pairs + crossed * pairs * np.eye(row.p.shape[1])
        return row.share[:, :, None] * values, 2 * _twice(row.problem)

    return predicted


def _predict_gradients(row: Row) -> Predicted:
    """g g^T of each row, with the errors of both factors."""
    plain = replace(row.problem.objective, derivative="gradient", reduction="none", sample_weights=None)
    problem = row.problem.replace(objective=plain)
    g, error = row.coefficient_sum * row.p - row.t, first_order.gradient(problem)[0]
    both = np.abs(g) + 2 * error
    room = _outer(both) - _outer(np.abs(g)) + 8 * problem.format.unit_roundoff * _outer(both)
    factors = row.factors[..., None] / divisor(row.problem)
    return _outer(g) * factors, room * factors + second_order.underflow_cost(row.problem)[..., None]


def _diagonal_is_p(row: Row) -> Predicted:
    return row.share * row.p, _twice(row.problem)


def _less(subtracted: Callable[[Array, Array], Array]) -> Callable[[Row], Predicted]:
    """A product p (v - s), s being made of p and v; its room from that of sizes, with the worst of all rows."""

    def predicted(row: Row) -> Predicted:
        parts = second_order.parts_of(row.problem)
        sizes = np.abs(row.v) + subtracted(row.p, np.abs(row.v))
        worst = parts.g.max(initial=0.0)
        room = row.p * row.factors * parts.coefficient_sum * (2 * worst + worst**2) * sizes / divisor(row.problem)
        values = row.share * row.p * (row.v - subtracted(row.p, row.v))
        of_batch = row.problem.replace(vector=np.full_like(row.problem.logits, np.abs(row.v).max(initial=0.0)))
        return values, 2 * (room + second_order.underflow_cost(of_batch))

    return predicted


def _p_less_t(row: Row) -> Predicted:
    """To what p carries come a subtraction and a division, four roundings; eta in p, in the quotient, in float64."""
    fmt = row.problem.format
    error = second_order.parts_of(row.problem).g * row.p + gamma(4.0, fmt) * (row.p + row.t)
    factors = row.factors / divisor(row.problem)
    room = (error + (BETA + 1) * fmt.smallest_subnormal) * factors + 2 * fmt.smallest_subnormal
    return (row.p - row.t) * factors, 2 * room


def _undivided_entries(row: Row) -> Predicted:
    size = divisor(row.problem)
    return size * enclose(row.problem).derivative.nearest(), size * _twice(row.problem)


def _sign_turned(row: Row) -> Predicted:
    return -enclose(row.problem).derivative.nearest(), _twice(row.problem)


def _without_weights(row: Row) -> Predicted:
    """The right formula of a problem without sample weights; what is wrong where there are some."""
    plain = replace(row.problem.objective, sample_weights=None)
    problem = row.problem.replace(objective=plain)
    return enclose(problem).derivative.nearest(), _twice(problem)


FORMULAS: dict[str, dict[str, Any]] = {
    "hessian": {
        "derivative_weights_forgotten": _without_weights,
        "hessian_diagonal_alone": _predict_parts(1, 0),
        "hessian_outer_alone": _predict_parts(0, -1),
        "hessian_off_diagonal_positive": _predict_parts(1, 1, -2),
        "hessian_not_divided": _undivided_entries,
        "hessian_of_gradients": _predict_gradients,
        "hessian_sign_turned": _sign_turned,
    },
    "hessian_diagonal": {
        "derivative_weights_forgotten": _without_weights,
        "diagonal_is_p": _diagonal_is_p,
        "diagonal_not_divided": _undivided_entries,
    },
    PRODUCT: {
        "derivative_weights_forgotten": _without_weights,
        "product_not_divided": _undivided_entries,
        "product_sign_turned": _sign_turned,
        "product_sum_for_dot": _less(lambda p, v: v.sum(axis=1, keepdims=True)),
        "product_mean_for_dot": _less(lambda p, v: v.mean(axis=1, keepdims=True)),
        "product_along_rows": _less(lambda p, v: (p * v).sum(axis=0, keepdims=True)),
    },
    "target_gradient": {
        "derivative_weights_forgotten": _without_weights,
        "target_gradient_is_p_less_t": _p_less_t,
        "target_gradient_positive": _sign_turned,
        "target_gradient_not_divided": _undivided_entries,
    },
}
