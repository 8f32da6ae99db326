"""The inequalities of `implementations/accurate.py` in float64, asked on one row."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from flint import arb, ctx

from gradlab.bounds.rounding_counts import ASSUMED_BY_ACCURATE
from gradlab.implementations import _compensated, accurate
from gradlab.problems.dtypes import Format, format_of
from tools.lemmas.exact import Exact, cut_of, is_beyond, total, ulp
from tools.lemmas.inequality import PRECISION, SHOWN, Used, holds_exactly, largest, share
from tools.lemmas.row import Array, Row
from tools.lemmas.trace import Locals, Trace, require_level, trace_of

BETA = ASSUMED_BY_ACCURATE["exp", "float64"]  # ULP
LAMBDA = ASSUMED_BY_ACCURATE["log1p", "float64"]
FURTHEST = 745.2  # where exp is 0
GROUPED = 2**10  # classes from which on lower parts are added in groups: the page's number, whatever the code has
LONG = 2**17  # up to here what a sum loses is 2^-10 u, up to 2^20 it is u / 4


@dataclass(frozen=True)
class Run:
    """A row, the exact values, and what the implementation had in its hands."""

    row: Row
    exact: Exact
    trace: Trace
    loss: Array
    gradient: Array

    @cached_property
    def fmt(self) -> Format:
        return format_of(self.row.dtype)

    @property
    def u(self) -> float:
        return self.fmt.unit_roundoff

    @property
    def eta(self) -> arb:
        return arb(self.fmt.smallest_subnormal)

    @property
    def beta(self) -> float:
        return BETA

    @property
    def theta(self) -> float:
        """What a term is off by, in u: theta of step 2."""
        return 2 * self.beta + 0.001

    @property
    def subnormal(self) -> float:
        """What a term is off by where it is subnormal, in eta."""
        return self.beta + 0.5

    def underflow_error(self, term: arb, if_subnormal: float, otherwise: float) -> arb:
        """So many eta, whether the term is a normal number or not."""
        return (otherwise if term > self.fmt.smallest_normal else if_subnormal) * self.eta

    @property
    def sum_error(self) -> float:
        """What a sum is off by beside its terms, in u."""
        return 2.0**-9 if self.row.n_classes <= LONG else 0.25

    @property
    def is_far(self) -> bool:
        return self.trace.number_of("_sum_of_far") > 0

    def locals_of(self, name: str, place: int = 0) -> Locals:
        return self.trace.of(name, place)


def run(row: Row) -> Run:
    """The row, computed. Raises NotLevelError where equal logits are answered in unlike ways."""
    trace, (loss, gradient) = trace_of(accurate.accurate, row)
    require_level(row, gradient)
    return Run(row, Exact(row), trace, loss, gradient)


def examine(row: Row) -> dict[str, float]:
    """By the name of the inequality, how much of it was used; those that say nothing of the row are missing."""
    ctx.prec = PRECISION
    done = run(row)
    return largest(chain.from_iterable(step(done) for step in STEPS))


def difference(done: Run) -> Used:
    """Step 1."""
    parts = done.locals_of("exponentials_of_difference>two_difference")
    m = done.row.levels[done.row.top]
    for x, d, delta in zip(done.row.levels, parts["difference"], parts["error"], strict=False):
        if math.isfinite(d):
            ctx.prec = 2 * 1100  # a sum of any two numbers is exact
            exact = arb(x) - arb(m) - arb(d) - arb(delta)
            yield "difference_is_exact", holds_exactly(exact)
            yield "remainder_of_the_difference", share(delta, done.u * abs(arb(d)))


def term(done: Run) -> Used:
    """Step 2."""
    parts = done.locals_of("exponentials_of_difference>two_difference")
    pair = done.locals_of("exponentials_of_difference")
    for level, exact in enumerate(done.exact.terms):
        d, delta = parts["difference"][level], arb(parts["error"][level])
        e, c = pair["e"][level], pair["delta"][level]
        if not math.isfinite(d) or d < -FURTHEST:
            yield "exponential_that_vanishes", share(exact, done.eta / 2) if e == 0 else math.inf
            continue
        power = arb(d).exp()
        yield "error_of_exp", share(arb(e) - power, done.beta * ulp(power, done.row.dtype))
        yield "error_of_the_correction", share(arb(c) - arb(e) * delta, done.u * abs(e * delta) + done.eta / 2)
        if e > 0:
            yield "square_of_the_remainder", share(delta.exp() - 1 - delta, 2.0**-35 * done.u)
        allowed = done.theta * done.u * exact + done.underflow_error(exact, done.subnormal, 0.5)
        yield "error_of_a_term", share(arb(e) + c - exact, allowed)


def sums(done: Run) -> Used:
    """Step 3."""
    row, exact = done.row, done.exact
    pair, known = done.locals_of("exponentials_of_difference"), done.locals_of("_divide")
    high, low = arb(float(known["high"][0])), arb(float(known["low"][0]))
    yield "pair_is_normalised", share(low, done.u * high)
    kept = total(row.n_others, map(arb, pair["e"][:-1])) + total(row.n_others, map(arb, pair["delta"][:-1]))
    lost = 2.0**-10 if row.n_classes <= LONG else 0.25
    yield "error_of_the_sum", share(high + low - kept, lost * done.u * kept)
    if done.trace.number_of("sum_of_pairs>_cut_sum"):
        yield from _cuts(done)
    allowed = (done.theta + done.sum_error) * done.u * exact.others
    allowed += (row.n_classes - 1) * done.subnormal * done.eta
    yield "error_of_the_others", share(high + low - exact.others, allowed)


def _cuts(done: Run) -> Used:
    """The sum at the last of its cuts."""
    row, u = done.row, done.u
    last = 1 if done.trace.number_of("sum_of_pairs>_cut_sum") > 1 and _was_small(done) else 0
    parts = done.locals_of("sum_of_pairs>_cut_sum", last)
    pair = done.locals_of("exponentials_of_difference")
    e, c = pair["e"][:-1], pair["delta"][:-1]
    most = float(max(value for value, count in zip(e, row.n_others, strict=True) if count))
    cut = cut_of(most, row.n_classes) if last else 2.0 ** (row.n_classes + 2).bit_length()
    if most > 0:
        yield "cut_is_above_the_sum", share((row.n_classes + 2) * arb(most), cut)
        if last:
            yield "cut_is_near", share(cut, 4 * (row.n_classes + 2) * arb(most))
    upper = (e + cut) - cut
    high, low = (arb(float(part[0])) for part in parts["return"])
    yield "upper_parts_add_up", holds_exactly(total(row.n_others, map(arb, upper)) - high)
    for value, count in zip(e - upper, row.n_others, strict=True):
        if count:
            yield "lower_parts_are_small", share(value, u * cut)
    exact = total(row.n_others, map(arb, e - upper)) + total(row.n_others, map(arb, c))
    corrections = total(row.n_others, (abs(arb(value)) for value in c))
    n_roundings = min(row.n_classes, 2**9) if row.n_classes > GROUPED else row.n_classes
    growth = n_roundings * u / (1 - n_roundings * u)
    yield "rounding_of_the_lower_parts", share(low - exact, growth * (row.n_classes * u * arb(cut) + corrections))


def _was_small(done: Run) -> bool:
    first = done.locals_of("sum_of_pairs>_cut_sum")
    return bool(float(first["high"][0]) < _compensated.smallest_sum(done.row.n_classes))


def denominator(done: Run) -> Used:
    """Step 4."""
    row, exact, u = done.row, done.exact, done.u
    known = {name: _first(value) for name, value in done.locals_of("_divide").items()}
    rho, d = arb(known["rho"]), arb(known["denominator"])
    s = sum((arb(known[name]) for name in ("term", "correction", "high", "low")), arb(0))
    yield "shortfall_is_small", share(rho, 3.4 * u)
    yield "shortfall_of_the_denominator", share(s * row.n_rows - d * (1 + rho), 16 * u * u * d)
    yield "square_of_the_shortfall", share(1 / (1 + rho) - (1 - rho), 12 * u * u)
    if done.is_far:
        return
    smaller = arb(float(done.locals_of("_losses")["sums"].smaller[0]))
    allowed = (done.theta + 3.01 + done.sum_error) * u * exact.smaller
    allowed += (row.n_classes - 1) * done.subnormal * done.eta
    if not row.is_top:
        allowed += done.sum_error * u
    yield "error_of_the_smaller", share(smaller - exact.smaller, allowed)


def _first(value: Any) -> float:
    return float(value[0]) if isinstance(value, np.ndarray) and value.size else math.nan


def answers(done: Run) -> Used:
    """Step 5, and the errors of step 6 at the end."""
    row, exact, u, eta = done.row, done.exact, done.u, done.eta
    entry = 2 * done.theta + 2.1 + (done.sum_error if row.n_classes > LONG else 0.0)
    target = entry + 2 * done.beta if done.is_far else entry
    for level, count in enumerate(row.n_others):
        if count:
            truth, got = exact.entry(level), arb(float(done.gradient[0, row.places[level]]))
            allowed = entry * u * truth + done.underflow_error(exact.terms[level], done.beta + 2, 1.5)
            yield "error_of_another_entry", share(got - truth, allowed)
            yield "another_entry_in_ulp", share(got - truth, ulp(truth, row.dtype) * SHOWN[row.dtype])
    truth, got = exact.target, -arb(float(done.gradient[0, row.label]))
    yield "error_of_the_target" + ("_far" if done.is_far else ""), share(got - truth, target * u * truth + eta / 2)
    yield "target_in_ulp", share(got - truth, ulp(truth, row.dtype) * SHOWN[row.dtype])
    yield from _losses(done)


def _losses(done: Run) -> Used:
    exact, row = done.exact, done.row
    got = done.locals_of("_losses")["losses"].astype(row.dtype)[0]
    if is_beyond(float(got), exact.loss, row.dtype):
        return
    roundings = 6 * done.beta + 2 * LAMBDA + 2.1 if done.is_far else done.theta + 2 * LAMBDA + 5.2
    yield "error_of_a_loss", share(arb(float(got)) - exact.loss, roundings * done.u * exact.loss + done.eta / 2)
    yield "loss_in_ulp", share(arb(float(got)) - exact.loss, ulp(exact.loss, row.dtype) * SHOWN[row.dtype])


def far(done: Run) -> Used:
    """Step 6: the sum of the others in parts."""
    if not done.is_far:
        return
    row, known = done.row, done.locals_of("_sum_of_far")
    d, half, away = arb(_first(known["difference"])), arb(_first(known["half"])), arb(accurate.AWAY)
    if half == 0:
        return
    u = done.u
    yield "error_of_the_half", share(half - (d / 2).exp(), done.beta * ulp((d / 2).exp(), "float64"))
    second = max(x for x, count in zip(row.levels, row.n_others, strict=True) if count)
    lost = arb(_first(known["lost"]))
    parts = arb(_first(known["total"])) + arb(_first(known["remainder"]))
    truth = total(row.n_others, [(arb(x) - arb(second) + lost).exp() for x in row.levels])
    theta = 2 * done.beta + 0.001 + done.sum_error
    yield (
        "error_of_the_sum_in_parts",
        share(parts - truth, theta * done.u * truth + row.n_classes * done.beta * done.eta),
    )
    product = half * half * away * parts
    pair = arb(_first(known["high"])) + arb(_first(known["low"]))
    yield "product_of_the_parts", share(pair - product, 9 * u * u * product)
    got, exact = arb(float(done.locals_of("_losses")["sums"].smaller[0])), done.exact.smaller
    allowed = (theta + 4 * done.beta + 1.1) * u
    yield "error_of_the_smaller_in_parts", share(got - exact, allowed * exact + done.eta / 2)


STEPS: tuple[Callable[[Run], Used], ...] = (difference, term, sums, denominator, answers, far)
