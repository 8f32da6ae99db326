"""The inequalities of the compiled kernel, `accurate_rows` in `implementations/_accurate_rows.py`, asked on one row.

Compiled code shows nothing of what it has in its hands, so its lines are taken here in Python with its own compiled
parts; what comes out must be what the kernel answers, bit for bit, or the comparison is an inequality that fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import numpy as np
from flint import arb, ctx

from gradlab.implementations import _accurate_rows, _elementary
from gradlab.implementations.fused_accurate import fused_accurate
from gradlab.problems.dtypes import format_of
from tools.lemmas import plain
from tools.lemmas.exact import Exact, is_beyond, total, ulp
from tools.lemmas.inequality import PRECISION, SHOWN, Used, holds_exactly, largest, share
from tools.lemmas.plain import LAMBDA, LONG
from tools.lemmas.row import Array, Row
from tools.lemmas.trace import require_level

BETA = 1.4  # ULP: exp as the kernel has it, by proofs/README.md
HALF_BETA = plain.BETA  # of math.exp


@dataclass(frozen=True)
class Run:
    """A row, the exact values, the kernel's answers, and the numbers on its way to them."""

    row: Row
    exact: Exact
    losses: Array
    gradient: Array
    terms: Array
    others: tuple[float, float]
    denominator: tuple[float, float]

    @property
    def u(self) -> float:
        return 2.0 ** (-24 if self.row.dtype == "float32" else -53)

    @property
    def eta(self) -> arb:
        return arb(2) ** (-149 if self.row.dtype == "float32" else -1074)

    @property
    def sum_error(self) -> float:
        """What a sum is off by beside its terms, in u."""
        if self.row.dtype == "float32":
            return 2.0**-8
        return 2.0**-9 if self.row.n_classes <= LONG else 0.5

    @property
    def far(self) -> float:
        """Below this a sum is taken in parts."""
        return 1024.0 * self.row.n_classes * 2.0 ** (-126 if self.row.dtype == "float32" else -1022)


def run(row: Row) -> Run:
    """The row, computed. Raises NotLevelError where equal logits are answered in unlike ways."""
    logits, labels = row.batch()
    losses, _ = fused_accurate(logits, labels, "none")
    _, divided = fused_accurate(logits, labels)
    require_level(row, divided)
    return Run(row, Exact(row), losses, divided, *_again(logits[0], row))


def _again(x: Array, row: Row) -> tuple[Array, tuple[float, float], tuple[float, float]]:
    """The terms, the sum of the others as a pair, and S N as one, by the kernel's own parts."""
    single, terms, largest = row.dtype == "float32", np.empty_like(x), x.max()
    bits = (row.n_classes + 2).bit_length()
    at = 2.0**bits
    exponentials = _accurate_rows._exact_exponentials32 if single else _accurate_rows._exact_exponentials64
    pair, _ = exponentials((x, x), largest, terms, at)
    own = float(terms[row.label])
    high, low = _accurate_rows._without(own, pair, at)
    if high < (row.n_classes * 2.0**-19 if single else 2.0 ** (3 * bits - 43 if bits <= 10 else 2 * bits - 33)):
        rest = terms.copy()
        rest[row.label] = 0
        high, low = (_accurate_rows._sum32 if single else _accurate_rows._sum64)(rest, rest.max())
    sum_, error = _elementary.two_sum(high, own)
    product, lost = _elementary.two_product(sum_, float(row.n_rows))
    return terms, (high, low), _elementary.two_sum(product, lost + (error + low) * row.n_rows)


def examine(row: Row) -> dict[str, float]:
    """As `plain.examine`."""
    ctx.prec = PRECISION
    done = run(row)
    return largest(chain.from_iterable(step(done) for step in STEPS))


