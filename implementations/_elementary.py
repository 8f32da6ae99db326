"""exp, the largest entry and exact sums as numba compiles them into the kernels, without a library call.

exp is written out, so that LLVM can vectorise it; its polynomials are near-minimax, and
tests/implementations/test_elementary.py makes them again. Only here, and where `_accurate_rows` multiplies by a pair,
may a product and a sum be contracted to a fused multiply-add. Nothing assumes that numbers are finite: a NaN stays one.

exp(d + delta) is off by less than 1.4 ULP, whichever of the products are contracted: Sollya and Gappa prove each step,
proofs/README.md. It is 2^n exp(z), z = d + delta - n log(2), computed as 2^n (1 + s), s = r + r^2 q(r), abs(r) at most
0.3466. n C_1 is exact, and so is d - n C_1; r is rounded twice, u/4 each (u/4 is half an ULP of what lies in [1/4,
1/2)), and in float32 n C_2, where it is rounded, and what C_1 + C_2 leaves of log(2) add u/25: r is off from z by
0.54 u, in float64 by u/2. The polynomial errs by 0.18 u of exp(r), in float64 by 0.15 u. What else is rounded before
the last sum comes to less than 0.45 u, and that sum to u/2 below 1, where an ULP is u, and to u above, where it is 2 u.
Where the result is subnormal the last product rounds a second time, but to an ULP that is twice as coarse or more: in
all by (1.4 + 1)/2 at most. Where d is raised to LOWEST the result is 0, and exp(d + delta) less than half of what is
above 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

# exp(r) = 1 + r + r^2 q(r) for abs(r) <= log(2)/2: q from the highest power, error 2^-26.4 and 2^-55.6 of exp(r)
Q32 = tuple(
    np.float32(c)
    for c in (1.3926183587713494542e-3, 8.3631790527225773704e-3, 4.1666554617204574203e-2, 0.16666576989698775683, 0.5)
)
Q64 = (
    2.5100385495510319078e-8,
    2.7620088445409748161e-7,
    2.7557268459997064772e-6,
    2.4801521295954375131e-5,
    1.9841269863053616878e-4,
    1.3888888917213716901e-3,
    8.3333333333300618325e-3,
    4.1666666666624127873e-2,
    0.16666666666666667453,
    0.50000000000000010221,
)
LOWEST32, LOWEST64 = np.float32(-110), -750.0  # exp of it is 0
PER_LOG2_32, PER_LOG2_64 = np.float32(1 / math.log(2)), 1 / math.log(2)
LOG2_32 = (np.float32(0.693359375), np.float32(-2.12194440e-4))  # two parts: the first times 2^8 or 2^11 is exact
LOG2_64 = (6.93147180369123816490e-1, 1.90821492927058770002e-10)
ROUNDER32, ROUNDER64 = np.float32(1.5 * 2**23), 1.5 * 2.0**52  # added to t, it leaves the integer nearest to t
UP32, UP64 = 64, 512  # powers of two that keep 2^n normal until the last product, which may round to a subnormal
DOWN32, DOWN64 = np.float32(2.0**-UP32), 2.0**-UP64


def compiled(**options: Any) -> Any:
    """njit without the counting of references: each view of a row costs a locked operation, which waits for the stores.

    Nothing that is compiled here allocates or keeps an array, so that there is nothing to count.
    """
    return njit(_nrt=False, **options)


def _integer(kind: Any) -> tuple[Any, Any, int]:
    """(integer type, float type, bits of the mantissa) of LLVM for float32 or float64."""
    return (ir.IntType(32), ir.FloatType(), 23) if kind == types.float32 else (ir.IntType(64), ir.DoubleType(), 52)


@intrinsic  # type: ignore[untyped-decorator]
def _raised(typing: Any, rounded: Any) -> Any:
    """2^(n + UP) from rounded = n + ROUNDER, by its bits."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer, floating, mantissa = _integer(rounded)
        rounder = np.float32(ROUNDER32).view(np.int32) if mantissa == 23 else np.float64(ROUNDER64).view(np.int64)
        bias = 127 + UP32 if mantissa == 23 else 1023 + UP64
        bits = builder.add(builder.bitcast(arguments[0], integer), ir.Constant(integer, bias - int(rounder)))
        return builder.bitcast(builder.shl(bits, ir.Constant(integer, mantissa)), floating)

    return rounded(rounded), code


