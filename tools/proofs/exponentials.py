"""The proofs of exp in `implementations/_elementary.py`: reduction, polynomial, evaluation; of float32 and float64.

exp(d + delta) = 2^n exp(z), z = d + delta - n log(2). Each bound below is a claim of one script and a hypothesis of the
next, so that nothing between the definition and the final error is left to the reader but that 2^n scales exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from tools.proofs.proof import Proof
from tools.proofs.sources import ELEMENTARY, constants


@dataclass(frozen=True)
class Precision:
    """float32 or float64, and the bounds that the scripts hand to each other.

    below, above: the errors of exp(z) in ULP, for z < 0 and for z >= 0. at_one: in ULP of what is below 1, where z is
    so near to 0 that exp(z) and what is computed may lie on different sides of 1.
    """

    bits: str
    digits: int
    least: int  # the smallest subnormal number is 2 to this
    delta: float  # at least u abs(LOWEST)
    reach: float  # of the reduced argument, before delta is added
    multiple: float  # of log(2), at most
    constants_off: float  # of C_1 + C_2
    lost: float  # of it, to rounding and to what the two parts of log(2) leave
    range: float  # of the reduced argument
    argument_off: float  # of it, in all
    second_order: float  # what 1 + h leaves of exp(h), abs(h) <= argument_off
    eta: float  # of the polynomial, relative
    below: float
    above: float
    at_one: float


PRECISIONS = (
    Precision(
        bits="32",
        digits=24,
        least=-149,
        delta=2.0**-17,
        reach=0.34659,
        multiple=159.0,
        constants_off=1.65e-12,
        lost=2.28e-9,
        range=0.3466,
        argument_off=2.0**-24,
        second_order=2.0**-48,
        eta=1.06e-8,
        below=1.4,
        above=1.25,
        at_one=1.25,
    ),
    Precision(
        bits="64",
        digits=53,
        least=-1074,
        delta=2.0**-43,
        reach=0.34658,
        multiple=1082.0,
        constants_off=1.17e-26,
        lost=2.0**-74,
        range=0.3466,
        argument_off=2.0**-53,
        second_order=2.0**-106,
        eta=1.6e-17,
        below=1.4,
        above=1.25,
        at_one=1.25,
    ),
)
DOMAINS = {"below": "z < 0", "above": "z >= 0", "at_one": "z near 0"}
PRODUCTS = {
    "separate": "without fused multiply-add",
    "fused": "every product fused",
    "either": "any of the products fused",
}


def proofs() -> Iterator[Proof]:
    """All of them, from the constants to the error of exp."""
    for precision in PRECISIONS:
        yield from _constants_and_polynomial(precision)
        yield from _reduction(precision)
        yield from _evaluation(precision)


def _constants_and_polynomial(precision: Precision) -> Iterator[Proof]:
    bits, values = precision.bits, _values(precision)
    yield Proof(
        name=f"exp{bits}_constants",
        step=f"kernel_exp{bits}",
        statement="abs(C_1 + C_2 - log(2)), and what 1 + h leaves of exp(h), h the error of the reduced argument",
        template="constants.sollya",
        claims={"constants_off": precision.constants_off, "second_order": precision.second_order},
        values=values,
    )
    yield Proof(
        name=f"exp{bits}_polynomial",
        step=f"kernel_exp{bits}",
        statement=f"1 + r + r^2 q(r) against exp(r), abs(r) <= {precision.range}, relative; eta: of its inverse",
        template="polynomial.sollya",
        claims={"relative_error": precision.eta, "eta": precision.eta},
        values=values,
    )


def _reduction(precision: Precision) -> Iterator[Proof]:
    bits, values = precision.bits, _values(precision)
    code = ((ELEMENTARY, f"_exp{bits}"),)
    yield Proof(
        name=f"exp{bits}_reduction_near",
        step=f"kernel_exp{bits}",
        statement="n = 0 for -1/4 <= d <= 0",
        template="reduction_near.gappa",
        claims={"n": 0.0},
        values=values,
        code=code,
        products="either",
    )
    yield Proof(
        name=f"exp{bits}_reduction_far",
        step=f"kernel_exp{bits}",
        statement="n C_1 and d - n C_1 are exact; the reduced argument and what is lost of it, LOWEST <= d <= -1/4",
        template="reduction_far.gappa",
        claims={
            "n": precision.multiple,
            "multiple_inexact": 0.0,
            "first_product_inexact": 0.0,
            "first_difference_inexact": 0.0,
            "v": precision.reach,
            "lost": precision.lost,
        },
        values=values,
        code=code,
        products="either",
    )


def _evaluation(precision: Precision) -> Iterator[Proof]:
    edge = 2 * precision.delta  # z < 0 where v < -edge, and z > 0 where v > edge
    domains = {
        "below": (-precision.reach, edge, precision.below),
        "above": (-edge, precision.reach, 2 * precision.above),
        "at_one": (-edge, edge, precision.at_one),
    }
    bits = precision.bits
    for domain, (start, stop, most) in domains.items():
        for products in PRODUCTS:
            yield Proof(
                name=f"exp{bits}_{domain}_{products}",
                step=f"kernel_exp{bits}",
                statement=f"error of exp(z) in ULP of what is below 1, {DOMAINS[domain]}, {PRODUCTS[products]}",
                template=f"exp{bits}.gappa",
                claims={"argument_off": precision.argument_off, "r": precision.range, "error": most},
                values=_values(precision) | {"FROM": start.hex(), "TO": stop.hex(), "PIECES": "50"},
                code=((ELEMENTARY, f"_exp{bits}"),),
                products=products,
            )


def _values(precision: Precision) -> dict[str, str]:
    bits, source = precision.bits, constants()
    degree = sum(name.startswith(f"Q{bits}_") for name in source) - 1
    coefficients = [source[f"Q{bits}_{i}"] for i in range(degree + 1)]
    numbers = ("delta", "reach", "lost", "range", "argument_off", "second_order", "eta", "constants_off")
    return {
        **{name: value for name, value in source.items() if name.startswith("Q" + bits)},
        **{name.upper(): getattr(precision, name).hex() for name in numbers},
        "HORNER": reduce(lambda inner, next_one: f"({inner}) * x + {next_one}", coefficients),
        "PER_LOG2": source[f"PER_LOG2_{bits}"],
        "LOG2_1": source[f"LOG2_{bits}_0"],
        "LOG2_2": source[f"LOG2_{bits}_1"],
        "ROUNDER": source[f"ROUNDER{bits}"],
        "LOWEST": source[f"LOWEST{bits}"],
        "FORMAT": f"ieee_{bits}",
        "U": (2.0**-precision.digits).hex(),
        "TINY": f"1b{precision.least - 1}",
    }