def sums(done: Run) -> Used:
    """Terms, their sum, and S N."""
    row, exact, u = done.row, done.exact, done.u
    for level, truth in enumerate(exact.terms):
        got = arb(float(done.terms[row.places[level]]))
        yield "kernel_error_of_exp", share(got - truth, BETA * ulp(truth, row.dtype))
    terms = [arb(float(value)) for value in done.terms[row.places]]
    kept = total(row.n_others, terms)
    high, low = arb(done.others[0]), arb(done.others[1])
    yield "kernel_error_of_the_sum", share(high + low - kept, done.sum_error / 2 * u * kept)
    allowed = (2 * BETA + done.sum_error) * u * exact.others + row.n_classes * BETA * done.eta
    yield "kernel_error_of_the_others", share(high + low - exact.others, allowed)
    d, rest = arb(done.denominator[0]), arb(done.denominator[1])
    yield "kernel_denominator_is_normalised", share(rest, 2.0**-53 * d)
    product = (high + low + arb(float(done.terms[row.label]))) * row.n_rows
    yield (
        "kernel_error_of_the_denominator",
        share(d + rest - product, 8 * arb(2) ** -106 * d + arb(2) ** -53 * abs(low) * row.n_rows * 3),
    )


def answers(done: Run) -> Used:
    """The entries and the loss."""
    row, exact, u, eta = done.row, done.exact, done.u, done.eta
    theta, more, subnormal = 2 * BETA, done.sum_error, 0.51
    entry = 2 * theta + 2.1 + more
    in_parts = row.is_top and done.others[0] + done.others[1] < done.far
    for level, count in enumerate(row.n_others):
        if count:
            truth, got = exact.entry(level), arb(float(done.gradient[0, row.places[level]]))
            products = 1.0 if exact.terms[level] > format_of(row.dtype).smallest_normal else BETA + 1
            yield "kernel_error_of_another_entry", share(got - truth, entry * u * truth + products * eta)
            yield "kernel_another_entry_in_ulp", share(got - truth, ulp(truth, row.dtype) * SHOWN[row.dtype])
    truth, got = exact.target, -arb(float(done.gradient[0, row.label]))
    of_target = 2 * theta + (1.1 if row.dtype == "float32" else 2.1) + more
    if in_parts:
        half = 4 * HALF_BETA * (2.0**-29 if row.dtype == "float32" else 1)
        of_target = theta + half + 3.1 + more
        subnormal = 1.01 if row.dtype == "float64" else 0.51  # two products, each rounded
    name = "kernel_error_of_the_target" + ("_far" if in_parts else "")
    yield name, share(got - truth, of_target * u * truth + subnormal * eta)
    yield "kernel_target_in_ulp", share(got - truth, ulp(truth, row.dtype) * SHOWN[row.dtype])
    loss = arb(float(done.losses[0]))
    if not is_beyond(float(done.losses[0]), exact.loss, row.dtype):
        of_loss = theta + more + (2 * LAMBDA + 5.1 if row.dtype == "float64" else 1.1)
        if in_parts and row.dtype == "float64":  # m - x_y = 0 then, and is added without a rounding
            of_loss = theta + more + 4 * HALF_BETA + 2 * LAMBDA + 2.1
        yield "kernel_error_of_a_loss", share(loss - exact.loss, of_loss * u * exact.loss + subnormal * eta)
        yield "kernel_loss_in_ulp", share(loss - exact.loss, ulp(exact.loss, row.dtype) * SHOWN[row.dtype])


def the_same(done: Run) -> Used:
    """What is computed here is what the kernel computes: the target's entry, where it is not taken in parts."""
    row, (high, low) = done.row, done.others
    if row.is_top and high + low < done.far:
        return
    again = -((high + low) / done.denominator[0])
    given = float(done.gradient[0, row.label])
    yield "kernel_steps_are_its_own", holds_exactly(arb(float(np.asarray(again, row.dtype))) - given)


STEPS: tuple[Callable[[Run], Used], ...] = (sums, answers, the_same)
