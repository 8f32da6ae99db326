"""Loss and gradient by ball arithmetic: the generated complement form, precision doubled until it is narrow enough.

The enclosures come from flint's balls alone, so they hold whatever the working precision; the precision only decides
how narrow they are. Doubling ends: a ball of absolute width below 2^-20 times the smallest subnormal number, 2^-1094,
is narrow even where the exact value is 0. Without options that takes about 1100 bits in float64. With all of them, each
parameter being a float64 in [2^-1074, 2^1024) and fewer than 2^40 rows and classes, no value on the way is larger than

    x, lse                         2^1024/2^-1074: 2^2099
    t, A                           a weight times a target: 2^2048, 2^2088
    a row's loss with its terms    z_loss lse^2 < 2^5222; A lse < 2^4187; poly_epsilon A < 2^3112
    a row's gradient               slope 2^1074 times A, poly_epsilon (t - m) < 2^3113, 2 z_loss lse < 2^3124: 2^4200
    times a factor, over D         2^1024, and D, a sum of products of two weights, at least 2^-2148: 2^8500 with N rows

At P bits each is off by 2^-P of its size a few times for each class, and exp turns |x| 2^-P into a relative error:
2^(8500 + 2099 + 50 - P) < 2^-1094 from P = 11,743 on, so that no problem is evaluated at more than 23,486 bits. 6,848
were the most that a search met (all parameters at their ends). _HIGHEST_PRECISION is never reached.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb, ctx

from gradlab.oracle.exact.canonical import (
    class_coefficients,
    gradient_share,
    is_undefined,
    reduce_losses,
    row_coefficients,
    row_factors,
    row_kinds,
)
from gradlab.oracle.exact.conversion import to_enclosures
from gradlab.oracle.intervals import Array, Enclosures, constant, fill
from gradlab.oracle.ulp import WIDTH_BITS, is_narrow
from gradlab.problems.mapping import maps_logits
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.reference.ball_forms import FORMS, LOGIT_MAPS, ROW_TERMS

_HIGHEST_PRECISION = 2**15  # more than any problem needs, see above; reached only if the enclosures are broken
_GUARD_BITS = 8  # the constant factors of the complement form, with room
_complement = FORMS["complement"]

Row = tuple[arb, list[arb]]


@dataclass(frozen=True, eq=False)
class RowAnswers:
    """What was found for some rows of a problem, in their order.

    losses: each row's own loss as a ball, and loss_intervals the same, shape (n,); gradient: of the reduced
    objective, shape (n, K). The loss of a row of infinite loss is left at any value.
    """

    losses: list[arb]
    loss_intervals: Enclosures
    gradient: Enclosures


def answer_rows(problem: Problem, rows: Array) -> RowAnswers:
    """Narrow enclosures for the given rows, which must be regular or of infinite loss.

    Each row is evaluated again with twice the precision until its loss and gradient are narrow.
    Raises ArithmeticError if that does not end.
    """
    precision = starting_precision(problem)
    answers = _evaluate(problem, rows, precision)
    losses, fmt = answers.losses, problem.format
    pending = np.arange(len(rows))
    latest = answers
    while True:
        narrow = is_narrow(latest.loss_intervals, fmt) & is_narrow(latest.gradient, fmt).all(1)
        pending = pending[~narrow]
        if not pending.size:
            return answers
        precision = double(precision)
        latest = _evaluate(problem, rows[pending], precision)
        for place, loss in zip(pending.tolist(), latest.losses, strict=True):
            losses[place] = loss
        fill(answers.loss_intervals, pending, latest.loss_intervals)
        fill(answers.gradient, pending, latest.gradient)


def reduced_loss(problem: Problem, losses: list[arb]) -> Enclosures:
    """The sum or mean of the rows' losses, shape (), narrow. losses: those of the regular rows, in order.

    The domain rules come first: NaN if any row has no value, or if the denominator is 0; then +inf.
    """
    kinds = row_kinds(problem)
    if kinds.undefined.size or is_undefined(problem):
        return constant(math.nan, ())
    if kinds.infinite.size:
        return constant(math.inf, ())
    precision = 2 * starting_precision(problem)
    while True:
        with ctx.workprec(precision):
            total = to_enclosures([reduce_losses(problem, losses)])
        if is_narrow(total, problem.format).all():
            return total[0]
        precision = double(precision)
        losses = _evaluate(problem, kinds.regular, precision).losses


def starting_precision(problem: Problem) -> int:
    """The bits with which most rows come out narrow at once.

    The answer's own precision and 2^-20 of its last place; one bit for each doubling of the number of terms added;
    the bits of max - min, which exp turns from absolute into relative error, but no more than matter before exp
    underflows; and twelve for the cancellation of A p_j - t_j where every class has a coefficient.
    """
    objective, fmt = problem.objective, problem.format
    terms = max(problem.n_rows, problem.n_classes)
    soft = 12 if objective.targets == "probability" or objective.label_smoothing > 0 or objective.real_options else 0
    logits = problem.mapped64
    finite = logits if problem.is_finite else logits[np.isfinite(logits)]
    size = float(max(finite.max(), -finite.min())) if finite.size else 0.0
    spread = min(2.0 * size, -2.0 * (fmt.min_exponent - fmt.precision))
    return fmt.precision + WIDTH_BITS + _GUARD_BITS + terms.bit_length() + int(spread).bit_length() + soft


def _evaluate(problem: Problem, rows: Array, precision: int) -> RowAnswers:
    with ctx.workprec(precision):
        share = gradient_share(problem)
        classes, scales = class_coefficients(problem), bool(problem.objective.per_row_options)
        losses: list[arb] = []
        entries: list[arb] = []
        for row in rows.tolist():
            loss, gradient = answer_of_row(
                problem.objective, problem.logits64[row].tolist(), row_coefficients(problem, row, classes)
            )
            if scales:
                of_loss, of_gradient = row_factors(problem, row)
                loss, gradient = of_loss * loss, [of_gradient * entry for entry in gradient]
            losses.append(loss)
            entries += gradient if share == 1 else [share * entry for entry in gradient]
        shape = (len(losses), problem.n_classes)
        gradients = to_enclosures(entries)
        parts = (gradients.high, gradients.low, gradients.radius, gradients.exponent)
        return RowAnswers(losses, to_enclosures(losses), Enclosures(*(part.reshape(shape) for part in parts)))


def answer_of_row(objective: Objective, logits: Sequence[float | arb], coefficients: list[arb]) -> Row:
    """A row's loss and gradient at the present working precision, with its logit maps and its terms.

    The loss of a row of infinite loss may be anything.
    """
    images, slopes = [arb(x) for x in logits], [arb(1)] * len(logits)
    for name, value in objective.real_options.items():
        if name in LOGIT_MAPS:
            pairs = [LOGIT_MAPS[name](image, arb(value)) for image in images]
            images = [image for image, _ in pairs]
            slopes = [own * slope for (_, own), slope in zip(pairs, slopes, strict=True)]
    if -math.inf in logits:
        loss, gradient = _with_masks(objective, images, coefficients)
    else:
        loss, gradient = _with_terms(objective, images, coefficients)
    if maps_logits(objective):
        gradient = [slope * entry for slope, entry in zip(slopes, gradient, strict=True)]
    return loss, gradient


def _with_masks(objective: Objective, images: list[arb], coefficients: list[arb]) -> Row:
    """Classes at -inf are left out of the sums and keep -t_j, and what they have of the target counts in A."""
    kept = [j for j, image in enumerate(images) if image != -math.inf]
    finite, own = [images[j] for j in kept], [coefficients[j] for j in kept]
    loss, entries = _with_terms(objective, finite, own)
    gradient = [-t for t in coefficients]
    lost = sum((t for image, t in zip(images, coefficients, strict=True) if image == -math.inf), arb(0))
    for j, entry, p in zip(kept, entries, softmax_of(finite)[0], strict=True):
        gradient[j] = entry + lost * p
    return loss, gradient


def _with_terms(objective: Objective, logits: list[arb], coefficients: list[arb]) -> Row:
    """The loss and gradient of finite logits, the row's terms added."""
    loss, gradient = _complement(logits, coefficients)
    terms = {name: value for name, value in objective.real_options.items() if name in ROW_TERMS}
    if not terms:
        return loss, gradient
    p, lse = softmax_of(logits)
    m, coefficient_sum = sum((t * q for t, q in zip(coefficients, p, strict=True)), arb(0)), sum(coefficients, arb(0))
    for name, value in terms.items():
        term, along_lse, along_m = ROW_TERMS[name](lse, m, coefficient_sum, arb(value))
        loss += term
        more = (q * (along_lse + along_m * (t - m)) for t, q in zip(coefficients, p, strict=True))
        gradient = [entry + one for entry, one in zip(gradient, more, strict=True)]
    return loss, gradient


def softmax_of(logits: list[arb]) -> tuple[list[arb], arb]:
    """softmax of one row of finite logits, and the logarithm of the sum of their exponentials."""
    largest = max(logits)
    exponentials = [(x - largest).exp() for x in logits]
    total = sum(exponentials, arb(0))
    return [e / total for e in exponentials], largest + total.log()


def double(precision: int) -> int:
    """Twice the precision. Raises ArithmeticError where that is beyond what any problem needs: an error of gradlab."""
    if precision >= _HIGHEST_PRECISION:
        raise ArithmeticError(f"no narrow enclosure at {precision} bits: the enclosures are wrong")
    return 2 * precision
