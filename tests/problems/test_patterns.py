"""Problems of few kinds: recognised entry by entry, and built so that no row stands for the one it may be taken for."""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.problems.dtypes import DTYPE_NAMES, format_of
from gradlab.problems.families.options import one_hot
from gradlab.problems.patterns import LABELS, PERIOD, pattern_of, patterned
from gradlab.problems.problem import Array, Problem

SHAPES = ((1, 1), (1, 2), (13, 26), (14, 27), (40, 129), (300, 3), (2, 70_001))


def made_again(problem: Problem) -> Array:
    pattern = pattern_of(problem)
    assert pattern is not None
    return pattern.table[pattern.rows][:, pattern.columns]


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_kinds_make_the_problem_again(dtype: str, shape: tuple[int, int]) -> None:
    problem = patterned(format_of(dtype), *shape)
    pattern = pattern_of(problem)
    assert pattern is not None
    assert np.array_equal(made_again(problem), problem.logits64)
    assert np.array_equal(pattern.labels[pattern.rows], problem.targets)


def test_probabilities_that_are_one_hot_are_labels() -> None:
    problem = patterned(format_of("float32"), 30, 7)
    found = pattern_of(one_hot(problem))
    assert found is not None
    assert np.array_equal(found.labels[found.rows], problem.targets)


@pytest.mark.parametrize("place", [(200, 1), (0, 60), (299, 128)])
def test_one_other_entry_is_seen(place: tuple[int, int]) -> None:
    problem = patterned(format_of("float64"), 300, 129)
    logits = problem.logits.copy()
    logits[place] += 1
    found = pattern_of(problem.replace(logits=logits))
    assert found is None or np.array_equal(found.table[found.rows][:, found.columns], logits)


def test_one_other_label_is_seen() -> None:
    problem = patterned(format_of("float64"), 300, 129)
    labels = problem.targets.copy()
    labels[299] = (labels[299] + 1) % 129
    assert pattern_of(problem.replace(targets=labels)) is None


def test_ordinary_logits_are_of_too_many_kinds() -> None:
    logits = np.random.default_rng(0).normal(size=(4, 100))
    assert pattern_of(Problem(logits, np.zeros(4, dtype=np.int64))) is None


@pytest.mark.parametrize("step", [*(2**power for power in range(1, 18)), 10, 100, 1000, 10_000, 50_257, 32_000])
def test_a_row_differs_from_the_one_that_many_rows_before(step: int) -> None:
    problem = patterned(format_of("float32"), PERIOD, 200)
    first, second = 0, step % PERIOD
    assert not np.array_equal(problem.logits[first], problem.logits[second])
    assert problem.targets[first] != problem.targets[second]


@pytest.mark.parametrize("n_classes", [100, 4097, 70_001])
def test_the_last_class_weighs_as_much_as_a_tenth_of_all(n_classes: int) -> None:
    x = patterned(format_of("float64"), 3, n_classes).logits64
    p = np.exp(x - x.max(1, keepdims=True))
    assert (p[:, -1] / p.sum(1) > 0.1).all()


@pytest.mark.parametrize("labels", LABELS)
def test_labels_are_where_they_are_said_to_be(labels: str) -> None:
    targets = patterned(format_of("float32"), 3, 70_001, labels).targets.tolist()
    wanted = {"first": [0] * 3, "last": [70_000] * 3, "middle": [35_000] * 3}
    assert targets == wanted.get(labels, targets)
    if labels == "spread":
        assert targets[0] == 70_000
        assert 0 in targets
