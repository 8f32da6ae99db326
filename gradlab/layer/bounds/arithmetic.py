"""How the products of a layer are added up: what an inner product of n terms carries, in roundings of the dtype.

By default in the dtype of the arrays, or in float32 where that is half precision, as sums are at the level of the
logits (`rounding_counts.sum_roundings`). `accumulates_in` claims otherwise: a wider dtype makes the bounds narrower, a
narrower one wider. An inner product of n terms in a dtype of unit u carries n [1], in whatever order: a rounding for
each product and n - 1 for the sum, fused or not. In units of the dtype of the arrays that is n u_sum/u, and a last
rounding to it where the sums are wider. "tf32" is float32 with operands that are rounded to 11 bits first, 2 2^-11 for
each product.

Where the rounding errors are independent and zero on average, sqrt(n) takes the place of n: see `probable`.

[1] C.-P. Jeannerod, S. M. Rump, Improved error bounds for inner products in floating-point arithmetic, SIAM J. Matrix
    Anal. Appl. 34(2), 2013, doi 10.1137/120894488: n u |x|^T |y|, without a denominator.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradlab.problems.dtypes import DTYPE_NAMES, Format, format_of

TF32 = "tf32"
ACCUMULATES_IN = (*DTYPE_NAMES, TF32)  # what may be claimed
_TF32_OPERAND = 2.0**-11


@dataclass(frozen=True)
class Arithmetic:
    """The products of a problem's format, and where they are added.

    fmt: of the arrays. sums: in which inner products are added. operand: the relative error of each operand, for it is
    rounded first.
    """

    fmt: Format
    sums: Format
    operand: float = 0.0

    @property
    def is_wider(self) -> bool:
        return self.sums.unit_roundoff < self.fmt.unit_roundoff

    @property
    def smallest(self) -> float:
        """What underflow may cost in a product, or in what is made of a sum."""
        return max(self.fmt.smallest_subnormal, self.sums.smallest_subnormal)

    @property
    def largest(self) -> float:
        """What nothing on the way may exceed."""
        return min(self.fmt.largest, self.sums.largest)

    def roundings(self, n_terms: int) -> float:
        """What an inner product of so many terms carries, in any order, in units of the format."""
        unit = self.fmt.unit_roundoff
        own = n_terms * self.sums.unit_roundoff + 2 * self.operand
        return own / unit + self.is_wider


def arithmetic(fmt: Format, accumulates_in: str | None = None) -> Arithmetic:
    """The arithmetic that is expected of arrays of a format, or the one claimed. Raises ValueError for other names."""
    if accumulates_in is None:
        return Arithmetic(fmt, fmt if fmt.precision >= 24 else format_of("float32"))
    if accumulates_in not in ACCUMULATES_IN:
        raise ValueError(f"accumulates_in must be one of {', '.join(ACCUMULATES_IN)}, got {accumulates_in!r}")
    if accumulates_in == TF32:
        operand = _TF32_OPERAND if fmt.precision > 11 else 0.0  # half precision is held as it is
        return Arithmetic(fmt, format_of("float32"), operand)
    return Arithmetic(fmt, format_of(accumulates_in))
