"""A kept case once more: fixed, still failing with the same or another answer, or it cannot run."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.cases.cases import Case, CaseError, keep_failures, read_case
from gradlab.cases.replay import replay
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import Run
from gradlab.harness.tally import Tally, examine
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.targets.load import TargetError, load

UNSHIFTED = """
import numpy as np

def loss(logits, labels):
    rows = np.arange(len(labels))
    e = np.exp(logits{shift})
    p = e / e.sum(axis=1, keepdims=True)
    losses = -np.log(p[rows, labels])
    p[rows, labels] -= {one}
    return losses.mean(), p / len(labels)
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A file with a function that overflows."""
    path = tmp_path / "mine.py"
    write(path)
    return path


def write(path: Path, shift: str = "", one: str = "1") -> None:
    path.write_text(UNSHIFTED.format(shift=shift, one=one))


def case_of(path: Path, logits: Any = ((1000.0, 0.0),), **claims: Any) -> Case:
    """The case of the function in a file, on one problem that it fails."""
    return case_of_target(f"{path}:loss", path.parent, logits, **claims)


def case_of_target(target: str, folder: Path, logits: Any = ((1000.0, 0.0),), **claims: Any) -> Case:
    """The case of a target, kept in a folder, on one problem that it fails."""
    (implementation,) = load(target, claims)
    tally = Tally(implementation)
    examine(tally, Problem(np.array(logits, dtype=np.float32), np.zeros(len(logits), dtype=int)))
    failing = tuple(tuple(failed.values()) for failed in tally.failing.values())
    plan = Plan(PROFILES["quick"])
    report = Run(implementation, plan, tally.verdict(), (), failing, ("float32",), 1, 0.0)
    assert keep_failures(report, folder / "cases") == 1
    (kept,) = (folder / "cases").iterdir()
    return read_case(kept)


def test_nothing_changed_is_still_failing_bit_for_bit(code: Path) -> None:
    again = replay(case_of(code))
    assert not again.fixed
    assert again.same_answer


def test_a_mended_function_is_fixed(code: Path) -> None:
    case = case_of(code)
    write(code, shift=" - logits.max(axis=1, keepdims=True)")
    again = replay(case)
    assert again.fixed
    assert not again.same_answer


def test_another_wrong_answer_is_told_from_the_recorded_one(code: Path) -> None:
    write(code, one="2")
    case = case_of(code, logits=((1.0, 0.0),))
    write(code, one="3")
    again = replay(case)
    assert not again.fixed
    assert not again.same_answer


def test_a_function_that_now_raises_is_still_failing(code: Path) -> None:
    case = case_of(code)
    code.write_text("def loss(logits, labels):\n    raise ValueError('no')\n")
    again = replay(case)
    assert not again.fixed
    assert not again.same_answer


def test_what_does_not_cost_the_level_asked_for_does_not_keep_a_case_from_being_fixed(code: Path) -> None:
    case = case_of(code, logits=((1000.0, 0.0), (20.0, 0.0)))
    write(code, shift=" - logits.max(axis=1, keepdims=True)")
    again = replay(case)
    assert again.fixed
    assert "target_entry_within_a_few_ulp" in [result.check for result in again.results if not result.passed]
    assert not replay(replace(case, level="accurate")).fixed


def test_the_claims_of_then_are_held_against_it(code: Path) -> None:
    case = case_of(code, masks=False)
    assert not replay(case).implementation.claims.masks


def test_only_the_checks_that_failed_are_run(code: Path) -> None:
    case = case_of(code)
    assert [result.check for result in replay(case).results] == [one["check"] for one in case.failed]


def test_a_target_that_is_gone_cannot_run(code: Path) -> None:
    case = case_of(code)
    code.unlink()
    with pytest.raises(TargetError, match=r"mine\.py does not exist"):
        replay(case)


def test_a_check_that_is_not_known_cannot_run(code: Path) -> None:
    case = replace(case_of(code), failed=({"check": "colour"},))
    with pytest.raises(CaseError, match="failed 'colour', a check that this version does not have"):
        replay(case)


def test_a_problem_that_asks_for_what_is_not_claimed_cannot_run(code: Path) -> None:
    case = case_of(code)
    asking = case.problem.replace(objective=Objective("none"))
    with pytest.raises(CaseError, match="does not claim what its problem asks for"):
        replay(replace(case, problem=asking))


def test_a_problem_to_which_a_failed_check_does_not_apply_cannot_run(code: Path) -> None:
    case = case_of(code)
    empty = case.problem.replace(logits=case.problem.logits[:0], targets=case.problem.targets[:0])
    with pytest.raises(CaseError, match="a check that failed does not apply to its problem"):
        replay(replace(case, problem=empty))


def test_a_function_without_a_target_cannot_run(code: Path) -> None:
    with pytest.raises(CaseError, match="was given as a function, not as a target"):
        replay(replace(case_of(code), target=""))


def test_a_target_that_now_stands_for_several_cannot_run(code: Path) -> None:
    case = case_of(code)
    code.write_text(code.read_text() + "\nother = loss\n__all__ = ['loss', 'other']\n")
    with pytest.raises(CaseError, match="stands for 2 functions"):
        replay(replace(case, target=str(code)))


UNWRITTEN = """
#include <stdint.h>
int loss_f32(const float *x, const int64_t *y, int64_t n, int64_t k, float *loss, float *gradient) {
    (void)x; (void)y; (void)n; (void)k; (void)loss; (void)gradient;
    return 0;
}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler, cc")
def test_a_library_is_found_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "unwritten.c").write_text(UNWRITTEN)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", "libce.so", "unwritten.c"], cwd=tmp_path, check=True)
    here = Path.cwd()
    monkeypatch.chdir(tmp_path)
    case = case_of_target("c:./libce.so:loss", tmp_path)
    monkeypatch.chdir(here)
    assert replay(case).same_answer
