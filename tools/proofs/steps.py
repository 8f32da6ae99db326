"""What stands on the proofs by machine, step by step of docs/accuracy.md, and what stands beside them by hand."""

from __future__ import annotations

from dataclasses import dataclass

from tools.proofs import exponentials, oracle
from tools.proofs.accurate import ANSWER, ANSWER32, ANSWER_SMALLEST, FAR, FAR_KERNEL, RHO, RHO_OFF, TERM, TERM_SMALLEST
from tools.proofs.arithmetic import PAIRS
from tools.proofs.kernel import INVERSE_ERROR, INVERSE_ERROR32, TIMES, TIMES_FUSED, TOTAL
from tools.proofs.proof import U32, U


@dataclass(frozen=True)
class Step:
    """machine: what the scripts of the step prove together, empty without any. by_hand: what they leave open."""

    machine: str
    by_hand: str


_EXP = {p.bits: max(p.below, p.above) for p in exponentials.PRECISIONS}
_EXP_BY_HAND = (
    "2^n scales exactly; a subnormal result is off by (b + 1)/2 ULP at most where a normal one is off by b, since its"
    " ULP is twice as large or more; below LOWEST exp is less than half the smallest number, and the result 0"
)

STEPS = {
    "difference": Step(
        "abs(delta) <= u abs(d)",
        "x - m = d + delta exactly: two_sum",
    ),
    "term": Step(
        f"E + C is exp(d + delta) (1 + off) to {TERM} u for E >= 2^12 omega, and to {TERM_SMALLEST} u for E >= omega,"
        " where C = fl(E delta) may be subnormal; off is what exp is off by, 2 beta u at most",
        "exp(delta) = 1 + delta + k, abs(k) <= delta^2; where E is subnormal, C adds half the smallest number",
    ),
    "sum": Step(
        "a term is cut at a multiple of 2 u sigma and leaves u sigma at most; both parts are exact, and upper parts"
        " add up exactly while their sum is at most sigma",
        "the sum of the lower parts: (K - 1) u of the sum of their sizes, in groups less",
    ),
    "total": Step(
        f"S N = D (1 + rho + rho_off), abs(rho) <= {RHO / U:g} u, abs(rho_off) <= {RHO_OFF / U**2:g} u^2; 1 / (1 + rho)"
        f" is 1 - rho to 12 u^2; h - 1 is exact for 1 <= h <= 2^21",
        "two_sum, and abs(l) <= u h after fast_two_sum",
    ),
    "answers": Step(
        f"fl(fl(E + (C - rho E)) / D), and so with h and l, is off by {ANSWER} u; all but its two roundings comes to"
        f" 2^-91. Where omega <= E <= 2^12 omega, products are subnormal, and the first of the two counts"
        f" {ANSWER_SMALLEST} u with what C loses. In float32 the quotient and its conversion are {ANSWER32} u",
        "a subnormal quotient adds half an ULP; the loss, fl(h + fl(l + log1p B)), 2 u as its parts are not negative",
    ),
    "far": Step(
        f"half times the sum times half is a pair to {FAR} u^2, and half times the sum in the kernel to"
        f" {FAR_KERNEL / U:g} u",
        "half is off by 2 beta u; the division by 2^600 is exact or rounds to a subnormal number",
    ),
    "kernel_exp32": Step(
        f"exp(d + delta) is off by less than {_EXP['32']} ULP, whichever products are fused", _EXP_BY_HAND
    ),
    "kernel_exp64": Step(
        f"exp(d + delta) is off by less than {_EXP['64']} ULP, whichever products are fused", _EXP_BY_HAND
    ),
    "kernel_divide": Step(
        f"S N is a pair to {TOTAL} u; its inverse a pair to {INVERSE_ERROR / U**2:g} u^2, and that one of float32 to"
        f" {INVERSE_ERROR32 / U32**2:g} u^2, of its own u; t times it is off by {TIMES_FUSED} u where the larger"
        f" product is fused, by {TIMES} u where it is not, and by one ULP where the product is subnormal",
        "between, where only t times the smaller part is subnormal, half the smallest number is added",
    ),
    "two_sum": Step(
        "exact in float32 and float64 where the smaller operand is at least u/2 of the larger, whatever the signs, and"
        " so is fast_two_sum where abs(b) <= abs(a)",
        "where it is smaller, the sum rounds to the larger one, and what is left is the smaller. No sum underflows; one"
        " that overflows is looked after. Without machine: Knuth, The Art of Computer Programming 2, 4.2.2, theorem B;"
        " Boldo, Graillat, Muller, ACM TOMS 44(1), 2017, doi 10.1145/3054947; in Coq: Flocq, TwoSum_correct",
    ),
    "two_product": Step(
        "exact, as _elementary, _compensated and double_double take it, for float64 in [1, 2)",
        "signs and powers of two change nothing where no part is subnormal: a b above 2^-960, a and b below 2^996",
    ),
    "double_double": Step(
        ", ".join(f"{function} is off by {error} u^2" for function, error in PAIRS.items())
        + ", relative to the upper parts",
        "add, of any signs: Joldes, Muller, Popescu, ACM TOMS 44(2), 2017, in Coq by Muller and Rideau, ACM TOMS 48(1),"
        " 2022",
    ),
    "oracle_exp": Step(
        f"the reduction is exact but for {oracle.R_OFF:.2g}, expm1 to {oracle.Y_OFF + oracle.POLYNOMIAL_OFF:.3g}, the"
        f" product to {oracle.PRODUCT_OFF:.3g}: {oracle.total():.3g} in all, below EXP_ERROR",
        "the table, each entry of which tests/oracle/test_exponential.py holds to 2^-105",
    ),
}
