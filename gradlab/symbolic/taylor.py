"""A check of the derivatives by another kind of arithmetic: Taylor series whose coefficients are balls (arb_series).

The definition of the loss is evaluated as it stands, at x + s v. The coefficients of s and s^2 that come out enclose
the first and half the second derivative along v: proved bounds, without SymPy's differentiation, without a rewriting
rule and without generated code. Two values that are equal have enclosures that overlap, however narrow they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from flint import arb, arb_series, ctx
from sympy import Add, Expr, Indexed, Integer, Mul, Pow, Sum, exp, log, tanh

from gradlab.symbolic.definition import K, row_loss, t, u, x
from gradlab.symbolic.options import LOGIT_MAPS
from gradlab.symbolic.proofs import SIZES, TAYLOR, Proof, ProofError

PRECISION = 256
# An enclosure wider than this would decide nothing; 256 bits leave far narrower ones at logits of moderate size.
WIDEST = 2.0**-200
_ORDER = 3
_POINTS = 3
_PAIRS = 20
_N_POINTS = _POINTS * len(SIZES)

Row = list[arb]
Values = Mapping[Expr, Any]


def program_agrees(program: Callable[[Row, Row], tuple[arb, Row]], seed: int) -> Proof:
    """A proof that the program's loss and gradient overlap the definition's value and derivatives.

    program: logits and coefficients of a row -> loss and K entries. At 3 random points for each K = 1..6, along every
    class. Raises ProofError at the first enclosure that does not overlap, or is too wide to tell.
    """
    values = 0
    with ctx.workprec(PRECISION):
        for logits, coefficients in _points(seed):
            loss, gradient = program(logits, coefficients)
            for index in range(len(logits)):
                series = along(logits, coefficients, [index])
                _must_overlap(loss, series[0], f"the loss, K = {len(logits)}")
                _must_overlap(gradient[index], series[1], f"entry {index} of the gradient, K = {len(logits)}")
                values += 1
    statement = f"at {_N_POINTS} random points loss and gradient are the definition's to {WIDEST:.0e}, {values} entries"
    return Proof(statement, TAYLOR)


def hessian_agrees(hessian: Callable[[Row, Row], list[Row]], seed: int) -> Proof:
    """The same for the second derivatives: H_ij = c_ij - c_i - c_j, c being the coefficients of s^2 along e_i + e_j."""
    values = 0
    with ctx.workprec(PRECISION):
        for logits, coefficients in _points(seed):
            claimed = hessian(logits, coefficients)
            single = [along(logits, coefficients, [index])[2] for index in range(len(logits))]
            for i, j in np.ndindex(len(logits), len(logits)):
                mixed = along(logits, coefficients, [i, j])[2] - single[i] - single[j]
                _must_overlap(claimed[i][j], mixed, f"entry {i}, {j} of the Hessian, K = {len(logits)}")
                values += 1
    statement = f"at {_N_POINTS} random points the Hessian is the definition's to {WIDEST:.0e}, {values} entries"
    return Proof(statement, TAYLOR)


def map_agrees(name: str, program: Callable[[arb, arb], tuple[arb, arb]], seed: int) -> Proof:
    """A proof that the program's image and slope of a logit overlap those of the map's definition."""
    one = LOGIT_MAPS[name]
    with ctx.workprec(PRECISION):
        for logit, factor in _pairs(seed):
            image, slope = program(logit, factor)
            series = evaluate(one.mapped, {u: arb_series([logit, 1], _ORDER), one.letter: factor})
            _must_overlap(image, series[0], f"the image of {name}")
            _must_overlap(slope, series[1], f"the slope of {name}")
    return Proof(f"{name}: image and slope at {_PAIRS} random points are the definition's to {WIDEST:.0e}", TAYLOR)


def row_agrees(program: Callable[[Row, Row], tuple[arb, Row]], loss: Expr, parameters: Values) -> Proof:
    """`program_agrees` for the loss of a row with logit maps and terms; parameters: the values of its letters."""
    values = 0
    with ctx.workprec(PRECISION):
        for logits, coefficients in _points(1):
            found, gradient = program(logits, coefficients)
            for index in range(len(logits)):
                series = evaluate(loss, {**parameters, **_move(logits, coefficients, [index])})
                _must_overlap(found, series[0], f"the loss, K = {len(logits)}")
                _must_overlap(gradient[index], series[1], f"entry {index} of the gradient, K = {len(logits)}")
                values += 1
    return Proof(f"at {_N_POINTS} random points loss and gradient are the definition's, {values} entries", TAYLOR)


def along(logits: Row, coefficients: Row, classes: Sequence[int]) -> arb_series:
    """The defined loss at x + s v to order s^2; v adds 1 at each of `classes`, 2 where one is named twice."""
    series: arb_series = evaluate(row_loss(), _move(logits, coefficients, classes))
    return series


def _move(logits: Row, coefficients: Row, classes: Sequence[int]) -> Values:
    """The letters of a row's loss at x + s v, as in `along`."""
    slopes = [list(classes).count(index) for index in range(len(logits))]
    moved = [arb_series([value, slope], _ORDER) for value, slope in zip(logits, slopes, strict=True)]
    return {K: len(logits), x: moved, t: [arb_series([value], _ORDER) for value in coefficients]}


