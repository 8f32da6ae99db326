"""The proofs of steps 1 to 6 of docs/accuracy.md.

Everything is scaled by powers of two to [1, 2), which is exact where nothing underflows; where something may, a script
of its own has the smallest numbers as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.proofs.proof import U32, Proof, U
from tools.proofs.sources import ACCURATE, COMPENSATED, KERNELS

CORRECTION = 2.0**-43  # 2^10 u: at least abs(delta), and so abs(C) / E, as exp(-746) is 0 in float64
CORRECTION32 = 104 * U32
RHO = 1.03 * CORRECTION
RHO_OFF = 2.0**-92
FAR_LOW = 2.0**-32  # of the kernel's sum of the others over it, K u


def proofs() -> Iterator[Proof]:
    """All of them, in the order of the steps."""
    yield from _differences_and_terms()
    yield from _sums()
    yield from _answers()
    yield from _far()


def _differences_and_terms() -> Iterator[Proof]:
    for bits, unit in (("32", U32), ("64", U)):
        yield Proof(
            name=f"difference{bits}",
            step="difference",
            statement="abs(delta) <= u abs(d), for x - m = d + delta",
            template="difference.gappa",
            claims={"share": unit},
            values={"FORMAT": f"ieee_{bits}"},
            code=((COMPENSATED, "two_difference"),),
        )
    yield from _terms("32", (1.001, 1.52, 1.002))
    yield from _terms("64", (0.001, 1.001, 0.001))


def _terms(bits: str, most: tuple[float, float, float]) -> Iterator[Proof]:
    """most: in u, for E far above the smallest normal number, for E up to 2^12 times that, and from there on."""
    single = bits == "32"
    delta, unit, least = (CORRECTION32, U32, -126) if single else (CORRECTION, U, -1022)
    computed, name = ("fl(E + C)", "t") if single else ("E + C", "sum")
    places = {"": (0, 1), "_smallest": (least, least + 12), "_above_smallest": (least + 12, least + 13)}
    for (place, (start, stop)), units in zip(places.items(), most, strict=True):
        yield Proof(
            name=f"term{bits}{place}",
            step="term",
            statement=f"{computed} for exp(d + delta) (1 + off), 2^{start} <= E <= 2^{stop}, relative",
            template="term.gappa",
            claims={f"{name} -/ known": units * unit},
            values={
                "FORMAT": f"ieee_{bits}",
                "FROM": f"1b{start}",
                "TO": f"1b{stop}",
                "DELTA": delta.hex(),
                "SQUARE": (delta**2).hex(),
                "PIECES": _pieces(start, stop),
            },
            code=((COMPENSATED, "exponentials_of_difference"),),
        )


def _pieces(start: int, stop: int) -> str:
    """Where to split 2^start to 2^stop: 32 places in each of the first two binades, and the powers of two."""
    fine = [f"{32 + k}b{e - 5}" for e in range(start, min(start + 2, stop)) for k in range(32)]
    return f"({', '.join(fine[1:] + [f'1b{e}' for e in range(start + 2, stop)])})"


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


def _answers() -> Iterator[Proof]:
    divide = ((ACCURATE, "_divide"),)
    shares = {"CORRECTION": CORRECTION.hex(), "RHO": RHO.hex(), "RHO_OFF": RHO_OFF.hex(), "U": U.hex()}
    powers = ", ".join(f"1b{e}" for e in range(1, 21))
    yield Proof(
        name="total",
        step="total",
        statement="S N = D (1 + rho + rho_off)",
        template="total.gappa",
        claims={"rho": RHO, "rho_off": RHO_OFF},
        values=shares,
        code=divide,
    )
    yield Proof(
        name="minus_one",
        step="total",
        statement="h - 1 is exact for 1 <= h <= 2^21",
        template="minus_one.gappa",
        claims={"difference_inexact": 0.0},
        values={"POWERS": powers},
        code=divide,
    )
    yield Proof(
        name="answers",
        step="answers",
        statement="fl(fl(E + (C - rho E)) / D) for (E + C) / (S N), relative; dropped: all but the two roundings",
        template="answers.gappa",
        claims={"dropped": 2.0**-83, "s -/ Y": 1.001 * U, "g -/ quotient": 2.001 * U},
        values=shares,
        code=divide,
    )
    for name, start, stop, most in (("smallest", -1022, -1010, 2.02), ("above_smallest", -1010, -1009, 1.001)):
        yield Proof(
            name=f"answers_{name}",
            step="answers",
            statement=f"s = fl(E + (C - rho E)), C = fl(E delta), 2^{start} <= E <= 2^{stop}, relative",
            template="answers_smallest.gappa",
            claims={"s -/ Y": most * U},
            values=shares
            | {
                "FROM": f"1b{start}",
                "TO": f"1b{stop}",
                "SQUARE": (CORRECTION**2).hex(),
                "PIECES": _pieces(start, stop),
            },
            code=divide,
        )


def _far() -> Iterator[Proof]:
    yield Proof(
        name="far",
        step="far",
        statement="half sum half as a pair, relative",
        template="far.gappa",
        claims={"pair -/ exact": 0.001 * U},
        values={"SHARE": U.hex()},
        code=((ACCURATE, "_sum_of_far"),),
    )
    yield Proof(
        name="far_kernel",
        step="far",
        statement="half sum as a pair in the compiled kernel, relative",
        template="far_kernel.gappa",
        claims={"pair -/ exact": 0.001 * U},
        values={"SHARE": FAR_LOW.hex(), "CORRECTION": CORRECTION.hex()},
        code=((KERNELS, "_behind_in_parts"),),
    )
