"""The inequalities of `implementations/accurate.py` in float32, which it computes in float64, asked on one row."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import numpy as np
from flint import arb, ctx

from tools.lemmas.exact import is_beyond, total, ulp
from tools.lemmas.inequality import PRECISION, SHOWN, Used, largest, share
from tools.lemmas.plain import BETA, LAMBDA, Run, run
from tools.lemmas.row import Row

WIDE = 2.0**-53  # the unit roundoff in which it is computed
OF_A_TERM = 106 + 2 * BETA  # WIDE: the difference, at most 104 before what float32 shows is 0, and exp
ONCE = 0.5 + 2.0**-8  # ULP of float32


def examine(row: Row) -> dict[str, float]:
    """As `plain.examine`."""
    ctx.prec = PRECISION
    done = run(row)
    return largest(chain.from_iterable(step(done) for step in STEPS))


def sums(done: Run) -> Used:
    """The terms that float32 can show, and the sum of the others."""
    row, known = done.row, done.locals_of("_losses_in_float64")
    for level, exact in enumerate(done.exact.terms):
        if level != row.label_level or row.counts[level] > 1:  # the label's place holds 0 by then
            term = arb(float(known["terms"][level]))
            if exact > 2.0**-150:
                yield "single_error_of_a_term", share(term - exact, OF_A_TERM * WIDE * exact)
    others, truth = arb(float(known["others"][0])), done.exact.others
    allowed = (OF_A_TERM + row.n_classes) * WIDE * truth + row.n_classes * arb(2) ** -150 * 2.0**-40
    yield "single_error_of_the_others", share(others - truth, allowed)
    visible = [arb(float(value)) for value in known["terms"][:-1]]
    rounded = total(row.n_others, visible)
    yield "single_rounding_of_the_sum", share(others - rounded, row.n_classes * WIDE * rounded)


def answers(done: Run) -> Used:
    """The entries and the loss: rounded once."""
    row, exact = done.row, done.exact
    shown = SHOWN[row.dtype]
    for level, count in enumerate(row.n_others):
        if count:
            error = arb(float(done.gradient[0, row.places[level]])) - exact.entry(level)
            unit = ulp(exact.entry(level), row.dtype)
            yield "single_error_of_another_entry", share(error, ONCE * unit)
            yield "another_entry_in_ulp", share(error, shown * unit)
    error, unit = arb(float(done.gradient[0, row.label])) + exact.target, ulp(exact.target, row.dtype)
    yield "single_error_of_the_target", share(error, ONCE * unit)
    yield "target_in_ulp", share(error, shown * unit)
    with np.errstate(over="ignore"):
        loss = float(done.locals_of("_losses_in_float64")["losses"].astype(row.dtype)[0])
    if not is_beyond(loss, exact.loss, row.dtype):
        unit = ulp(exact.loss, row.dtype)
        yield "single_error_of_a_loss", share(arb(loss) - exact.loss, (0.5 + 2.0**-8 * (1 + LAMBDA)) * unit)
        yield "loss_in_ulp", share(arb(loss) - exact.loss, shown * unit)


STEPS: tuple[Callable[[Run], Used], ...] = (sums, answers)