@intrinsic  # type: ignore[untyped-decorator]
def full_width(typing: Any) -> Any:
    """Has the loops of the function in which it stands use all 512 bits of a vector, where there are as many.

    LLVM takes 256 where a processor runs slower with 512; here, where exponentials follow each other, it does not pay.
    A loop that is inlined goes by the function that it is inlined into.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')  # their own add() knows no such attributes
        return context.get_dummy_value()

    return types.void(), code


@intrinsic  # type: ignore[untyped-decorator]
def disjoint(typing: Any) -> Any:
    """Says that what the function in which it stands writes lies in none of its other arrays.

    LLVM else asks at every call, and adds one term at a time where they lie within a vector of each other: the last bit
    of a sum would depend on where the arrays are.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        for argument in builder.function.args:
            if isinstance(argument.type, ir.PointerType):
                argument.add_attribute("noalias")
        return context.get_dummy_value()

    return types.void(), code


@intrinsic  # type: ignore[untyped-decorator]
def larger(typing: Any, a: Any, b: Any) -> Any:
    """The larger of two numbers, and LLVM vectorises it over a row; of a NaN, anything: `settled` makes it a number.

    The flags say so to LLVM, which else keeps the order in which a loop meets a NaN, and with it one number at a time.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        flags = ("nnan", "nsz")
        above = builder.fcmp_ordered(">", arguments[1], arguments[0], flags=flags)
        return builder.select(above, arguments[1], arguments[0], flags=flags)

    return a(a, a), code


@intrinsic  # type: ignore[untyped-decorator]
def settled(typing: Any, value: Any) -> Any:
    """What `larger` made of a row: from here on one and the same number, whatever it is, also where it was of a NaN.

    LLVM's own word for that, freeze, it moves into the loop, where it undoes the flags. So the bits go through an empty
    piece of assembly, which LLVM does not look into.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer, floating, _ = _integer(value)
        bits = builder.bitcast(arguments[0], integer)
        same = builder.asm(ir.FunctionType(integer, [integer]), "", "=r,0", [bits], side_effect=False)
        return builder.bitcast(same, floating)

    return value(value), code


@compiled(fastmath={"contract"})  # type: ignore[untyped-decorator]
def _exp32(d: Any, delta: Any) -> Any:
    """exp(d + delta) for d <= 0 and abs(delta) <= u abs(d), in float32."""
    low = d < LOWEST32
    d = LOWEST32 if low else d
    rounded = d * PER_LOG2_32 + ROUNDER32
    n = rounded - ROUNDER32
    r = (d - n * LOG2_32[0]) - n * LOG2_32[1]
    r += np.float32(0) if low else delta
    q = (((Q32[0] * r + Q32[1]) * r + Q32[2]) * r + Q32[3]) * r + Q32[4]
    return (np.float32(1) + (r + (r * r) * q)) * _raised(rounded) * DOWN32


@compiled(fastmath={"contract"})  # type: ignore[untyped-decorator]
def _exp64(d: Any, delta: Any) -> Any:
    """exp(d + delta) for d <= 0 and abs(delta) <= u abs(d), in float64."""
    low = d < LOWEST64
    d = LOWEST64 if low else d
    rounded = d * PER_LOG2_64 + ROUNDER64
    n = rounded - ROUNDER64
    r = (d - n * LOG2_64[0]) - n * LOG2_64[1]
    r += 0.0 if low else delta
    q = (((Q64[0] * r + Q64[1]) * r + Q64[2]) * r + Q64[3]) * r + Q64[4]
    q = ((((q * r + Q64[5]) * r + Q64[6]) * r + Q64[7]) * r + Q64[8]) * r + Q64[9]
    return (1.0 + (r + (r * r) * q)) * _raised(rounded) * DOWN64


def exponential(d: Any, delta: Any) -> Any:
    """exp(d + delta) in the precision of d; compiled code takes one of the two above."""


@overload(exponential, strict=False)  # type: ignore[untyped-decorator]
def _(d: Any, delta: Any) -> Any:
    if d == types.float32:
        return lambda d, delta: _exp32(d, delta)
    return lambda d, delta: _exp64(d, delta)


@compiled()  # type: ignore[untyped-decorator]
def largest_of(row: Any) -> Any:
    """The largest entry of a row of at least one; anything where the row holds a NaN."""
    full_width()
    largest = row[0]
    for j in range(row.size):
        largest = larger(largest, row[j])
    return settled(largest)


@compiled()  # type: ignore[untyped-decorator]
def two_sum(a: Any, b: Any) -> Any:
    """(s, e) with s = fl(a + b), s + e = a + b; Knuth's, as in `_compensated`."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@compiled()  # type: ignore[untyped-decorator]
def two_product(a: Any, b: Any) -> Any:
    """(p, e) with p = fl(a b), p + e = a b: Dekker's."""
    product = a * b
    a_high, b_high = _upper_half(a), _upper_half(b)
    a_low, b_low = a - a_high, b - b_high
    return product, (((a_high * b_high - product) + a_high * b_low) + a_low * b_high) + a_low * b_low


@compiled()  # type: ignore[untyped-decorator]
def _upper_half(a: Any) -> Any:
    scaled = a * (2.0**27 + 1)
    return scaled - (scaled - a)
