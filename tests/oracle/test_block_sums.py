"""Sums in blocks of columns keep the bound that is proved of them, which counts every addition on a term's way."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from gradlab.oracle.double_double import ADD_ERROR, fast_two_sum
from gradlab.oracle.fast.block_sums import BLOCK_ENTRIES, block_width, column_blocks, sum_of_pieces, summed_error

Array = np.ndarray[Any, np.dtype[Any]]
SHAPES = [(1, 1), (1, 4096), (1, 4097), (1, 20_000), (3, 5), (3, 5000), (100, 90), (5000, 2), (5000, 1)]


@pytest.mark.parametrize(("n_rows", "n_classes"), [*SHAPES, (0, 7)])
def test_the_blocks_are_all_columns_once_the_first_the_widest_and_none_too_large(n_rows: int, n_classes: int) -> None:
    blocks = list(column_blocks(n_rows, n_classes))
    assert [column for block in blocks for column in range(block.start, block.stop)] == list(range(n_classes))
    widths = [block.stop - block.start for block in blocks]
    assert widths[0] == max(widths) == min(block_width(n_rows), n_classes)
    assert all(width == 1 or width * n_rows <= BLOCK_ENTRIES for width in widths)


@pytest.mark.parametrize(("n_rows", "n_classes"), SHAPES)
def test_a_block_is_as_wide_as_fits(n_rows: int, n_classes: int) -> None:
    del n_classes
    assert block_width(n_rows) == 1 or (block_width(n_rows) + 1) * n_rows > BLOCK_ENTRIES


@pytest.mark.parametrize(("n_rows", "n_classes"), SHAPES)
def test_the_bound_counts_a_level_for_each_halving_and_an_addition_for_each_block(n_rows: int, n_classes: int) -> None:
    width = min(max(BLOCK_ENTRIES // n_rows, 1), n_classes)
    additions = math.ceil(math.log2(width)) + math.ceil(n_classes / width)
    assert summed_error(n_rows, n_classes) == pytest.approx(1.01 * additions * ADD_ERROR, rel=1e-12, abs=0)


@pytest.mark.parametrize(("n_rows", "n_classes"), [(1, 20_000), (1000, 9), (100, 90)])
def test_a_sum_keeps_its_bound(n_rows: int, n_classes: int) -> None:
    rng = np.random.default_rng(n_classes)
    high = rng.uniform(1, 2, (n_rows, n_classes)) * 2.0 ** rng.integers(-30, 1, (n_rows, n_classes))
    high, low = fast_two_sum(high, np.spacing(high) * rng.uniform(-0.5, 0.5, high.shape))
    blocks = column_blocks(n_rows, n_classes)
    total = sum_of_pieces((high[:, columns].copy(), low[:, columns].copy()) for columns in blocks)
    for row in range(min(n_rows, 20)):
        exact = sum(map(Fraction, [*high[row].tolist(), *low[row].tolist()]), Fraction(0))
        got = Fraction(float(total[0][row])) + Fraction(float(total[1][row]))
        assert abs(got - exact) <= exact * Fraction(summed_error(n_rows, n_classes))
