"""The families: what the table promises, and what each of them must contain in every format."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from gradlab.problems.dtypes import DTYPE_NAMES, Format, format_of
from gradlab.problems.families import FAMILIES, PROFILES, Family, families_of, family_problems, problems_in
from gradlab.problems.families.placing import (
    leaves_normal,
    make_problem,
    overflows,
    round_to,
    rounds_to_one,
    spacing,
    underflows,
)
from gradlab.problems.problem import Problem, moderate_limit

BY_NAME = {family.name: family for family in FAMILIES}


@pytest.fixture(params=DTYPE_NAMES)
def fmt(request: pytest.FixtureRequest) -> Format:
    return format_of(request.param)


def drawn(name: str, fmt: Format) -> list[Problem]:
    return problems_in(BY_NAME[name], fmt, 0)


def margins_of(problem: Problem) -> Any:
    """The margin of each row with two classes or more, float64."""
    x, rows = problem.logits64, np.arange(problem.n_rows)
    others = x.copy()
    others[rows, problem.targets] = -np.inf
    return x[rows, problem.targets] - others.max(axis=1)


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_says_what_it_is_for(family: Family) -> None:
    assert family.purpose.endswith((".", ",", ":")) or len(family.purpose) > 40
    assert family.profile in PROFILES


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_has_problems_of_its_name_and_format(family: Family, fmt: Format) -> None:
    found = problems_in(family, fmt, 0)
    assert found
    assert {problem.family for problem in found} == {family.name}
    assert {problem.logits.dtype for problem in found} == {fmt.dtype}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_same_seed_gives_the_same_problems(family: Family, fmt: Format) -> None:
    first, second = (problems_in(family, fmt, 3) for _ in range(2))
    assert [problem.digest for problem in first] == [problem.digest for problem in second]


def test_another_seed_gives_other_moderate_problems(fmt: Format) -> None:
    first, second = (problems_in(BY_NAME["moderate"], fmt, seed) for seed in (0, 1))
    assert {problem.digest for problem in first}.isdisjoint(problem.digest for problem in second)


def test_no_problem_comes_twice(fmt: Format) -> None:
    digests = [problem.digest for problem in family_problems(fmt, "thorough", 0)]
    assert len(set(digests)) == len(digests)


def test_profiles_grow(fmt: Format) -> None:
    quick, standard, thorough = (set(families_of(profile)) for profile in PROFILES)
    assert quick < standard < thorough
    assert thorough == set(FAMILIES)


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ValueError, match="profile must be one of quick, standard, thorough, got 'slow'"):
        families_of("slow")


def test_the_quick_profile_stays_small(fmt: Format) -> None:
    found = [problem for problem in family_problems(fmt, "quick", 0) if not BY_NAME[problem.family].gradient_only]
    assert 60 <= len(found) <= 110
    assert sum(problem.logits.size > 100 for problem in found) <= 27  # six of them long sums
    assert sum(problem.logits.size for problem in found) <= 96_000


def test_rows_of_many_small_terms_are_few_in_the_quick_profile(fmt: Format) -> None:
    found = [problem for problem in family_problems(fmt, "quick", 0) if BY_NAME[problem.family].gradient_only]
    assert len(found) <= 14
    assert sum(problem.logits.size for problem in found) <= 250_000


def test_the_first_problem_is_the_simplest(fmt: Format) -> None:
    first = family_problems(fmt, "quick", 0)[0]
    assert (first.logits64.tolist(), first.targets.tolist()) == ([[0, 0]], [0])


@pytest.mark.parametrize("family", [f for f in FAMILIES if not f.stress], ids=lambda family: family.name)
def test_a_family_without_stress_is_moderate(family: Family, fmt: Format) -> None:
    found = [problem for problem in problems_in(family, fmt, 0) if problem.n_rows]
    assert all(problem.is_moderate for problem in found if moderate_limit(fmt, problem.n_classes) > 0)


NOT_FINITE = ("masked", "masked_tiles", "masked_target", "only_masked", "infinite", "nan")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_only_the_families_of_the_domain_have_logits_that_are_not_finite(family: Family, fmt: Format) -> None:
    finite = [problem.is_finite for problem in problems_in(family, fmt, 0)]
    assert any(finite) != (family.name in NOT_FINITE)
    assert all(finite) != (family.name in NOT_FINITE)


def test_margins_lie_on_both_sides_of_each_threshold(fmt: Format) -> None:
    seen = np.concatenate([margins_of(problem) for problem in drawn("margins", fmt)])
    for threshold in (rounds_to_one(fmt), leaves_normal(fmt), overflows(fmt), underflows(fmt)):
        for sign in (1, -1):
            near = sign * seen / threshold
            assert ((near > 0.9) & (near < 1)).any()
            assert ((near > 1) & (near < 1.1)).any()


def test_unshifted_exp_overflows_underflows_or_has_an_overflowing_sum(fmt: Format) -> None:
    for problem in drawn("unshifted_exp", fmt):
        x = problem.logits64
        largest = x.max(axis=1)
        log_sum = largest + np.log(np.exp(x - largest[:, None]).sum(axis=1))
        assert ((log_sum > overflows(fmt)) | (largest < -underflows(fmt))).all()
        assert np.ptp(x, axis=1).max() < 3


def test_common_offsets_reach_the_largest_number_with_either_sign(fmt: Format) -> None:
    every = np.concatenate([problem.logits64.ravel() for problem in drawn("common_offsets", fmt)])
    assert every.max() == fmt.largest
    assert every.min() == -fmt.largest


def test_common_offsets_hold_rows_of_equals_and_rows_whose_differences_are_exact(fmt: Format) -> None:
    for problem in drawn("common_offsets", fmt):
        x = problem.logits64
        differences = x - x[:, 1:2]
        assert (np.ptp(x, axis=1) == 0).tolist() == [True, False, True, False]
        assert np.array_equal(round_to(fmt, differences).astype(np.float64), differences)
        assert np.abs(x).min() >= 8 * np.abs(differences).max()


def test_extreme_spread_overflows_the_difference(fmt: Format) -> None:
    with np.errstate(over="ignore"):
        spreads = [np.ptp(problem.logits, axis=1).astype(np.float64).max() for problem in drawn("extreme_spread", fmt)]
    assert np.isposinf(spreads).sum() >= 3


def test_ties_are_at_the_maximum_with_and_without_the_target(fmt: Format) -> None:
    tied = [problem for problem in drawn("ties", fmt) if problem.n_rows == 1]
    assert all((problem.logits64 == problem.logits64.max()).sum() == 2 for problem in tied)
    assert {bool(margins_of(problem)[0] == 0) for problem in tied} == {True, False}


def test_subnormal_probabilities_are_below_the_smallest_normal_and_not_0(fmt: Format) -> None:
    for problem in drawn("subnormal_probabilities", fmt):
        x = problem.logits64
        log_p = x - x.max() - math.log(np.exp(x - x.max()).sum())
        least = log_p.min()
        assert math.log(fmt.smallest_subnormal) < least < math.log(fmt.smallest_normal)


def test_subnormal_logits_are_subnormal_or_next_to_it(fmt: Format) -> None:
    for problem in drawn("subnormal_logits", fmt):
        assert 0 < np.abs(problem.logits64).max() <= fmt.smallest_normal


def test_ulp_neighbours_are_next_to_each_other(fmt: Format) -> None:
    for problem in drawn("ulp_neighbours", fmt):
        high, middle, low = np.sort(np.abs(problem.logits64[0]))[::-1]
        assert high - middle == spacing(fmt, middle)
        assert middle - low == spacing(fmt, middle) / 2


def test_masks_are_off_the_target_or_at_it(fmt: Format) -> None:
    for name, expected in (("masked", False), ("masked_target", True)):
        for problem in drawn(name, fmt):
            at_target = problem.logits64[np.arange(problem.n_rows), problem.targets] == -np.inf
            assert at_target.any() == expected
            assert problem.rows_with_value.all()


@pytest.mark.parametrize("name", ["only_masked", "infinite", "nan"])
def test_rows_without_a_value_come_alone_and_with_others(name: str, fmt: Format) -> None:
    found = [problem.rows_with_value for problem in drawn(name, fmt)]
    assert not any(rows.all() for rows in found)
    assert any(rows.any() for rows in found)
    assert any(not rows.any() for rows in found)


def test_many_classes_are_more_than_8_bits_number_and_labels_too(fmt: Format) -> None:
    problems = drawn("many_classes", fmt)
    assert any(problem.n_classes > 256 and problem.targets.max() > 255 for problem in problems)
    assert any(problem.logits.size > 2**15 for problem in problems)


def test_confident_rows_round_p_to_1_and_keep_a_normal_entry(fmt: Format) -> None:
    seen = np.concatenate([margins_of(problem) for problem in drawn("confident", fmt)])
    assert (seen > rounds_to_one(fmt)).sum() >= 6
    assert seen.max() < leaves_normal(fmt)


def test_long_batch_is_longer_than_8_bits_count(fmt: Format) -> None:
    assert [problem.n_rows for problem in drawn("long_batch", fmt)] == [257]


def test_some_batches_have_as_many_rows_as_classes(fmt: Format) -> None:
    square = [p for name in ("smallest", "moderate") for p in drawn(name, fmt) if p.n_rows == p.n_classes]
    assert len(square) >= 2


def test_grid_holds_every_label(fmt: Format) -> None:
    seen = {(problem.n_classes, int(label)) for problem in drawn("grid", fmt) for label in problem.targets}
    assert seen == {(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)}


def test_the_moderate_extremes_come_close_to_the_limit(fmt: Format) -> None:
    for problem in drawn("moderate_extremes", fmt):
        assert np.abs(problem.logits64).max() >= 0.25 * moderate_limit(fmt, problem.n_classes)


@pytest.mark.parametrize(
    ("threshold", "function", "limit"),
    [
        (rounds_to_one, lambda d: 1 + np.exp(-d), 1.0),
        (underflows, lambda d: np.exp(-d), 0.0),
    ],
)
@pytest.mark.parametrize("name", ["float32", "float64"])
def test_a_threshold_is_where_the_dtype_gives_in(threshold: Any, function: Any, limit: float, name: str) -> None:
    fmt = format_of(name)
    below, above = (fmt.dtype.type(threshold(fmt) * f) for f in (0.998, 1.002))
    with np.errstate(under="ignore"):
        assert function(below) != limit
        assert function(above) == limit


def test_exp_of_what_leaves_the_normal_numbers_is_subnormal() -> None:
    fmt = format_of("float32")
    below, above = np.exp(-np.float32(leaves_normal(fmt) * np.array([0.999, 1.001])))
    assert below > fmt.smallest_normal > above > 0


@pytest.mark.filterwarnings("ignore:overflow")
def test_exp_of_what_overflows_is_infinite() -> None:
    fmt = format_of("float32")
    below, above = np.exp(np.float32(overflows(fmt) * np.array([0.9999, 1.0001])))
    assert np.isfinite(below)
    assert np.isposinf(above)


def test_placing_clips_finite_logits_and_leaves_the_others(fmt: Format) -> None:
    row = make_problem(fmt, [[1e308, -1e308, np.inf, -np.inf, np.nan]], [0]).logits64[0]
    assert row[0] == min(1e308, fmt.largest)
    assert row[1] == -min(1e308, fmt.largest)
    assert np.array_equal(row[2:], [np.inf, -np.inf, np.nan], equal_nan=True)


TAILS = ("equal_tails", "levels_of_equals", "vanishing_tails", "noisy_tails", "long_tails")


@pytest.mark.parametrize("name", TAILS)
def test_tails_are_not_moderate_so_that_few_checks_run_on_them(name: str, fmt: Format) -> None:
    assert not any(problem.is_moderate for problem in drawn(name, fmt))


@pytest.mark.parametrize("name", TAILS)
def test_tails_carry_their_label_on_the_largest_logit_and_below(name: str, fmt: Format) -> None:
    seen = np.concatenate([margins_of(problem) for problem in drawn(name, fmt)])
    assert (seen > 0).any()
    assert (seen < 0).any()


def test_equal_tails_are_one_logit_and_one_level(fmt: Format) -> None:
    for problem in drawn("equal_tails", fmt):
        assert {len(np.unique(row)) for row in problem.logits64} == {2}
        assert ((problem.logits64 == problem.logits64.max(axis=1, keepdims=True)).sum(axis=1) == 1).all()


def test_each_term_of_equal_tails_is_about_to_be_lost_beside_their_number(fmt: Format) -> None:
    """In every batch one row has terms within half and twice the unit roundoff times the number of classes."""
    for problem in drawn("equal_tails", fmt):
        x = problem.logits64
        terms = (x.min(axis=1) - x.max(axis=1)) / math.log(2)
        size = math.log2(problem.n_classes * fmt.unit_roundoff)
        assert size >= -2 or (np.abs(terms - size) < 1.5).any()


def test_vanishing_tails_have_sums_and_terms_on_both_sides_of_the_smallest_normal_number(fmt: Format) -> None:
    sums, terms = [], []
    for problem in drawn("vanishing_tails", fmt):
        depths = (problem.logits64.min(axis=1) - problem.logits64.max(axis=1)) / math.log(2) - fmt.min_exponent
        terms += depths.tolist()
        sums += (depths + math.log2(problem.n_classes - 1)).tolist()
    for sizes in (terms, sums):
        assert min(abs(size) for size in sizes if size < 0) < 1.2
        assert min(size for size in sizes if size > 0) < 1.2


def test_levels_of_equals_have_two_levels_and_up_to_thirteen(fmt: Format) -> None:
    levels = {len(np.unique(row)) for problem in drawn("levels_of_equals", fmt) for row in problem.logits64}
    assert {2, 3} <= levels <= set(range(1, 14))


def test_long_tails_have_up_to_131072_classes_and_powers_of_two_and_their_neighbours(fmt: Format) -> None:
    classes = {problem.n_classes for problem in drawn("long_tails", fmt)}
    assert max(classes) == 2**17
    assert {2**16, 2**14 + 1, 2**12 - 1, 2**15 - 2} <= classes


def test_a_batch_of_long_tails_has_one_two_or_three_rows(fmt: Format) -> None:
    assert {problem.n_rows for problem in drawn("long_tails", fmt)} == {1, 2, 3}
