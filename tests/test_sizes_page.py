"""docs/sizes.md has the groups of sizes as they are, each with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradlab.problems.sizes import CLASSES, COMMON, FAR_APART, LARGER, ROWS, SPECIAL, Group

PAGE = (Path(__file__).parents[1] / "docs" / "sizes.md").read_text()


@pytest.mark.parametrize("group", [*ROWS.values(), *CLASSES.values()], ids=str)
def test_every_group_is_a_row_of_the_page(group: Group) -> None:
    numbers = ", ".join(f"{number:,}" for number in sorted(group.numbers))
    assert f"| {numbers} | {group.reason} |" in PAGE


@pytest.mark.parametrize("n_classes", COMMON)
def test_the_rows_that_come_with_a_number_of_classes_are_on_the_page(n_classes: int) -> None:
    rows = ", ".join(f"{number:,}" for number in COMMON[n_classes].numbers)
    assert f"| {n_classes:,} | {rows} | {COMMON[n_classes].reason} |" in PAGE


@pytest.mark.parametrize("shape", [*SPECIAL, *FAR_APART, *(shape for shapes in LARGER.values() for shape in shapes)])
def test_every_special_shape_is_named(shape: tuple[int, int]) -> None:
    assert f"{shape[0]:,} x {shape[1]:,}" in PAGE
