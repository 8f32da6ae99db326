"""The proofs of error-free transformations, and of the oracle's arithmetic on pairs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tools.proofs.proof import Proof, U
from tools.proofs.sources import COMPENSATED, DOUBLE_DOUBLE, ELEMENTARY, top_level_values

UPPER, LOWER = 2 + 2.0**-25, 2.0**-26 + 2.0**-52  # of the halves of a number: a little more than is true
PAIRS = {"multiply": 7.67, "multiply_by_double": 3.29, "add_nonnegative": 3.0}  # in u^2
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
    templates = {"multiply": "pair_product", "multiply_by_double": "pair_by_double", "add_nonnegative": "pair_sum"}
    for function, template in templates.items():
        yield Proof(
            name=f"double_double_{function}",
            step="double_double",
            statement=f"{function}, relative to the product or the sum of the upper parts, in u^2",
            template=f"{template}.gappa",
            claims={"error": PAIRS[function]},
            values={"U": U.hex()},
            code=((DOUBLE_DOUBLE, function),),
        )
