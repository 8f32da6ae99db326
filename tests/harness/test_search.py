"""Drawing and shrinking: only what is claimed, the same for the same seed wherever it runs, down to the smallest."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.claims import Claims
from gradlab.harness.search import drawn_problems, smallest
from gradlab.problems.problem import Problem

DIGESTS = """
import sys
sys.path.insert(0, {folder!r})
{imports}
from gradlab.evaluation.claims import Claims
from gradlab.harness.search import drawn_problems
print([problem.digest for problem in drawn_problems(Claims(), "float64", 150, 0)])
"""


def drawn(count: int = 60, seed: int = 0, dtype: str = "float32", **claims: Any) -> tuple[Problem, ...]:
    return drawn_problems(Claims(**claims), dtype, count, seed)


def test_as_many_problems_are_drawn_as_asked_for() -> None:
    assert [len(drawn(count)) for count in (0, 1, 25)] == [0, 1, 25]


def test_drawn_problems_are_in_the_dtype_and_marked_as_drawn() -> None:
    assert {(p.format.name, p.family) for p in drawn(dtype="bfloat16")} == {("bfloat16", "drawn")}


def test_moderate_and_extreme_problems_both_come_up() -> None:
    moderate = [problem.is_moderate for problem in drawn(100)]
    assert 20 <= sum(moderate) <= 80


@pytest.mark.parametrize(("masks", "all_finite"), [(True, False), (False, True)])
def test_masks_come_up_only_where_they_are_claimed(masks: bool, all_finite: bool) -> None:
    assert all(problem.is_finite for problem in drawn(150, masks=masks)) == all_finite


def test_only_claimed_objectives_come_up_and_each_of_them() -> None:
    claims: dict[str, Any] = {
        "reduction": ("sum", "none"),
        "targets": ("index", "probability"),
        "options": ("label_smoothing",),
    }
    objectives = [problem.objective for problem in drawn(150, **claims)]
    assert {objective.reduction for objective in objectives} == {"sum", "none"}
    assert {objective.targets for objective in objectives} == {"index", "probability"}
    assert {name for objective in objectives for name in objective.options} == {"label_smoothing"}


def test_same_seed_draws_the_same_problems_and_another_seed_others() -> None:
    first, again, other = ([p.digest for p in fresh(seed)] for seed in (4, 4, 5))
    assert first == again
    assert len(set(first) & set(other)) < len(first) / 4


def fresh(seed: int) -> tuple[Problem, ...]:
    drawn_problems.cache_clear()
    return drawn(seed=seed)


def test_problems_do_not_depend_on_what_other_code_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text("A = [12345.678, 0.1234, 777777.0, 31337, 424242]\nB = [1.5e-7, 98765.4321]\n")
    outputs = [
        subprocess.run(
            [sys.executable, "-c", DIGESTS.format(folder=str(tmp_path), imports=imports)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for imports in ("", "import theirs")
    ]
    assert outputs[0] == outputs[1]


def margin_above_thirty(problem: Problem) -> bool:
    x = problem.logits64
    return bool(np.isfinite(x).all() and (np.ptp(x, axis=1) > 30).any())


SMALLEST: dict[str, tuple[Callable[[Problem], bool], list[list[float]]]] = {
    "anything": (lambda problem: True, [[0, 0]]),
    "three classes": (lambda problem: problem.n_classes >= 3, [[0, 0, 0]]),
    "two rows": (lambda problem: problem.n_rows >= 2 and problem.n_classes >= 2, [[0, 0], [0, 0]]),
    "another label": (lambda problem: problem.targets[0] == 1, [[0, 0]]),
    "a mask": (lambda problem: bool(np.isneginf(problem.logits64).any()), [[0, -np.inf]]),
}


@pytest.mark.parametrize("name", SMALLEST)
def test_failing_problem_shrinks_to_the_smallest_there_is(name: str) -> None:
    fails, logits = SMALLEST[name]
    found = smallest(Claims(), "float32", 400, 0, fails)
    assert found is not None
    assert sorted(found.logits.ravel().tolist()) == sorted(np.ravel(logits).tolist())


def test_what_needs_more_classes_than_are_drawn_entry_by_entry_is_found_too() -> None:
    found = smallest(Claims(), "float32", 400, 0, lambda problem: problem.n_classes >= 10)
    assert found is not None
    assert found.logits.shape == (1, 10)


def test_margin_shrinks_to_one_row_of_two_whole_numbers() -> None:
    found = smallest(Claims(), "float64", 400, 0, margin_above_thirty)
    assert found is not None
    assert found.logits.shape == (1, 2)
    assert sorted(found.logits[0].tolist()) in ([0, 31], [-31, 0])


def test_nothing_is_found_where_nothing_fails() -> None:
    assert smallest(Claims(), "float32", 30, 0, lambda problem: False) is None


def test_nothing_is_tried_where_no_examples_are_allowed() -> None:
    assert smallest(Claims(), "float32", 0, 0, lambda problem: 1 / 0 > 0) is None


def test_failure_that_does_not_repeat_gives_a_problem_on_which_it_happened() -> None:
    generator, failed = np.random.default_rng(1), []

    def fails(problem: Problem) -> bool:
        failing = bool(generator.uniform() < 0.5)
        failed.extend([problem] * failing)
        return failing

    found = smallest(Claims(), "float32", 60, 0, fails)
    assert any(found is problem for problem in failed)
