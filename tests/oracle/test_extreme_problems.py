"""Every problem has an enclosure and bounds, whatever its parameters: both paths of the oracle overlap, nothing raises.

What a problem is made of is drawn from the edges of float64 and of its dtype: the smallest and largest numbers, masks,
rows without a value, weights of 0, a batch of no rows. Warnings are errors here, as in every test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from gradlab.bounds import derivative_bound, first_order, flushed_bound, loss_bound
from gradlab.bounds.conditioning import conditioning, rows_in_range
from gradlab.evaluation.claims import Claims
from gradlab.harness.selection import may_be_asked
from gradlab.oracle.enclosure import Enclosures, Truth, enclose_by_balls, enclose_by_double_double
from gradlab.oracle.exact.canonical import is_undefined
from gradlab.oracle.ulp import absolute_error, error_in_ulp, is_narrow
from gradlab.problems.dtypes import DTYPE_NAMES, Format, format_of
from gradlab.problems.objective import DERIVATIVES, Objective
from gradlab.problems.options import MEANS, REDUCTIONS, TARGETS
from gradlab.problems.problem import PRODUCT, Array, Problem

SUBNORMAL, LARGEST = 5e-324, float(np.finfo(np.float64).max)
SIZES = (1.0, 2.0, 0.5, 0.001, 1e36, SUBNORMAL, 2.0**-1022, 1e-300, 1e-45, 2.0**-126, 1e39, 1e300, LARGEST)
SHARES = (0.0, 1.0, 0.5, SUBNORMAL, 1e-300, 2.0**-53, 1 - 2.0**-53)
NOTHING = (Fraction(0), Fraction(0))
FAR = 5000  # binades between two numbers: where there are more, the smaller one counts as if there were so many

sizes = st.one_of(st.sampled_from(SIZES), st.floats(SUBNORMAL, LARGEST))
some = st.integers(0, 2).map(lambda number: number == 0)


@st.composite
def extreme_problems(draw: st.DrawFn) -> Problem:
    """Problems of all dtypes and objectives, every number of which may be at an edge."""
    fmt = format_of(draw(st.sampled_from(DTYPE_NAMES)))
    shape = draw(st.sampled_from([(1, 3), (1, 1), (2, 2), (3, 4), (0, 2), (2, 60)]))
    objective = draw(_objectives(fmt, shape))
    entries = _entries(fmt)
    special = st.sampled_from([-np.inf, np.inf, np.nan])
    logits = _array(draw, fmt, (shape, st.one_of(entries, entries, entries, special)))
    if draw(some) and logits.size:
        logits[...] = logits.flat[0]
    if objective.targets == "probability":
        targets = np.abs(_array(draw, fmt, (shape, st.one_of(st.sampled_from([0.0, 1.0, 0.5]), entries))))
    else:
        label = st.integers(0, shape[1] - 1)
        ignored = label if objective.ignore_index is None else st.just(objective.ignore_index)
        targets = np.array([draw(st.one_of(label, label, ignored)) for _ in range(shape[0])], dtype=np.int64)
    vector = _array(draw, fmt, (shape, entries)) if objective.derivative == PRODUCT else None
    return Problem(logits, targets, objective, "extreme", vector)


def _entries(fmt: Format) -> st.SearchStrategy[float]:
    edges = (fmt.smallest_subnormal, fmt.smallest_normal, fmt.largest, fmt.largest / 2, fmt.largest**0.5, 100.0, 1e4)
    signed = [sign * value for value in edges for sign in (1, -1)]
    return st.one_of(st.integers(-9, 9).map(float), st.sampled_from(signed), st.floats(-fmt.largest, fmt.largest))


def _array(draw: st.DrawFn, fmt: Format, what: tuple[tuple[int, int], st.SearchStrategy[float]]) -> Array:
    (n_rows, n_classes), entry = what
    count = n_rows * n_classes if n_classes < 60 else 12  # of a long row a few values, again and again
    drawn = [draw(entry) for _ in range(min(count, n_rows * n_classes))]
    with np.errstate(over="ignore"):
        return np.resize(np.array(drawn), (n_rows, n_classes)).astype(fmt.dtype)


@st.composite
def _objectives(draw: st.DrawFn, fmt: Format, shape: tuple[int, int]) -> Objective:
    derivative = draw(st.sampled_from(["gradient", "gradient", *DERIVATIVES]))
    targets = "probability" if derivative == "target_gradient" else draw(st.sampled_from(TARGETS))
    on: dict[str, Any] = {"label_smoothing": draw(st.one_of(st.just(0.0), st.sampled_from(SHARES), st.floats(0, 1)))}
    zero_or_size = st.one_of(sizes, sizes, st.just(0.0))
    held = zero_or_size.map(lambda size: min(size, fmt.largest))
    if draw(some):
        on["class_weights"] = tuple(np.resize([draw(zero_or_size) for _ in range(min(shape[1], 4))], shape[1]).tolist())
    if draw(some):
        on["sample_weights"] = tuple(draw(held) for _ in range(shape[0]))
    if targets == "index" and draw(some):
        on["ignore_index"] = draw(st.sampled_from([-100, 0]))
    reduction = draw(st.sampled_from(REDUCTIONS))
    if derivative == "gradient":
        on |= {name: draw(sizes) for name in ("softcap", "temperature", "z_loss") if draw(some)}
        if draw(some):
            on["poly_epsilon"] = draw(st.one_of(sizes, st.sampled_from([-1.0, -0.5])))
        if reduction == "none" and draw(some):
            on["upstream"] = tuple(draw(held) * draw(st.sampled_from([1, -1])) for _ in range(shape[0]))
    return Objective(reduction, targets, mean_over=draw(st.sampled_from(list(MEANS))), derivative=derivative, **on)


def assert_well_formed(found: Enclosures, fmt: Format) -> None:
    known = np.isfinite(found.high)
    assert ((found.radius >= 0) & np.isfinite(found.radius) & np.isfinite(found.low)).all()
    size = np.abs(found.high[known])
    assert ((size == 0) | ((size >= 1) & (size < 2))).all()
    assert (np.abs(found.low[known]) <= 2.0**-53).all()
    assert ((found.low == 0) & (found.radius == 0))[~known].all()
    assert is_narrow(found, fmt).all()


def ends(found: Enclosures, index: Any) -> tuple[Fraction, Fraction, int]:
    """The middle and the radius in units of 2^exponent, and the exponent."""
    high, low, radius = (Fraction(float(part[index])) for part in (found.high, found.low, found.radius))
    return high + low, radius, int(found.exponent[index])


def overlap(first: Enclosures, second: Enclosures) -> bool:
    """Whether each two intervals share a number, or are the same infinity or NaN."""
    return all(_one_overlaps(first, second, index) for index in np.ndindex(first.shape))


def _one_overlaps(first: Enclosures, second: Enclosures, index: Any) -> bool:
    values = float(first.high[index]), float(second.high[index])
    if not np.isfinite(values).all():
        return bool(values[0] == values[1] or np.isnan(values).all())
    (a, r, i), (b, s, j) = sorted((ends(first, index), ends(second, index)), key=lambda parts: parts[2])
    if NOTHING in ((a, r), (b, s)):  # an exact 0 has no exponent
        return abs(a + b) <= r + s
    shift = Fraction(2) ** max(i - j, -FAR)
    return abs(a * shift - b) <= r * shift + s


def assert_has_an_enclosure(problem: Problem) -> None:
    truths: list[Truth] = [enclose_by_balls(problem), enclose_by_double_double(problem)]
    for one in truths:
        for found in (one.losses, one.loss, one.gradient, one.derivative):
            assert_well_formed(found, problem.format)
            near = found.nearest()
            assert not np.isnan(error_in_ulp(near, found, problem.format)).any()
            assert not np.isnan(absolute_error(near, found)).any()
            assert all(found.describe(index) for index in np.ndindex(found.shape))
    balls, pairs = truths
    assert overlap(balls.losses, pairs.losses)
    assert overlap(balls.loss, pairs.loss)
    assert overlap(balls.gradient, pairs.gradient)
    has_value = problem.rows_with_value | problem.ignored_rows | problem.weightless_rows
    assert np.isnan(balls.losses.high).tolist() == (~has_value).tolist()
    if not is_undefined(problem):
        assert not np.isnan(balls.derivative.high[has_value]).any()
        assert not np.isnan(balls.gradient.high[has_value]).any()


BOUNDS: dict[str, Callable[[Problem], Any]] = {
    "forward gradient": lambda problem: first_order.forward_gradient(problem)[0],
    "gradient of any form": lambda problem: first_order.any_form_gradient(problem)[0],
    "forward losses": lambda problem: first_order.forward_losses(problem)[0],
    "losses of any form": lambda problem: first_order.any_form_losses(problem, 0.5)[0],
    "gradient": lambda problem: first_order.gradient(problem)[0],
    "loss": lambda problem: loss_bound(problem)[0],
    "loss nearby": lambda problem: first_order.reduced_loss(problem, first_order.any_form_losses(problem, 0.5), 0.5)[0],
    "loss of either": lambda problem: first_order.loss_of_either(problem, problem),
    "sums of rows": lambda problem: first_order.row_sums(problem, first_order.gradient(problem))[0],
    "both": lambda problem: first_order.both(first_order.gradient(problem), first_order.gradient(problem))[0],
    "coefficients": first_order.coefficient_errors,
    "flushed": first_order.flush_error,
    "derivative": lambda problem: derivative_bound(problem)[0],
    "flushed derivative": flushed_bound,
    "losses": lambda problem: conditioning(problem).losses,
    "probabilities": lambda problem: conditioning(problem).probabilities,
}


def assert_has_bounds(problem: Problem) -> None:
    for name, bound in BOUNDS.items():
        found = np.asarray(bound(problem))
        assert not np.isnan(found).any(), name
        assert (found >= 0).all(), name
    out_of_range = ~rows_in_range(problem)
    for name in ("gradient", "losses of any form", "derivative"):
        assert np.isinf(np.asarray(BOUNDS[name](problem))[out_of_range]).all(), name
    if out_of_range.any():
        assert not may_be_asked(Claims(), problem)


@dataclass(frozen=True)
class Named:
    """A problem that was met, by what was wrong with it."""

    what: str
    problem: Problem


def one(dtype: str, logits: list[list[float]], objective: Objective, targets: Any = None) -> Problem:
    dtype_ = format_of(dtype).dtype
    given = np.zeros(len(logits), dtype=np.int64) if targets is None else np.array(targets, dtype=dtype_)
    return Problem(np.array(logits).astype(dtype_), given, objective)


MET = (
    Named("exp beyond an int64", one("bfloat16", [[1e36, -1e36, 0.0]], Objective(temperature=0.001))),
    Named("the same in float32", one("float32", [[1e36, 1e36, 9e35]], Objective("sum", temperature=0.001))),
    Named("weights too", one("float32", [[1e36, 0.0]], Objective(temperature=0.001, class_weights=(1e36, 1e36)))),
    Named("the smallest temperature", one("float64", [[LARGEST, LARGEST, 0.0]], Objective(temperature=SUBNORMAL))),
    Named("a coefficient below float64", one("float16", [[0.0, 6e4]], Objective(label_smoothing=SUBNORMAL))),
    Named(
        "a coefficient below float64 of a target",
        one("float32", [[1.0, -932.0]], Objective("mean", "probability", label_smoothing=SUBNORMAL), [[0.0, 0.0]]),
    ),
    Named("a sum of weights", one("float64", [[0.0, 1.0]] * 2, Objective(sample_weights=(LARGEST,) * 2))),
    Named("slopes of 0 and inf", one("float64", [[1e3, 1.0]], Objective(softcap=SUBNORMAL, temperature=SUBNORMAL))),
    Named("a capped infinity", one("float64", [[np.inf, -np.inf]], Objective("none", softcap=2.0, ignore_index=0))),
    Named("the largest targets", one("float64", [[0.0, 1.0]], Objective("mean", "probability"), [[LARGEST, LARGEST]])),
    Named("a radius far beyond the middle", one("float32", [[3e38, 3e38]], Objective(temperature=1.3, z_loss=1e-300))),
)


@pytest.mark.parametrize("met", MET, ids=lambda met: met.what)
def test_a_problem_that_was_met_has_an_enclosure(met: Named) -> None:
    assert_has_an_enclosure(met.problem)


@pytest.mark.parametrize("met", MET, ids=lambda met: met.what)
def test_a_problem_that_was_met_has_bounds(met: Named) -> None:
    assert_has_bounds(met.problem)


few = settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
many = settings(few, max_examples=20_000)


@seed(13)
@few
@given(extreme_problems())
def test_every_problem_has_an_enclosure(problem: Problem) -> None:
    assert_has_an_enclosure(problem)


@seed(14)
@few
@given(extreme_problems())
def test_every_problem_has_bounds(problem: Problem) -> None:
    assert_has_bounds(problem)


@pytest.mark.slow
@many
@given(extreme_problems())
def test_every_one_of_many_problems_has_an_enclosure_and_bounds(problem: Problem) -> None:
    assert_has_an_enclosure(problem)
    assert_has_bounds(problem)
