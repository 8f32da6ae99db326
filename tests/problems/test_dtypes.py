"""The constants of the formats are those of the dtypes themselves."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype, format_of


@pytest.mark.parametrize("name", DTYPE_NAMES)
def test_the_constants_are_those_of_finfo(name: str) -> None:
    fmt = format_of(name)
    info = ml_dtypes.finfo(as_dtype(name))  # type: ignore[no-untyped-call]  # ml_dtypes leaves it without types
    assert fmt.largest == float(info.max)
    assert fmt.smallest_normal == float(info.smallest_normal)
    assert fmt.smallest_subnormal == float(info.smallest_subnormal)
    assert 2 * fmt.unit_roundoff == float(info.eps)


@pytest.mark.parametrize("name", DTYPE_NAMES)
def test_a_format_leads_back_to_its_dtype(name: str) -> None:
    assert format_of(name).dtype == as_dtype(name)
    assert format_of(as_dtype(name)) is format_of(name)


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_byte_order_does_not_matter(name: str) -> None:
    assert format_of(np.dtype(name).newbyteorder(">")) is format_of(name)


@pytest.mark.parametrize("name", ["int32", "complex64", "float8_e4m3", "bool"])
def test_another_dtype_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="dtype must be one of float16, bfloat16, float32, float64, got"):
        format_of(name)


@pytest.mark.parametrize("name", ["int32", "float8_e4m3"])
def test_another_name_has_no_dtype(name: str) -> None:
    with pytest.raises(ValueError, match="dtype must be one of"):
        as_dtype(name)