def evaluate(expression: Expr, values: Values) -> Any:
    """The value of `expression`, a walk over it: numbers, letters, + * / exp log and sums over classes.

    values: K -> an int, an index -> an int, an indexed base -> a list. Raises TypeError for anything else.
    """
    for kind, rule in _RULES.items():
        if isinstance(expression, kind):
            return rule(expression, values)
    if expression in values:
        return values[expression]
    raise TypeError(f"no rule for {type(expression).__name__} in {expression}")


def _sum(summation: Expr, values: Values) -> Any:
    index, first, last = summation.limits[0]
    span = range(evaluate(first, values), evaluate(last, values) + 1)
    return sum((evaluate(summation.function, {**values, index: value}) for value in span), 0)


def _raise(power: Expr, values: Values) -> Any:
    base, exponent = evaluate(power.base, values), int(power.exp)
    return base**exponent if exponent > 0 else 1 / base**-exponent


_RULES: dict[Any, Callable[[Expr, Values], Any]] = {
    Integer: lambda number, _: int(number),
    Indexed: lambda entry, values: values[entry.base][values[entry.indices[0]]],
    Add: lambda total, values: sum(evaluate(term, values) for term in total.args),
    Mul: lambda product, values: prod(evaluate(factor, values) for factor in product.args),
    exp: lambda call, values: evaluate(call.args[0], values).exp(),
    log: lambda call, values: evaluate(call.args[0], values).log(),
    tanh: lambda call, values: 1 - 2 / ((2 * evaluate(call.args[0], values)).exp() + 1),
    Pow: _raise,
    Sum: _sum,
}


def _pairs(seed: int) -> Iterator[tuple[arb, arb]]:
    """Random logits, and parameters above 0."""
    generator = np.random.default_rng(seed)
    for _ in range(_PAIRS):
        yield arb(float(generator.normal(scale=4))), arb(float(generator.uniform(0.5, 4)))


def _points(seed: int) -> Iterator[tuple[Row, Row]]:
    """Random logits and coefficients; every third row of coefficients is one-hot."""
    generator = np.random.default_rng(seed)
    for n_classes in SIZES:
        for point in range(_POINTS):
            logits = generator.normal(scale=4, size=n_classes)
            coefficients = generator.uniform(size=n_classes)
            if point == 0:
                coefficients = np.eye(n_classes)[generator.integers(n_classes)]
            yield [arb(value) for value in logits.tolist()], [arb(value) for value in coefficients.tolist()]


def _must_overlap(claimed: arb, enclosure: arb, name: str) -> None:
    if not (claimed.rad() < WIDEST and enclosure.rad() < WIDEST):
        raise ProofError(f"{name}: {claimed} or {enclosure} is wider than {WIDEST:.0e} and decides nothing")
    if not claimed.overlaps(enclosure):
        raise ProofError(f"{name}: {claimed} and {enclosure} have no number in common")
