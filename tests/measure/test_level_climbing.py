"""The search over rows of few levels: what it draws is valid, and it finds each threshold that a specimen has wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gradlab.bounds.first_order import accurate_ulps
from gradlab.evaluation.claims import claims_from
from gradlab.measure.accuracy import PARTS
from gradlab.measure.level_climbing import LevelClimb, Levels, change, decoded, draw, drawn_size, edges_of
from gradlab.problems.dtypes import DTYPE_NAMES, format_of
from gradlab.targets.load import load
from gradlab.targets.shipped import specimens

MAX_STEPS = 600
OF_MANY_TERMS = [name for name, one in specimens().items() if one.function.__module__.endswith(".many_terms")]
CASES = [(name, dtype) for name in OF_MANY_TERMS for dtype in claims_from(specimens()[name].claims).dtypes]
SOME = Levels("float64", (1, 3, 1000), (0.5, -2.0, -30.25), 1, 3)


def some_levels(dtype: str, most_classes: int) -> list[Levels]:
    rng = np.random.default_rng(0)
    found = [draw(dtype, most_classes, rng) for _ in range(60)]
    return found + [change(one, most_classes, rng) for one in found for _ in range(10)]


def test_levels_are_so_many_classes_at_each_logit_in_every_row() -> None:
    problem = SOME.problem
    assert problem.logits.shape == (3, 1004)
    assert problem.targets.tolist() == [1, 1, 1]
    assert np.unique(problem.logits[2], return_counts=True)[1].tolist() == [1000, 3, 1]


def test_levels_written_and_read_are_the_same() -> None:
    assert decoded("float64", json.loads(json.dumps(SOME.encoded()))) == SOME


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("most_classes", [2, 50, 2**14])
def test_what_is_drawn_and_changed_is_a_valid_problem_of_so_many_classes(dtype: str, most_classes: int) -> None:
    for levels in some_levels(dtype, most_classes):
        problem = levels.problem
        assert 2 <= problem.n_classes == levels.n_classes <= most_classes
        assert problem.is_finite
        assert problem.logits64[0, int(problem.targets[0])] == levels.logits[levels.label]


def test_sizes_are_powers_of_two_their_neighbours_and_others() -> None:
    rng = np.random.default_rng(0)
    sizes = {drawn_size(2**20, rng) for _ in range(2000)}
    assert {2, 2**10 - 1, 2**15, 2**17 + 1, 2**20} <= sizes
    assert max(sizes) == 2**20
    assert len(sizes) > 500


def test_edges_are_where_terms_are_lost_beside_one_and_beside_their_number() -> None:
    edges = edges_of(format_of("float64"), 2**15)
    assert {53.0, 38.0, 37.0, 36.0, 53.0 + 15, 1022.0, 1022.0 + 15} <= set(edges)


def test_the_same_seed_finds_the_same() -> None:
    (implementation,) = load("shifted", {})
    climbs = [LevelClimb(implementation, "float32", 3, 2**10) for _ in range(2)]
    for climb in climbs:
        for _ in range(40):
            climb.step()
    assert climbs[0].worst() == climbs[1].worst()
    assert set(climbs[0].worst()) == set(PARTS)


def test_the_worst_of_some_sizes_has_such_a_size() -> None:
    (implementation,) = load("shifted", {})
    climb = LevelClimb(implementation, "float32", 3, 2**10)
    for _ in range(60):
        climb.step()
    small, large, every = climb.worst(range(2, 64)), climb.worst(range(64, 2**10 + 1)), climb.worst()
    assert all(found.levels.n_classes < 64 for found in small.values())
    assert all(max(small[part].ulp, large[part].ulp) == every[part].ulp for part in PARTS)


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_it_finds_where_a_threshold_is_wrong(name: str, dtype: str) -> None:
    (implementation,) = load(name, {})
    climb = LevelClimb(implementation, dtype, 0, 2**16)
    allowed = accurate_ulps(SOME.problem)
    while max((found.ulp for found in climb.worst().values()), default=0.0) <= allowed:
        assert climb.n_tried < MAX_STEPS, "not found"
        climb.step()
