"""The proofs of exp in double-double, `gradlab/oracle/fast/exponential.py`: reduction, expm1, product with a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tools.proofs.proof import Proof
from tools.proofs.sources import ORACLE_EXPONENTIAL, oracle_constants

CONSTANTS_OFF = 2.0**-121
POLYNOMIAL_OFF = 2.0**-96
R_HIGH, R_LOW = 8.49e-5, 2.96e-13  # of the reduced argument
R_OFF = 2.0**-94
Y_HIGH, Y_LOW = 8.5e-5, 4e-13  # of expm1 of it
Y_OFF = 2.0**-92.5
PRODUCT_OFF = 2.0**-91.5
TABLE_OFF = 2.0**-105  # tests/oracle/test_exponential.py has every entry


def total() -> float:
    """The relative error of `exp_with` that the claims come to."""
    reduced = Y_OFF + POLYNOMIAL_OFF + 1.0001 * R_OFF
    return (reduced + PRODUCT_OFF + TABLE_OFF) / (1 - 2.0**-13)


def proofs() -> Iterator[Proof]:
    """All of them."""
    constants = oracle_constants()
    for name, statement, claims, places in _parts():
        yield Proof(
            name=f"oracle_{name}",
            step="oracle_exp",
            statement=statement,
            template=f"oracle_{name}.{'sollya' if name == 'constants' else 'gappa'}",
            claims=claims,
            values=constants | {place: value.hex() for place, value in places.items()},
            code=((ORACLE_EXPONENTIAL, "exp_with"), (ORACLE_EXPONENTIAL, "expm1")),
        )


def _parts() -> Iterator[tuple[str, str, Mapping[str, float], Mapping[str, float]]]:
    """Name, statement, claims and bounds that are taken from the other parts."""
    yield (
        "constants",
        "abs(C_1 + C_2 + C_3 - log(2) / 4096), and the polynomial against expm1(r)",
        {"constants_off": CONSTANTS_OFF, "polynomial_off": POLYNOMIAL_OFF},
        {"RANGE": R_HIGH + 2 * R_LOW},
    )
    yield "reduction_near", "k = 0 for -2^-14 <= d <= 0", {"k": 0.0}, {}
    exact = ("first_inexact", "second_inexact", "r1_inexact", "r_high_inexact")
    yield (
        "reduction_far",
        "k C_1, k C_2 and r_high are exact; r_high + r_low is off from d + d_low - k C by r_off",
        dict.fromkeys(exact, 0.0) | {"r_high": R_HIGH, "r_low": R_LOW, "r_off": R_OFF},
        {"CONSTANTS_OFF": CONSTANTS_OFF},
    )
    yield (
        "expm1",
        "the pair against the polynomial in exact arithmetic, absolute",
        {"high": Y_HIGH, "low": Y_LOW, "y_off": Y_OFF},
        {"R_HIGH": R_HIGH, "R_LOW": R_LOW},
    )
    yield (
        "product",
        "T (1 + y) as a pair, relative",
        {"off": PRODUCT_OFF},
        {"Y_HIGH": Y_HIGH, "Y_LOW": Y_LOW},
    )
