"""The proofs of error-free transformations, and of the oracle's arithmetic on pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from tools.proofs.proof import Proof, U
from tools.proofs.sources import COMPENSATED, DOUBLE_DOUBLE, ELEMENTARY, top_level_values

UPPER, LOWER = 2 + 2.0**-25, 2.0**-26 + 2.0**-52  # of the halves of a number: a little more than is true
STATEMENTS = {
    "smaller": "two_sum is exact where abs(b) is no larger than a, and so is fast_two_sum",
    "larger": "two_sum is exact where abs(b) is no smaller than a",
}
PAIRS = {"multiply": 7.67, "multiply_by_double": 3.29, "add_nonnegative": 3.0}  # in u^2
_SPLIT_AT = (1 + 2.0**-52, 1 + 2.0**-26, 2 - 2.0**-26, 2 - 2.0**-51, 2 - 2.0**-52)


def proofs() -> Iterator[Proof]:
    """All of them."""
    yield from _two_sums()
    yield from _products()
    yield from _pairs_of_the_oracle()


def _two_sums() -> Iterator[Proof]:
    sums = ((ELEMENTARY, "two_sum"), (COMPENSATED, "two_difference"), (DOUBLE_DOUBLE, "two_sum"))
    fast = ((COMPENSATED, "fast_two_sum"), (DOUBLE_DOUBLE, "fast_two_sum"))
    claims = {
        "smaller": {"part_inexact": 0.0, "right_inexact": 0.0},
        "larger": {"rest_inexact": 0.0, "error": 0.0},
    }
    for bits, digits in (("32", 24), ("64", 53)):
        values = {"FORMAT": f"ieee_{bits}", "BELOW_2": (2 - 2.0 ** (1 - digits)).hex()}
        for size, ranges in (("smaller", _smaller(digits)), ("larger", _larger(digits))):
            for place, (start, stop, case) in enumerate(ranges, 1):
                split = {"FROM": start.hex(), "TO": stop.hex(), "CASE": case, "PIECES": _powers_between(start, stop)}
                yield Proof(
                    name=f"two_sum{bits}_{size}{place}",
                    step="two_sum",
                    statement=STATEMENTS[size],
                    where=f"1 <= a < 2, {start} <= b <= {stop} {case}".strip(),
                    template=f"two_sum_{size}.gappa",
                    claims=claims[size],
                    values=values | split,
                    code=sums + fast if size == "smaller" else sums,
                )


Range = tuple[float, float, str]  # of b, and a further hypothesis


def _smaller(digits: int) -> list[Range]:
    """For fast_two_sum up to 2; total - a is at most 2 where b <= a, as b is below 2 and rounding adds its ULP."""
    least = 2.0 ** -(digits + 1)
    cases = [(-1.0, -0.5, "a + b in [0, 1]"), (-1.0, -0.5, "a + b in [1, 2]"), (1.0, 2.0, "total - a in [0, 2]")]
    plain = [(least, 1.0, ""), (-0.5, -least, ""), (-2.0, -1.0, "")]
    return plain + [(start, stop, f"/\\ {case}") for start, stop, case in cases]


def _larger(digits: int) -> list[Range]:
    """The cases of one range hold all that total - a can be, which is b and what rounding adds to it."""
    top = 2**digits
    near = [(2.0, 4.0, "[1, 2]"), (2.0, 4.0, "[2, 6]"), (-4.0, -2.0, "[-4, -1]"), (-4.0, -2.0, "[-6, -4]")]
    far = [f"[{-2 * top}, {-top + 1}]", f"[{-2 * top - 2}, {-2 * top}]"]
    cases = near + [(-2.0 * top, -1.0 * top, case) for case in far]
    plain = [(1.0, 2.0), (-2.0, -1.0), (4.0, 4.0 * top), (-1.0 * top, -4.0), (-4.0 * top, -2.0 * top)]
    return [
        *((start, stop, "") for start, stop in plain),
        *((start, stop, f"/\\ total - a in {case}") for start, stop, case in cases),
    ]


def _powers_between(start: float, stop: float) -> str:
    """A hint that splits b at the powers of two between, of the same sign; none where there are none."""
    sign = -1 if stop < 0 else 1
    low, high = sorted(math.frexp(abs(end))[1] - 1 for end in (start, stop))
    powers = sorted(sign * 2.0**e for e in range(low + 1, high))
    return f"$ b in ({', '.join(power.hex() for power in powers)});" if powers else ""


def _products() -> Iterator[Proof]:
    code = ((ELEMENTARY, "two_product"), (COMPENSATED, "two_product"), (DOUBLE_DOUBLE, "two_product"))
    halves = ((ELEMENTARY, "_upper_half"), (COMPENSATED, "_halves"), (DOUBLE_DOUBLE, "split"))
    splitter = top_level_values(DOUBLE_DOUBLE, {"_SPLITTER"})["_SPLITTER"]
    ranges = [(1.0, 1.0), *pairwise(_SPLIT_AT)]
    for place, (start, stop) in enumerate(ranges, 1):
        yield Proof(
            name=f"two_product_split{place}",
            step="two_product",
            statement="two parts of at most 26 bits, whose sum is a",
            where=f"{start.hex()} <= a <= {stop.hex()}",
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
