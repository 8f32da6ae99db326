"""The proof of docs/accuracy.md holds on the rows that use up most of it, and notices code that it is not about."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from flint import arb

from tools.lemmas import page, plain, store
from tools.lemmas.inequality import Inequality, share
from tools.lemmas.row import Row, row_from
from tools.lemmas.search import Search, draw
from tools.lemmas.table import INEQUALITIES

compensated = importlib.import_module("gradlab.implementations._compensated")
accurate = importlib.import_module("gradlab.implementations.accurate")

TABLE = store.read()
STORED = [(dtype, name) for dtype, largest in TABLE.items() for name in largest]
NEAR = 0.25  # of what an inequality allows


@pytest.mark.parametrize(("dtype", "name"), STORED)
def test_an_inequality_holds_on_the_row_that_uses_up_most_of_it(dtype: str, name: str) -> None:
    if name.startswith("kernel_"):
        pytest.importorskip("numba")
    assert store.examine(TABLE[dtype][name].row, name) <= 1


@pytest.mark.parametrize("inequality", INEQUALITIES, ids=lambda one: one.name)
def test_some_row_comes_near_to_each_inequality_or_it_says_why_none_does(inequality: Inequality) -> None:
    most = max(largest[inequality.name].used for largest in TABLE.values() if inequality.name in largest)
    assert most <= 1
    assert most >= NEAR or inequality.is_exact or inequality.far_from_it


def test_what_is_stored_is_what_the_table_names() -> None:
    assert {name for _, name in STORED} == {one.name for one in INEQUALITIES}


@pytest.mark.parametrize("of_kernel", [False, True])
@pytest.mark.parametrize("dtype", store.DTYPES)
def test_the_proof_holds_on_rows_that_are_drawn_again(dtype: str, of_kernel: bool) -> None:
    if of_kernel:
        pytest.importorskip("numba")
    rng, examine = np.random.default_rng(7), store.examiner(dtype, of_kernel)
    for _ in range(40):
        row = draw(dtype, rng)
        assert {name: ratio for name, ratio in examine(row).items() if ratio > 1} == {}


def test_the_page_is_that_of_its_template_and_of_what_is_stored() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page()


def test_a_search_repeats_with_its_seed() -> None:
    first, second = (Search(plain.examine, "float64", 3) for _ in range(2))
    for _ in range(5):
        for one in (first, second):
            one.look(draw("float64", one._rng))
    assert first.largest() == second.largest()


def test_a_row_is_read_as_it_was_written() -> None:
    row = draw("float32", np.random.default_rng(2))
    assert row_from(row.plain()) == row


def without_corrections(*arguments: Any, **keywords: Any) -> Any:
    terms, corrections = compensated.exponentials_of_difference(*arguments, **keywords)
    corrections[...] = 0
    return terms, corrections


LONG_TAIL = Row("float64", (0.0, -25.65), (1, 31999), 1)
BROKEN: list[tuple[str, Any, Any, Row, str]] = [
    ("fast_two_sum", compensated, lambda a, b: (a, b), LONG_TAIL, "pair_is_normalised"),
    ("fast_two_sum", compensated, lambda a, b: (a, b), LONG_TAIL, "square_of_the_shortfall"),
    (
        "exponentials_of_difference",
        accurate,
        without_corrections,
        Row("float64", (1 / 3, -20.17), (1, 40), 0, 2),
        "error_of_another_entry",
    ),
    ("AWAY", accurate, 2.0**100, Row("float64", (0.0, -745.1), (1, 2), 0), "product_of_the_parts"),
    ("SMALLEST_NORMAL", accurate, 0.0, Row("float64", (0.3, -744.0), (1, 3000), 0), "error_of_a_loss"),
    (
        "smallest_sum",
        compensated,
        lambda _: 0.0,
        Row("float64", (0.3, -36.0, -36.1), (1, 300, 700), 0),
        "error_of_the_sum",
    ),
    (
        "_sum_in_groups",
        compensated,
        lambda values: np.zeros(len(values)),
        Row("float64", (0.3, -3.0, -16.1), (1, 300, 700), 0),
        "rounding_of_the_lower_parts",
    ),
]


TWO_ROUNDINGS = [  # rows on which an entry is off by more where it leaves out rho, or the lower part of a sum
    Row("float64", (0.006089128286828928, -0.4795299951749291, -34.09844927642745), (1, 1, 17), 0, 3),
    Row("float64", (0.3821926578297122, -4.860037453432023, -12.468363198252376), (1, 13, 2), 2, 13),
]


@pytest.mark.parametrize("row", TWO_ROUNDINGS, ids=["rho", "low"])
def test_an_entry_is_what_its_sums_make_of_it_but_for_two_roundings(row: Row) -> None:
    done = plain.run(row)
    pair = done.locals_of("exponentials_of_difference")
    known = {name: arb(float(value[0])) for name, value in done.locals_of("_divide").items() if name in SUMS}
    share_of_all = (1 - known["rho"]) / known["denominator"]
    allowed = 2.001 * done.u  # the products that are neglected are below 2^-40 u
    target = (known["high"] + known["low"]) * share_of_all
    assert share(-arb(float(done.gradient[0, row.label])) - target, allowed * target) <= 1
    for level, place in enumerate(row.places):
        if row.n_others[level]:
            entry = (arb(float(pair["e"][level])) + arb(float(pair["delta"][level]))) * share_of_all
            assert share(arb(float(done.gradient[0, place])) - entry, allowed * entry) <= 1


SUMS = ("high", "low", "rho", "denominator")


@pytest.mark.parametrize("n_classes", [2, 100, 3000])
@pytest.mark.parametrize(("of_the_least", "in_parts"), [(0.99, True), (1.01, False)])
def test_a_sum_is_taken_in_parts_where_it_is_below_1024_k_times_the_smallest_normal_number(
    n_classes: int, of_the_least: float, in_parts: bool
) -> None:
    each = of_the_least * 1024 * n_classes * 2.0**-1022 / (n_classes - 1)
    assert plain.run(Row("float64", (0.0, float(np.log(each))), (1, n_classes - 1), 0)).is_far == in_parts


FAR_APART = [(0.0, -2000.0), (1e5, -1e9), (1.5e38, -1.6e38), (1.7e308, 1e292), (1.7e308, -1.7e308)]


@pytest.mark.parametrize("levels", FAR_APART)
@pytest.mark.parametrize("label", [0, 1])
def test_the_proof_holds_where_logits_are_far_apart(levels: tuple[float, float], label: int) -> None:
    found = plain.examine(Row("float64", levels, (1, 3), label))
    assert {name: ratio for name, ratio in found.items() if not ratio <= 1} == {}


@pytest.mark.parametrize("dtype", store.DTYPES)
@pytest.mark.parametrize("label", [0, 1])
def test_an_infinite_loss_is_an_error_where_the_loss_is_a_number(
    monkeypatch: pytest.MonkeyPatch, dtype: str, label: int
) -> None:
    step = "_losses" if dtype == "float64" else "_losses_in_float64"
    correct = getattr(accurate, step)
    broken = FunctionType(
        correct.__code__, {**vars(accurate), "np": SimpleNamespace(**{**vars(np), "log1p": infinite})}
    )
    monkeypatch.setattr(accurate, step, broken)
    name = "error_of_a_loss" if dtype == "float64" else "single_error_of_a_loss"
    assert store.examiner(dtype, False)(Row(dtype, (0.5, -40.0), (1, 3), label))[name] == np.inf


def infinite(values: Any) -> Any:
    return np.full_like(values, np.inf)


SIZES = [62, 125, 1000, 1021, 1022, 1024, 1025, 2045, 32000, 2**17 - 3, 2**17, 2**20 - 3, 2**20]


@pytest.mark.parametrize("n_classes", SIZES)
def test_what_a_sum_loses_at_its_first_cut_is_small_beside_the_least_that_is_cut_once(n_classes: int) -> None:
    sigma, u = 2.0 ** (n_classes + 2).bit_length(), 2.0**-53
    least = compensated.smallest_sum(n_classes)
    assert least == (2.0**-43 * sigma**3 if n_classes <= 2**10 else 2.0**-34 * sigma**2)
    n_roundings = n_classes if n_classes <= 2**10 else 2**9
    assert n_roundings * u * n_classes * u * sigma <= 2.0**-10 * u * least


@dataclass(frozen=True)
class Rounded:
    """Stands for a number: how many roundings it has gone through."""

    times: int = 0

    def __add__(self, other: Rounded) -> Rounded:
        return Rounded(max(self.times, other.times) + 1)


@pytest.mark.parametrize("n_classes", [62, 1024, 1025, 8191, 2**17, 2**20])
def test_no_part_of_a_sum_goes_through_more_roundings_than_the_page_says(n_classes: int) -> None:
    parts = np.full((1, n_classes), Rounded(), dtype=object)  # NumPy adds objects one by one: the worst order there is
    assert compensated._sum_in_groups(parts)[0].times <= min(n_classes, 2**10 if n_classes <= 2**10 else 2**9)


@pytest.mark.parametrize(
    ("step", "module", "wrong", "row", "inequality"), BROKEN, ids=[f"{one[0]}-{one[4]}" for one in BROKEN]
)
def test_a_step_that_is_left_out_breaks_its_inequality(
    monkeypatch: pytest.MonkeyPatch, step: str, module: Any, wrong: Any, row: Row, inequality: str
) -> None:
    assert plain.examine(row)[inequality] <= 1
    monkeypatch.setattr(module, step, wrong)
    assert plain.examine(row)[inequality] > 1


def test_nothing_is_used_where_the_left_side_is_0_and_all_where_only_the_right_side_is() -> None:
    assert share(0.0, 0.0) == 0
    assert share(1.0, 0.0) == np.inf
    assert share(-1.0, 2.0) == pytest.approx(0.5)
