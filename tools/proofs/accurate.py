"""The proofs of steps 1 to 6 of docs/accuracy.md.

Everything is scaled by powers of two to [1, 2), which is exact where nothing underflows; where something may, a script
of its own has the smallest numbers as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.proofs.proof import U32, Proof, U
from tools.proofs.sources import ACCURATE, COMPENSATED, ELEMENTARY, KERNELS

TERM, TERM_SMALLEST = 0.001, 1.001  # in u: E + C, and where C may be subnormal
ANSWER, ANSWER_SMALLEST, ANSWER32 = 2.001, 2.02, 1.001  # in u: an entry; the sum in it where C may be subnormal
CORRECTION = 2.0**-42  # 2^11 u: at least abs(delta), and so abs(C) / E; 745 u, twice that in step 6
DELTA = 2.0**-44  # 512 u, half an ULP of a d with exp(d) > 0
LABEL = 0.37 * U  # at least abs(C_y) / S, u abs(d) exp(d)
RHO, RHO_OFF = 3.4 * U, 16 * U**2
DROPPED = 2.0**-91  # of an answer, beside its two roundings
FAR, FAR_KERNEL = 8.01, 1e-9 * U  # the pair of step 6, in u^2; half of it in the kernel
SHARES = {"CORRECTION": CORRECTION.hex(), "RHO": RHO.hex(), "RHO_OFF": RHO_OFF.hex(), "U": U.hex()}
FAR_LOW = 2.0**-32  # of the kernel's sum of the others over it, K u


def proofs() -> Iterator[Proof]:
    """All of them, in the order of the steps."""
    yield from _differences_and_terms()
    yield from _sums()
    yield from _totals()
    yield from _answers()
    yield from _far()


def _differences_and_terms() -> Iterator[Proof]:
    for bits, unit, path, function in (
        ("32", U32, ELEMENTARY, "two_sum"),
        ("64", U, COMPENSATED, "two_difference"),
    ):
        yield Proof(
            name=f"difference{bits}",
            step="difference",
            statement="abs(delta) <= u abs(d), for x - m = d + delta",
            template="difference.gappa",
            claims={"share": unit},
            values={"FORMAT": f"ieee_{bits}"},
            code=((path, function),),
        )
    yield Proof(
        name="term_second_order",
        step="term",
        statement="exp(delta) is 1 + delta, abs(delta) <= 512 u, and for what the other scripts take, 2^11 u",
        template="second_order.sollya",
        claims={"second_order": 2.0**-35 * U, "generous": CORRECTION**2},
        values={"DELTA": DELTA.hex(), "CORRECTION": CORRECTION.hex()},
    )
    for name, start, stop, most in (
        ("term", 0, 1, TERM),
        ("term_smallest", -1022, -1010, TERM_SMALLEST),
        ("term_above_smallest", -1010, -1009, TERM),
    ):
        yield Proof(
            name=name,
            step="term",
            statement=f"E + C, C = fl(E delta), for exp(d + delta) (1 + off), 2^{start} <= E <= 2^{stop}, relative",
            template="term.gappa",
            claims={"sum -/ known": most * U},
            values=_from_to(start, stop) | {"DELTA": CORRECTION.hex(), "SQUARE": (CORRECTION**2).hex()},
            code=((COMPENSATED, "exponentials_of_difference"),),
        )


def _sums() -> Iterator[Proof]:
    code = ((COMPENSATED, "_cut_sum"), (KERNELS, "_cut"))
    statements = {
        "cut": "E / sigma >= 2^-54: upper is a multiple of 2 u, off by u at most; lower is exact",
        "cut_small": "E / sigma <= 2^-54: upper is 0",
        "cut_sum": "multiples of 2 u sigma add up exactly, as long as their sum is at most sigma",
    }
    claims = {
        "cut": {"upper": 1.0, "upper_off": U, "lower_inexact": 0.0},
        "cut_small": {"upper": 0.0},
        "cut_sum": {"sum_inexact": 0.0},
    }
    for name, statement in statements.items():
        yield Proof(name, "sum", statement, f"{name}.gappa", claims[name], {}, code)


def _totals() -> Iterator[Proof]:
    yield Proof(
        name="total",
        step="total",
        statement="S N = D (1 + rho + rho_off)",
        template="total.gappa",
        claims={"rho": RHO, "rho_off": RHO_OFF},
        values=SHARES | {"CORRECTION": LABEL.hex()},
        code=((ACCURATE, "_divide"),),
    )
    yield Proof(
        name="reciprocal",
        step="total",
        statement="1 / (1 + rho) is 1 - rho",
        template="reciprocal.gappa",
        claims={"off": 12 * U**2},
        values=SHARES,
        code=((ACCURATE, "_divide"),),
    )
    yield Proof(
        name="minus_one",
        step="total",
        statement="h - 1 is exact for 1 <= h <= 2^21",
        template="minus_one.gappa",
        claims={"difference_inexact": 0.0},
        values={"POWERS": ", ".join(f"1b{e}" for e in range(1, 21))},
        code=((ACCURATE, "_divide"),),
    )


def _answers() -> Iterator[Proof]:
    yield Proof(
        name="answers",
        step="answers",
        statement="fl(fl(E + (C - rho E)) / D) for (E + C) / (S N), relative; dropped: all but the two roundings",
        template="answers.gappa",
        claims={"dropped": DROPPED, "s -/ Y": 1.001 * U, "g -/ quotient": ANSWER * U},
        values=SHARES,
        code=((ACCURATE, "_divide"),),
    )
    for name, start, stop, most in (
        ("smallest", -1022, -1010, ANSWER_SMALLEST),
        ("above_smallest", -1010, -1009, 1.001),
    ):
        yield Proof(
            name=f"answers_{name}",
            step="answers",
            statement=f"s = fl(E + (C - rho E)), C = fl(E delta), 2^{start} <= E <= 2^{stop}, relative",
            template="answers_smallest.gappa",
            claims={"s -/ Y": most * U},
            values=SHARES | _from_to(start, stop) | {"SQUARE": (CORRECTION**2).hex()},
            code=((ACCURATE, "_divide"),),
        )
    yield Proof(
        name="answers32",
        step="answers",
        statement="t / D of float64 numbers, rounded to float64 and to float32, relative",
        template="answers32.gappa",
        claims={"g -/ quotient": ANSWER32 * U32},
        values={},
        code=((ACCURATE, "_losses_in_float64"),),
    )


def _from_to(start: int, stop: int) -> dict[str, str]:
    """E from 2^start to 2^stop: split at 32 places in each of the first two binades, and at the powers of two."""
    fine = [f"{32 + k}b{e - 5}" for e in range(start, min(start + 2, stop)) for k in range(32)]
    points = fine[1:] + [f"1b{e}" for e in range(start + 2, stop)]
    return {"FROM": f"1b{start}", "TO": f"1b{stop}", "PIECES": f"({', '.join(points)})"}


def _far() -> Iterator[Proof]:
    yield Proof(
        name="far",
        step="far",
        statement="half sum half as a pair, relative, in u^2",
        template="far.gappa",
        claims={"off": FAR},
        values={"U": U.hex()},
        code=((ACCURATE, "_sum_of_far"),),
    )
    yield Proof(
        name="far_kernel",
        step="far",
        statement="half sum as a pair in the compiled kernel, relative",
        template="far_kernel.gappa",
        claims={"off": FAR_KERNEL},
        values={"SHARE": FAR_LOW.hex(), "CORRECTION": CORRECTION.hex(), "U": U.hex()},
        code=((KERNELS, "_behind_in_parts"),),
    )
