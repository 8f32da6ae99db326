"""An array of any layout is made again in another block of memory, and no layout reaches outside its block."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from gradlab.judged.blocks import (
    ALIGNMENT,
    LayoutError,
    address_of,
    aligned_block,
    are_same,
    bits_of,
    bounds_of,
    decode_layout,
    dtype_of,
    encode_layout,
    layout_in,
    lies_plainly,
    memory_at,
    n_bytes_of,
    name_of,
)

MATRIX = np.arange(12.0).reshape(3, 4)
LAYOUTS = {
    "contiguous": MATRIX,
    "Fortran": np.asfortranarray(MATRIX),
    "rows backwards": MATRIX[::-1],
    "both backwards": MATRIX[::-1, ::-1],
    "every second column": MATRIX[:, ::2],
    "one row for all": np.broadcast_to(MATRIX[:1], (5, 4)),
    "unaligned": np.ndarray((3, 4), np.float64, np.zeros(200, np.uint8)[3:]),
    "other byte order": MATRIX.astype(">f8"),
    "no rows": np.zeros((0, 4)),
    "no columns": np.zeros((4, 0), np.float32),
    "one number": np.array(3.5),
    "bfloat16": MATRIX.astype(ml_dtypes.bfloat16),
    "labels": np.arange(5, dtype=np.uint8),
}


@pytest.mark.parametrize("array", LAYOUTS.values(), ids=LAYOUTS)
def test_an_array_is_made_again_with_its_layout(array: Any) -> None:
    low, high = bounds_of(array)
    layout = layout_in(array, low, high - low)
    block = aligned_block(high - low, low % ALIGNMENT)
    block[:] = memory_at(low, high - low, array)
    again = decode_layout(encode_layout(layout)).array_in(block)
    assert again.dtype == array.dtype
    assert again.strides == array.strides
    assert again.tobytes() == array.tobytes()
    assert address_of(block) % ALIGNMENT == low % ALIGNMENT or array.size == 0


GOOD = {"dtype": "<f8", "shape": [2, 3], "strides": [24, 8], "offset": 0, "size": 48}
BAD: dict[str, Any] = {
    "too many rows": {"shape": [3, 3]},
    "a stride beyond the block": {"strides": [32, 8]},
    "a stride before the block": {"strides": [-24, 8]},
    "an offset beyond the block": {"offset": 8},
    "an offset before the block": {"offset": -8},
    "less room than it takes": {"size": 47},
    "a negative length": {"shape": [-1, 3]},
    "a length that is no integer": {"shape": [2.0, 3]},
    "a length that is true": {"shape": [True, 3]},
    "a huge stride": {"strides": [2**63, 8]},
    "one stride too few": {"strides": [8]},
    "objects": {"dtype": "O"},
    "a structure": {"dtype": "f4,f4"},
    "a dtype that is none": {"dtype": "<f8; import os"},
    "a dtype that is a number": {"dtype": 8},
    "a module's name": {"dtype": "finfo"},
    "one name more": {"owner": 1},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_a_layout_that_reaches_outside_its_block_or_is_none_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(LayoutError):
        dtype_of(decode_layout({**GOOD, **change}).dtype)


@pytest.mark.parametrize("plain", [None, [], "layout", {}, {"dtype": "<f8"}])
def test_what_is_no_layout_is_refused(plain: Any) -> None:
    with pytest.raises(LayoutError):
        decode_layout(plain)


@pytest.mark.parametrize("name", ["<f4", "bfloat16", "float8_e4m3fn", "|i1", "<U3", "<c16"])
def test_a_dtype_keeps_its_name(name: str) -> None:
    assert name_of(dtype_of(name)) == name


@pytest.mark.parametrize("array", [one for one in LAYOUTS.values() if lies_plainly(one)])
def test_an_array_that_lies_plainly_is_made_again_from_dtype_and_shape(array: Any) -> None:
    again = np.empty(array.shape, dtype_of(name_of(array.dtype)))
    assert n_bytes_of(name_of(array.dtype), array.shape) == again.nbytes
    bits_of(again)[:] = bits_of(array)
    assert again.tobytes() == array.tobytes()


@pytest.mark.parametrize("shape", [(-1, 3), (1.5,), ("3",), (1 << 62,), (True,), (1,) * 33])
def test_what_is_no_shape_is_refused(shape: Any) -> None:
    with pytest.raises(LayoutError, match="no shape"):
        n_bytes_of("<f8", shape)


@pytest.mark.parametrize("size", [0, 1, 7, 4096, 4097, 100_003])
def test_one_byte_makes_two_blocks_differ(size: int) -> None:
    block = np.arange(size, dtype=np.uint8)
    assert are_same(block, block.copy())
    for place in {0, size // 2, size - 1} if size else ():
        other = block.copy()
        other[place] ^= 1
        assert not are_same(block, other)
