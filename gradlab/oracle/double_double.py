"""Double-double arithmetic on NumPy arrays: numbers as unevaluated sums of two float64, and the bound of each step.

Here u = 2^-53, and a pair (h, l) is normalised: RN(h + l) = h, so |l| <= u |h|. Every line below is one NumPy call
on whole arrays, which rounds to nearest and stores a float64: nothing is contracted to a fused multiply-add, because
no two operations ever share a loop. In the loops that `compiled` makes of the same lines they do share one, but LLVM
contracts and reorders only what it is told it may, which is nothing there; `compiled` tries that before it uses them.
Underflow and overflow are kept away by the callers, who scale (the bounds assume neither); hence flush-to-zero would
not matter, for no intermediate that counts is subnormal.

Sources: D. E. Knuth, TAOCP 2, 4.2.2, theorem B (two_sum); T. J. Dekker, Numer. Math. 18, 1971 (fast_two_sum,
split, two_product); M. Joldes, J.-M. Muller, V. Popescu, ACM TOMS 44(2), 2017, doi 10.1145/3121432, and its formal
check, J.-M. Muller, L. Rideau, ACM TOMS 48(1), 2022, doi 10.1145/3484514 (the operations on pairs).

    operation           relative error       source
    two_sum             exact                Knuth
    fast_two_sum        exact                Dekker, for |a| >= |b| or a = 0
    two_product         exact                Dekker
    add_nonnegative     3 u^2                Joldes et al., algorithm 5, operands of one sign
    add                 3 u^2 / (1 - 4 u)    Joldes et al., algorithm 6, any signs
    multiply            8.01 u^2             below
    multiply_by_double  4.01 u^2             below, with l_b = 0

multiply: with a = (h_a, l_a), b = (h_b, l_b) and everything relative to |h_a h_b|, which is at most
|a b| / (1 - u)^2. The product of the highs is exact. Leaving out l_a l_b costs u^2; rounding h_a l_b and l_a h_b costs
u^2 each; their sum is at most 2 u (1 + u), rounded: 2 u^2 (1 + u); adding the product's error, at most u, gives at
most 3 u (1 + u), rounded: 3 u^2 (1 + u). Together (8 + 5 u) u^2 / (1 - u)^2 < 8.01 u^2. The last fast_two_sum is
exact. With l_b = 0: one product, u^2, one sum of at most 2 u (1 + u), 2 u^2 (1 + u): together < 4.01 u^2 with room.
"""

from __future__ import annotations

from gradlab.oracle.intervals import Array

Pair = tuple[Array, Array]

UNIT = 2.0**-53
ADD_ERROR = 3.01 * UNIT**2
MULTIPLY_ERROR = 8.01 * UNIT**2
MULTIPLY_BY_DOUBLE_ERROR = 4.01 * UNIT**2
_SPLITTER = 2.0**27 + 1


def two_sum(a: Array, b: Array) -> Pair:
    """(s, e) with s = RN(a + b) and s + e = a + b exactly."""
    total = a + b
    b_part = total - a
    return total, (a - (total - b_part)) + (b - b_part)


def fast_two_sum(a: Array, b: Array) -> Pair:
    """(s, e) with s = RN(a + b) and s + e = a + b exactly, for |a| >= |b| or a = 0."""
    total = a + b
    return total, b - (total - a)


def split(a: Array) -> Pair:
    """(a_1, a_2) with a_1 + a_2 = a, each of at most 26 bits, for |a| < 2^996."""
    scaled = a * _SPLITTER
    upper = scaled - (scaled - a)
    return upper, a - upper


def two_product(a: Array, b: Array) -> Pair:
    """(p, e) with p = RN(a b) and p + e = a b exactly, for |a b| in [2^-960, 2^996] or 0."""
    product = a * b
    a_1, a_2 = split(a)
    b_1, b_2 = split(b)
    error = a_1 * b_1 - product
    error += a_1 * b_2
    error += a_2 * b_1
    error += a_2 * b_2
    return product, error


def add_nonnegative(a: Pair, b: Pair) -> Pair:
    """a + b for a, b >= 0, with relative error at most ADD_ERROR."""
    total, error = two_sum(a[0], b[0])
    return fast_two_sum(total, error + (a[1] + b[1]))


def add(a: Pair, b: Pair) -> Pair:
    """a + b, with relative error at most ADD_ERROR."""
    total, error = two_sum(a[0], b[0])
    low, low_error = two_sum(a[1], b[1])
    total, error = fast_two_sum(total, error + low)
    return fast_two_sum(total, error + low_error)


def multiply(a: Pair, b: Pair) -> Pair:
    """a b, with relative error at most MULTIPLY_ERROR."""
    product, error = two_product(a[0], b[0])
    return fast_two_sum(product, error + (a[0] * b[1] + a[1] * b[0]))


def multiply_by_double(a: Pair, b: Array) -> Pair:
    """a b for a float64 b, with relative error at most MULTIPLY_BY_DOUBLE_ERROR."""
    product, error = two_product(a[0], b)
    return fast_two_sum(product, error + a[1] * b)


def row_sums(terms: Pair) -> Pair:
    """The sum of each row of non-negative pairs (n_rows, n); overwrites the terms.

    Halves the row until one is left: relative error at most (1 + ADD_ERROR)^ceil(log2 n) - 1, see `sum_error`.
    """
    high, low = terms
    length = high.shape[1]
    while length > 1:
        half = (length + 1) // 2
        left = (high[:, : length - half], low[:, : length - half])
        right = (high[:, half:length], low[:, half:length])
        left[0][...], left[1][...] = add_nonnegative(left, right)
        length = half
    return high[:, 0], low[:, 0]


def sum_error(length: int) -> float:
    """The relative error bound of `row_sums` over `length` terms: 1.01 ceil(log2 length) ADD_ERROR.

    (1 + a)^n - 1 <= 1.01 n a as long as n a < 0.01, which holds for every n that fits in memory.
    """
    return 1.01 * max(length - 1, 0).bit_length() * ADD_ERROR
