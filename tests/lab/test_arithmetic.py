"""The lab's arithmetic: rounding, bits, ordinals, decimals, and functions to double-double accuracy."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb

from gradlab.problems.dtypes import format_of
from tests.lab.model import BITS, nearest, nearest_to_fraction, precision
from tests.lab.node import run
from tests.lab.settings import DTYPES

SCRIPTS = ("arithmetic.js",)
Array = np.ndarray[Any, np.dtype[Any]]
RELATIVE = 2.0**-95  # log1p near 1 is the least accurate: within about 2^-97


def lab(program: str, data: Any) -> Any:
    return run(SCRIPTS, f"const A = Arithmetic; {program}", data)


def spread(dtype: str, count: int) -> Array:
    """Numbers of a dtype with random bits, finite ones; every number is as likely as another."""
    width = 8 * np.dtype(dtype).itemsize
    drawn = np.random.default_rng(3).integers(0, 2**width, count, dtype=np.uint64, endpoint=False)
    values = drawn.astype(f"uint{width}").view(dtype)
    return np.asarray(values[np.isfinite(values)])


def test_every_float16_is_rounded_to_itself() -> None:
    values = np.arange(2**16, dtype=np.uint16).view(np.float16)
    values = values[np.isfinite(values)].astype(np.float64)
    given = lab("return data.map((x) => A.round(x, A.FORMATS.float16));", values.tolist())
    assert np.array_equal(given, values)


def test_what_lies_halfway_between_two_float16_is_rounded_to_even() -> None:
    ordered = np.arange(0x7BFF, dtype=np.uint16).view(np.float16).astype(np.float64)
    halfway = (ordered[1:] + ordered[:-1]) / 2
    given = lab("return data.map((x) => A.round(x, A.FORMATS.float16));", halfway.tolist())
    assert np.array_equal(given, halfway.astype(np.float16).astype(np.float64))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_float64_numbers_are_rounded_as_numpy_rounds_them(dtype: str) -> None:
    near = spread(dtype, 4_000).astype(np.float64)
    random = np.random.default_rng(5)
    values = near * (1 + random.uniform(-1, 1, near.shape) * 2.0 ** -random.integers(8, 53, near.shape))
    given = lab(
        f"return data.map((x) => A.bitsOf(A.round(x, A.FORMATS.{dtype}), A.FORMATS.float64).toString());",
        values.tolist(),
    )
    with np.errstate(over="ignore"):
        expected = values.astype(dtype).astype(np.float64)
    assert [int(text) for text in given] == expected.view(np.uint64).tolist()


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_beyond_the_largest_number_rounding_gives_infinity_from_halfway_on(dtype: str) -> None:
    fmt = format_of(dtype)
    edge = fmt.largest * (1 + fmt.unit_roundoff / (2 - 2 * fmt.unit_roundoff))  # halfway to the next power of two
    values = [fmt.largest, np.nextafter(edge, 0), edge]
    given = lab(f"return data.map((x) => A.round(x, A.FORMATS.{dtype}) === Infinity);", values)
    assert given == [False, False, True]


@pytest.mark.parametrize("dtype", DTYPES)
def test_bits_and_ordinals_are_numpys_and_lead_back(dtype: str) -> None:
    values = spread(dtype, 3_000)
    program = f"""
    const format = A.FORMATS.{dtype};
    return data.map((x) => {{
      const bits = A.bitsOf(x, format);
      const back = [A.fromBits(bits, format), A.fromOrdinal(A.ordinalOf(x, format), format)];
      return [bits.toString(), back.every((y) => y === x)];
    }});
    """
    given = lab(program, values.astype(np.float64).tolist())
    assert [int(bits) for bits, _ in given] == values.view(f"uint{8 * values.dtype.itemsize}").tolist()
    assert all(leads_back for _, leads_back in given)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_spacing_is_the_distance_to_the_next_number(dtype: str) -> None:
    values = np.abs(spread(dtype, 3_000))
    values = values[values < format_of(dtype).largest]
    given = lab(f"return data.map((x) => A.spacing(x, A.FORMATS.{dtype}));", values.astype(np.float64).tolist())
    following = np.nextafter(values, values.dtype.type(np.inf)).astype(np.float64)
    assert np.array_equal(np.array(given, dtype=np.float64), following - values.astype(np.float64))


def test_the_exact_decimal_has_every_digit() -> None:
    values = spread("float64", 300).tolist()
    given = lab("return data.map(A.exactDecimal);", values)
    assert [Decimal(text) for text in given] == [Decimal(value) for value in values]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_shortest_decimal_leads_back(dtype: str) -> None:
    values = spread(dtype, 1_000)
    given = lab(f"return data.map((x) => A.shortest(x, A.FORMATS.{dtype}));", values.astype(np.float64).tolist())
    assert np.array_equal(np.array([float(text) for text in given]).astype(dtype), values)


def test_the_shortest_decimal_is_as_short_as_pythons() -> None:
    values = spread("float64", 1_000).tolist()
    given = lab("return data.map((x) => A.shortest(x, A.FORMATS.float64));", values)
    assert [len(Decimal(text).normalize().as_tuple().digits) for text in given] == [
        len(Decimal(repr(value)).normalize().as_tuple().digits) for value in values
    ]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_typed_decimal_is_rounded_once(dtype: str) -> None:
    """Short decimals, decimals that lie halfway between two numbers, and decimals just beside those."""
    fmt = format_of(dtype)
    values = np.abs(spread(dtype, 400))
    values = values[(values > 0) & (values < fmt.largest / 2)]
    texts = [f"{float(x):.{digits}g}" for x, digits in zip(values, range(1, 18), strict=False)]
    texts += ["0.1", "-0.3", "1e-45", "16777217", "65520", "2e-8"]
    with localcontext(prec=2_000):
        for x in values[:40]:
            halfway = (Decimal(float(x)) + Decimal(float(np.nextafter(x, x.dtype.type(np.inf))))) / 2
            texts += [f"{halfway:f}", f"{halfway.next_plus():f}", f"{halfway.next_minus():f}"]
    shown = f"A.shortest(Decimals.round(text, A.FORMATS.{dtype}), A.FORMATS.float64)"
    given = run(("arithmetic.js", "decimals.js"), f"const A = Arithmetic; return data.map((text) => {shown});", texts)
    assert [float(text) for text in given] == [nearest_to_fraction(Fraction(text), fmt) for text in texts]


FUNCTIONS: dict[str, tuple[Callable[[arb], arb], float, float]] = {
    "exp": (lambda x: x.exp(), -2000.0, 2000.0),
    "expm1": (lambda x: x.expm1(), -50.0, 50.0),
    "log": (lambda x: x.log(), 2.0**-1000, 2.0**1000),
    "log1p": (lambda x: x.log1p(), 2.0**-1000, 2.0**40),
    "sin": (lambda x: x.sin(), 2.0**-300, 0.5),
    "cos": (lambda x: x.cos(), 2.0**-300, 0.5),
    "atan": (lambda x: x.atan(), 2.0**-300, 0.5),
}


def arguments(low: float, high: float) -> list[float]:
    random = np.random.default_rng(7)
    if low < 0:
        return [*random.uniform(low, high, 300), *(random.choice([-1, 1], 300) * 2.0 ** random.uniform(-300, 3, 300))]
    near_one = 1 + random.uniform(-1, 1, 300) * 2.0 ** -random.uniform(1, 52, 300)
    wide = 2.0 ** random.uniform(np.log2(low), np.log2(high), 300)
    return [float(x) for x in (*wide, *near_one) if low <= x <= high]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_as_accurate_as_it_says(name: str) -> None:
    function, low, high = FUNCTIONS[name]
    values = [x for x in arguments(low, high) if name not in ("log",) or x != 1]
    given = lab(f"return data.map((x) => {{ const {{ h, l, e }} = A.{name}(A.exact(x)); return [h, l, e]; }});", values)
    with precision(400):
        wrong = [
            x for x, parts in zip(values, given, strict=True) if relative_error(parts, function(arb(x))) > RELATIVE
        ]
    assert wrong == []


def relative_error(parts: list[float], truth: arb) -> float:
    high, low, exponent = parts
    value = (arb(high) + arb(low)) * arb(2) ** int(exponent)
    return float(abs((value - truth) / truth).upper())


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_exact_value_is_rounded_once(dtype: str) -> None:
    """Also where it is subnormal, and where its leading part lies halfway between two numbers."""
    fmt = format_of(dtype)
    random = np.random.default_rng(11)
    heads = 1 + random.integers(0, 2**13, 2_000) * 2.0**-12
    tails = random.choice([-1, 0, 1], 2_000) * 2.0 ** -random.integers(54, 100, 2_000)
    exponents = random.integers(fmt.min_exponent - fmt.precision - 2, 13, 2_000)
    parts = [[float(head), float(tail), int(e)] for head, tail, e in zip(heads, tails, exponents, strict=True)]
    given = lab(f"return data.map(([h, l, e]) => A.nearest({{ h, l, e }}, A.FORMATS.{dtype}));", parts)
    with precision(BITS):
        expected = [nearest((arb(head) + arb(tail)) * arb(2) ** e, fmt) for head, tail, e in parts]
    assert given == expected
