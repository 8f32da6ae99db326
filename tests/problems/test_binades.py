"""The sweeps of binades, and tiles that are all masked."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradlab.problems.dtypes import DTYPE_NAMES, format_of
from gradlab.problems.families.binades import MIN_EXPONENT, all_binades, binades
from gradlab.problems.families.domain import TILES, masked_tiles

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", DTYPE_NAMES)
def test_every_binade_has_a_row_of_each_sign_alone_and_beside_ordinary_logits(name: str) -> None:
    fmt = format_of(name)
    wanted = set(range(MIN_EXPONENT, math.frexp(fmt.largest)[1]))
    alone, beside = binades(fmt, RNG)
    for problem in (alone, beside):
        first = problem.logits64[:, 0]
        for sign in (1, -1):
            exponents = np.frexp(first[np.sign(first) == sign])[1] - 1
            assert set(exponents.tolist()) == wanted
    assert (np.abs(beside.logits64[:, 1:]) <= 1).all()


@pytest.mark.parametrize("name", DTYPE_NAMES)
def test_standard_goes_down_to_the_smallest_number(name: str) -> None:
    fmt = format_of(name)
    smallest = min(np.abs(problem.logits64[:, 0]).min() for problem in all_binades(fmt, RNG))
    assert smallest <= 2 * fmt.smallest_subnormal


@pytest.mark.parametrize("tile", TILES[1:])
def test_each_tile_is_all_masked_in_some_row_first_last_and_between(tile: int) -> None:
    (problem,) = masked_tiles(format_of("float32"), RNG)
    masked = problem.logits64 == -np.inf
    assert (masked[:, :tile].all(axis=1) & ~masked[:, tile]).any()
    assert (masked[:, -tile:].all(axis=1) & ~masked[:, 0]).any()
    assert (masked[:, tile : 2 * tile].all(axis=1) & ~masked[:, 0] & ~masked[:, -1]).any()


def test_no_label_is_masked() -> None:
    (problem,) = masked_tiles(format_of("float64"), RNG)
    assert np.isfinite(problem.logits64[np.arange(problem.n_rows), problem.targets]).all()
