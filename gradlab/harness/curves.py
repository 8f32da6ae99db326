"""How far off an implementation is along five axes: errors to draw, of problems made for that, one number apart.

Each axis is one number that a problem depends on, with values that are evenly spaced among the floats: every binade
gets as many. Nothing here bears on the verdict.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gradlab.bounds import derivative_bound, loss_bound
from gradlab.evaluation.adaptation import adapt_to_claims
from gradlab.evaluation.call import Answer, Implementation, answer
from gradlab.measure.accuracy import PARTS
from gradlab.oracle.enclosure import Enclosures, enclose
from gradlab.oracle.ulp import error_in_ulp, ulp_exponent
from gradlab.problems.coefficients import coefficients_of
from gradlab.problems.dtypes import Format, format_of
from gradlab.problems.families.placing import make_problem, underflows
from gradlab.problems.problem import Array, Problem

if TYPE_CHECKING:  # loaded where something failed
    from gradlab.diagnosis.search import Explanation

N_POINTS = 72  # of an axis in each dtype; six in each of the twelve binades that matter in float32
LOWEST = 2.0**-3
MAX_CLASSES = 2**12


@dataclass(frozen=True)
class PartErrors:
    """The largest errors of one part of the answers, for each value of an axis, in ULP; inf where no number came back.

    allowed: what level `stable` allows there. predicted: the errors that the diagnosis predicts; empty without one.
    """

    errors: tuple[float, ...]
    allowed: tuple[float, ...]
    predicted: tuple[float, ...] = ()


@dataclass(frozen=True)
class CoveredPart:
    """The largest error so far of all margins, in ULP, inf for no number: from each of these margins on another one.

    worst, at: the largest of all, and its margin.
    """

    margins: tuple[float, ...]
    largest: tuple[float, ...]
    worst: float
    at: float


@dataclass(frozen=True)
class Covered:
    """What a certificate says of every margin in [0, end), of which there are n_margins, of some of the parts.

    made_with: the versions and the processor. n_probes: at how many margins the answers here have the same bits.
    """

    certificate: str
    made_with: str
    n_margins: int
    n_probes: int
    end: float
    parts: Mapping[str, CoveredPart]


@dataclass(frozen=True)
class Curve:
    """The errors along one axis in one dtype, by part: `loss`, `target` (the labels' entries) and `others`.

    Of a layer the parts are its outputs. covered: what holds of all problems of this axis, and not of these alone.
    """

    axis: str
    dtype: str
    values: tuple[float, ...]
    parts: Mapping[str, PartErrors]
    covered: Covered | None = None


@dataclass(frozen=True)
class Axis:
    """One number that a problem depends on.

    values: of a format. problem: with one of these values, rounded to the format.
    """

    name: str
    values: Callable[[Format], Array]
    problem: Callable[[Format, float], Problem]


def curve_of(implementation: Implementation, axis: Axis, dtype: str, explanation: Explanation | None = None) -> Curve:
    """The errors of an implementation along an axis, beside those that an explanation predicts."""
    fmt = format_of(dtype)
    values = axis.values(fmt).tolist()
    problems = [adapt_to_claims(implementation.claims, axis.problem(fmt, value)) for value in values]
    points = [
        _point(problem, expected, answer(implementation, problem), explanation)
        for problem, expected in zip(problems, _all_expected(problems), strict=True)
    ]
    parts = {
        part: PartErrors(
            tuple(point[part].error for point in points),
            tuple(point[part].allowed for point in points),
            tuple(point[part].predicted for point in points) if explanation is not None else (),
        )
        for part in PARTS
    }
    return Curve(axis.name, dtype, tuple(values), parts)


def spaced(low: float, high: float, fmt: Format, n_points: int = N_POINTS) -> Array:
    """Numbers of a format from low to high, with as many floats from one to the next; float64, without repetition."""
    places = np.linspace(place_of(low), place_of(high), n_points)
    exponents = np.floor(places)
    values = np.ldexp(1 + places - exponents, exponents.astype(int))
    return np.unique(values.astype(fmt.dtype).astype(np.float64))


def place_of(value: float) -> float:
    """Where a positive number lies among the floats, in binades: e + f for 2^e (1 + f)."""
    fraction, exponent = math.frexp(value)
    return exponent - 1 + (2 * fraction - 1)


@dataclass(frozen=True)
class _Point:
    error: float
    allowed: float
    predicted: float


@dataclass(frozen=True, eq=False)
class _Expected:
    """The exact loss and gradient of a problem, enclosed, and what level `stable` allows, in ULP of these."""

    loss: Enclosures
    gradient: Enclosures
    allowed_loss: Array
    allowed_gradient: Array

    def row(self, number: int) -> _Expected:
        """The same of one row of a batch whose losses are not reduced."""
        rows = slice(number, number + 1)
        parts = (self.loss, self.gradient, self.allowed_loss, self.allowed_gradient)
        return _Expected(*(one[rows] for one in parts))  # type: ignore[arg-type]  # mypy takes all parts for one kind


def _all_expected(problems: Sequence[Problem]) -> list[_Expected]:
    """What is expected of each problem. Problems of one row and one shape are worked out as one batch of rows."""
    if len({one.logits.shape for one in problems}) > 1 or problems[0].n_rows > 1:
        return [_expected(one) for one in problems]
    logits, targets = (np.concatenate([getattr(one, name) for one in problems]) for name in ("logits", "targets"))
    own_losses = replace(problems[0].objective, reduction="none")
    batch = _expected(problems[0].replace(logits=logits, targets=targets, objective=own_losses))
    return [batch.row(row) for row in range(len(problems))]


def _expected(problem: Problem) -> _Expected:
    truth, fmt = enclose(problem), problem.format
    with np.errstate(over="ignore"):
        allowed_loss = loss_bound(problem).error / np.ldexp(1.0, ulp_exponent(truth.loss, fmt))
        allowed = derivative_bound(problem).error / np.ldexp(1.0, ulp_exponent(truth.gradient, fmt))
    return _Expected(truth.loss, truth.gradient, np.asarray(allowed_loss), allowed)


def _point(
    problem: Problem, expected: _Expected, given: Answer, explanation: Explanation | None
) -> Mapping[str, _Point]:
    """The largest error of each part, and what is allowed and predicted of the entry that has it."""
    allowed = _by_part(problem, expected.allowed_loss, expected.allowed_gradient)
    seen = _errors(problem, expected, given.loss, given.gradient)
    foretold = seen if explanation is None else _predicted(problem, expected, explanation)
    found = {}
    for part in PARTS:
        if not seen[part].size:  # one class has no others
            found[part] = _Point(0.0, 0.0, 0.0)
            continue
        at = int(np.argmax(seen[part]))
        found[part] = _Point(float(seen[part][at]), float(allowed[part][at]), float(foretold[part].max()))
    return found


def _predicted(problem: Problem, expected: _Expected, explanation: Explanation) -> Mapping[str, Array]:
    """The errors of what an explanation predicts; inf where it predicts that the call raises."""
    with np.errstate(all="ignore"):
        foretold = explanation.predicts_of(problem)
    if foretold.refused:
        return _errors(problem, expected, None, None)
    return _errors(problem, expected, foretold.loss, foretold.gradient)


def _errors(problem: Problem, expected: _Expected, loss: Array | None, gradient: Array | None) -> Mapping[str, Array]:
    """The errors in ULP, part by part; inf where there is no answer."""
    if loss is None or gradient is None:
        return _by_part(problem, np.full(expected.loss.shape, np.inf), np.full(expected.gradient.shape, np.inf))
    of_loss, of_gradient = (
        error_in_ulp(np.asarray(one, dtype=np.float64).reshape(exact.shape), exact, problem.format)
        for one, exact in ((loss, expected.loss), (gradient, expected.gradient))
    )
    return _by_part(problem, of_loss, of_gradient)


def _by_part(problem: Problem, loss: Array, gradient: Array) -> Mapping[str, Array]:
    is_target = coefficients_of(problem) > 0
    return {"loss": np.atleast_1d(loss), "target": gradient[is_target], "others": gradient[~is_target]}


def _margins(fmt: Format) -> Array:
    return spaced(LOWEST, 1.15 * underflows(fmt), fmt)


def _offsets(fmt: Format) -> Array:
    return spaced(1.0, min(2.0**fmt.precision, fmt.largest / 2), fmt)


def _distances(fmt: Format) -> Array:
    return spaced(LOWEST, 2 * underflows(fmt), fmt)


def _few_distances(fmt: Format) -> Array:
    return spaced(LOWEST, 2 * underflows(fmt), fmt, N_POINTS // 2)


def _numbers_of_classes(fmt: Format) -> Array:
    return 2.0 ** np.arange(1, math.log2(MAX_CLASSES) + 1)


def _many_classes(fmt: Format, count: float) -> Problem:
    logits = 2 * np.random.default_rng(0).standard_normal((1, int(count)))
    return make_problem(fmt, logits, [int(count) // 2])


AXES = (
    Axis("margin", _margins, lambda fmt, value: make_problem(fmt, [[value, 0]], [0])),
    Axis(
        "rows",
        _few_distances,
        lambda fmt, value: make_problem(fmt, [[0, 1, 3], [-value, 1 - value, 3 - value]], [2, 1]),
    ),
    Axis("offset", _offsets, lambda fmt, value: make_problem(fmt, [[value, value - 1, value - 3]], [1])),
    Axis("spread", _distances, lambda fmt, value: make_problem(fmt, -value * np.linspace(0, 1, 8)[None], [3])),
    Axis("classes", _numbers_of_classes, _many_classes),
)
