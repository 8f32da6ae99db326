"""The proofs of error-free transformations, and of the oracle's arithmetic on pairs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tools.proofs.proof import Proof, U
from tools.proofs.sources import COMPENSATED, DOUBLE_DOUBLE, ELEMENTARY, top_level_values

UPPER, LOWER = 2 + 2.0**-25, 2.0**-26 + 2.0**-52  # of the halves of a number: a little more than is true
_SPLIT_AT = (1 + 2.0**-52, 1 + 2.0**-26, 2 - 2.0**-26, 2 - 2.0**-51, 2 - 2.0**-52)


def proofs() -> Iterator[Proof]:
    """All of them."""
    yield from _products()
    yield from _pairs_of_the_oracle()


def _products() -> Iterator[Proof]:
    code = ((ELEMENTARY, "two_product"), (COMPENSATED, "two_product"), (DOUBLE_DOUBLE, "two_product"))
    halves = ((ELEMENTARY, "_upper_half"), (COMPENSATED, "_halves"), (DOUBLE_DOUBLE, "split"))
    splitter = top_level_values(DOUBLE_DOUBLE, {"_SPLITTER"})["_SPLITTER"]
    ranges = [(1.0, 1.0), *pairwise(_SPLIT_AT)]
    for place, (start, stop) in enumerate(ranges, 1):
        yield Proof(
            name=f"two_product_split{place}",
            step="two_product",
            statement=f"two parts of at most 26 bits whose sum is a, {start.hex()} <= a <= {stop.hex()}",
            template="split.gappa",
            claims={"upper_inexact": 0.0, "lower_inexact": 0.0, "upper": UPPER, "lower": LOWER},
            values={
                "SPLITTER": f"{splitter:.0f}",
                "SPLITTER_1": f"{splitter - 1:.0f}",
                "FROM": start.hex(),
                "TO": stop.hex(),
            },
            code=halves,
        )
    yield Proof(
        name="two_product",
        step="two_product",
        statement="the error of a product is exact, in either order of its sum",
        template="two_product.gappa",
        claims={"error": 0.0, "other_error": 0.0},
        values={"UPPER": UPPER.hex(), "LOWER": LOWER.hex()},
        code=code,
    )


def _pairs_of_the_oracle() -> Iterator[Proof]:
    names = {"UNIT", "ADD_ERROR", "MULTIPLY_ERROR", "MULTIPLY_BY_DOUBLE_ERROR"}
    errors = {name: value / U**2 for name, value in top_level_values(DOUBLE_DOUBLE, names).items()}
    for function, template, most in (
        ("multiply", "pair_product", errors["MULTIPLY_ERROR"]),
        ("multiply_by_double", "pair_by_double", errors["MULTIPLY_BY_DOUBLE_ERROR"]),
        ("add_nonnegative", "pair_sum", errors["ADD_ERROR"]),
    ):
        yield Proof(
            name=f"double_double_{function}",
            step="double_double",
            statement=f"{function}, relative to the product or the sum of the upper parts, in u^2",
            template=f"{template}.gappa",
            claims={"error": most - 0.001},  # the exact result is less than that by (1 - u)^2 at most
            values={"U": U.hex()},
            code=((DOUBLE_DOUBLE, function),),
        )
