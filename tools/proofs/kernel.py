"""The proofs of what the compiled kernel does otherwise than docs/accuracy.md: it multiplies by an inverse, a pair."""

from __future__ import annotations

from collections.abc import Iterator

from tools.proofs.proof import U32, Proof, U
from tools.proofs.sources import KERNELS

TOTAL, TIMES_FUSED, TIMES = 0.02, 1.001, 2.001  # in u: S N as a pair, and a term times its inverse
SUM_LOW = 2.0**-10  # of its sum before it is a pair: K u sigma, K = 2^20, sigma < 2^22, of S >= 1
INVERSE_REST = 3.001 * U
INVERSE_REST32 = 1.04 * U32  # of the pair of float32
INVERSE_ERROR, INVERSE_ERROR32 = 20 * U**2, 1.01 * U32**2

_FORMS = {
    "separate": "without fused multiply-add",
    "first_fused": "the larger product fused",
    "second_fused": "the smaller product fused",
}
_FUSED = {  # which of the products t first and t second is rounded before the sum
    "separate": {"A": "rnd(t * first)", "B": "rnd(t * second)"},
    "first_fused": {"A": "t * first", "B": "rnd(t * second)"},
    "second_fused": {"A": "rnd(t * first)", "B": "t * second"},
}


def proofs() -> Iterator[Proof]:
    """All of them: the denominator, its inverse, and a product with that."""
    yield Proof(
        name="kernel_total",
        step="kernel_divide",
        statement="S N as a pair, relative to D: without_low and the sum's low part times of_low",
        template="kernel_total.gappa",
        claims={"off_in_parts": 0.0, "without_low": 8 * U**2, "of_low": 3.001 * U, "off": TOTAL * U},
        values={"U": U.hex(), "LOW": SUM_LOW.hex()},
        code=((KERNELS, "accurate_rows"),),
    )
    yield from _inverses()
    for bits, unit, least, share in (("32", U32, -126, INVERSE_REST32), ("64", U, -1022, INVERSE_REST)):
        yield from _times_pair(bits, unit, least, share)


def _inverses() -> Iterator[Proof]:
    yield Proof(
        name="kernel_inverse64",
        step="kernel_divide",
        statement="1 / (h + l) as the pair inverse + rest, relative",
        template="inverse.gappa",
        claims={"rest_share": INVERSE_REST, "error": INVERSE_ERROR},
        values={"U": U.hex()},
        code=((KERNELS, "_divide"),),
    )
    yield Proof(
        name="kernel_inverse32",
        step="kernel_divide",
        statement="the same pair as one of float32, relative to it",
        template="inverse32.gappa",
        claims={"second_share": INVERSE_REST32, "pair -/ exact": INVERSE_ERROR32},
        values={"SHARE": INVERSE_REST.hex()},
        code=((KERNELS, "_divide"),),
    )


def _times_pair(bits: str, unit: float, least: int, share: float) -> Iterator[Proof]:
    """least: the smallest normal number is 2 to this. share: of the pair's smaller part."""
    code = ((KERNELS, "_times_pair"), (KERNELS, "_times"))
    values = {"FORMAT": f"ieee_{bits}", "SHARE": share.hex()}
    for form, products in _FUSED.items():
        yield Proof(
            name=f"kernel_times{bits}_{form}",
            step="kernel_divide",
            statement=f"t times the pair, relative: {_FORMS[form]}",
            template="times_pair.gappa",
            claims={"g -/ exact": (TIMES_FUSED if form == "first_fused" else TIMES) * unit},
            values=values | products,
            code=code,
        )
        yield Proof(
            name=f"kernel_times{bits}_{form}_smallest",
            step="kernel_divide",
            statement=f"t times the pair where it is subnormal, in ULP: {_FORMS[form]}",
            template="times_pair_smallest.gappa",
            claims={"error": 1.0},
            values=values | products | {"SMALLEST": f"1b{least - (23 if bits == '32' else 52)}", "TO": f"1b{least}"},
            code=code,
        )
