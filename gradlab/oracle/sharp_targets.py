"""Gradient and losses of a block of rows with one active class each: plain labels, weighted or not.

g_j = c e_j with c = t_y / (S D), no subtraction: g_y = -c s where y is the class `top`, else g_y = -c (S - e_y),
which cancels by a factor 2 at most because e_y <= 1 <= S - e_y. loss = t_y (log1p(s) + max - x_y), both terms
non-negative. c, g_y and the loss are balls; c is turned into a pair, and
    g_j = multiply(e_j, c): relative error at most EXP_ERROR + (error of c) + MULTIPLY_ERROR, times 1.01 for products.
"""

from __future__ import annotations

import numpy as np
from flint import arb

from gradlab.oracle.conversion import ball_of, to_enclosures
from gradlab.oracle.double_double import MULTIPLY_ERROR, multiply
from gradlab.oracle.exponential import EXP_ERROR
from gradlab.oracle.intervals import Array, Enclosures, constant, fill, normalised
from gradlab.oracle.row_softmax import NEGLIGIBLE_EXPONENT, Exponentials, column_blocks

Answer = tuple[Enclosures, list[arb]]


def sharp_answer(parts: Exponentials, logits: Array, labels: Array, sizes: tuple[list[arb], arb]) -> Answer:
    """The gradient (R, K) divided by the denominator, and the rows' own losses as balls.

    sizes: the rows' coefficients t_y, and the denominator.
    """
    coefficients, divisor = sizes
    places = np.arange(len(labels))
    scales = [t / ((1 + s) * divisor) for t, s in zip(coefficients, parts.others, strict=True)]
    own = _own_exponentials(parts, labels)
    targets = [-(c * s if e is None else c * (1 + s - e)) for c, s, e in zip(scales, parts.others, own, strict=True)]
    gaps = zip(coefficients, parts.others, parts.highest.tolist(), logits[places, labels].tolist(), strict=True)
    losses = [t * (s.log1p() + (arb(high) - x)) for t, s, high, x in gaps]
    converted = to_enclosures(scales + targets)
    scale, target = converted[: len(labels)], converted[len(labels) :]
    gradient = scaled_exponentials(parts, scale)
    fill(gradient, (places, parts.top), scale)
    fill(gradient, (places, labels), target)
    return gradient, losses


def scaled_exponentials(parts: Exponentials, scale: Enclosures) -> Enclosures:
    """c_i e_ij for each entry, shape (R, K), for non-negative c (R,); the entries at `top` are not meaningful."""
    answer = constant(0.0, parts.high.shape)
    error = scale_error(scale)[:, None]
    c = (scale.high[:, None], scale.low[:, None])
    for columns in column_blocks(*parts.high.shape):
        high, low = multiply((parts.high[:, columns], parts.low[:, columns]), c)
        exponent = parts.exponent[:, columns] + scale.exponent[:, None]
        fill(answer, (slice(None), columns), normalised(high, low, high * error, exponent))
    widen_negligible(answer, parts.negligible, scale)
    return answer


def widen_negligible(answer: Enclosures, where: Array, scale: Enclosures) -> None:
    """Let the entries `where` (R, K), whose exponentials were left out, enclose c e_j: in place."""
    if where.any():
        rows, columns = np.nonzero(where)
        answer.radius[rows, columns] = 1.0
        answer.exponent[rows, columns] = scale.exponent[rows] + (NEGLIGIBLE_EXPONENT + 1)


def scale_error(scale: Enclosures) -> Array:
    """The relative error bound of c_i e_ij, shape (R,), to be applied to the rounded value."""
    return 1.01 * (EXP_ERROR + MULTIPLY_ERROR + 1.01 * scale.radius)


def _own_exponentials(parts: Exponentials, labels: Array) -> list[arb | None]:
    """e_y as a ball for each row, or None where the label is the class `top`."""
    places = np.arange(len(labels))
    columns = (parts.high[places, labels], parts.low[places, labels], parts.exponent[places, labels])
    lost = parts.negligible[places, labels].tolist()
    values = zip(*(column.tolist() for column in columns), (labels == parts.top).tolist(), lost, strict=True)
    nothing = arb(0, (1, NEGLIGIBLE_EXPONENT))
    return [
        None if is_top else nothing if negligible else ball_of(high, low, exponent, EXP_ERROR)
        for high, low, exponent, is_top, negligible in values
    ]
