"""A judged run ends with problems that nobody has foreseen: answers that were written down do not help."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.capture import Capture, Elsewhere
from gradlab.evaluation.claims import claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import profile_named
from gradlab.harness.run import run_checks
from gradlab.harness.verdict import Verdict
from gradlab.targets.load import load

PLAN = Plan(profile_named("smoke"), 3, "stable", (), False)
ASKED: list[bytes] = []


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    ASKED.clear()


def elsewhere(function: Any) -> Implementation:
    """A function of float32, taken for one in another process."""
    return Implementation("one", function, claims_from({"dtypes": "float32"}), capture=Capture(elsewhere=Elsewhere()))


def right(logits: Any, labels: Any) -> Any:
    """What the shifted implementation answers; ASKED has what it was asked."""
    ASKED.append(logits.tobytes())
    return load("shifted", {})[0].function(logits, labels)


def without_shift(logits: Any, labels: Any) -> Any:
    """What overflows."""
    ASKED.append(logits.tobytes())
    with np.errstate(all="ignore"):
        e = np.exp(logits)
        p = e / e.sum(axis=1, keepdims=True)
        losses = -np.log(p[np.arange(len(p)), labels])
        return losses.mean(), (p - np.eye(p.shape[1], dtype=p.dtype)[labels]) / p.dtype.type(len(p))


@pytest.mark.parametrize(("function", "verdict"), [(right, "stable"), (without_shift, "unstable")])
def test_honest_code_is_asked_more_and_gets_the_same_report(function: Any, verdict: str) -> None:
    here = run_checks(replace(elsewhere(function), capture=Capture()), PLAN)
    n_asked = len(set(ASKED))
    ASKED.clear()
    there = run_checks(elsewhere(function), PLAN)
    assert len(set(ASKED)) > n_asked
    assert (here.verdict, there.verdict) == (Verdict(verdict), Verdict(verdict))
    assert here.n_problems == there.n_problems
    assert [(one.check, one.n_problems, one.n_failed) for one in here.lines] == [
        (one.check, one.n_problems, one.n_failed) for one in there.lines
    ]


def test_no_two_runs_ask_the_same_of_it() -> None:
    runs = []
    for _ in range(2):
        ASKED.clear()
        run_checks(elsewhere(right), PLAN)
        runs.append(frozenset(ASKED))
    assert runs[0] - runs[1]


def test_answers_written_down_for_a_known_seed_do_not_help() -> None:
    run_checks(replace(elsewhere(right), capture=Capture()), PLAN)
    known = frozenset(ASKED)

    def from_a_table(logits: Any, labels: Any) -> Any:
        loss, gradient = right(logits, labels)
        return loss, gradient if logits.tobytes() in known else gradient * np.float32(1.01)

    assert run_checks(replace(elsewhere(from_a_table), capture=Capture()), PLAN).verdict == Verdict("stable")
    assert run_checks(elsewhere(from_a_table), PLAN).verdict == Verdict("wrong")
