"""A whole run: it repeats by its seed, survives any implementation, and tells wrong from unstable from stable."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.plan import Plan, Progress
from gradlab.harness.profiles import Profile
from gradlab.harness.run import Run, run_checks
from gradlab.implementations.complement import complement
from gradlab.implementations.shifted import shifted
from gradlab.implementations.textbook import textbook
from gradlab.problems.families import FAMILIES
from gradlab.problems.problem import Array
from tests.runs import unexplained

SMALL = Profile("small", "quick", 12, 1, 40, asked=4)
FEW = replace(SMALL, shrinks=0, most=len(FAMILIES))  # one problem of each family, and no sizes
SHRINKING = replace(FEW, shrinks=1)
GENERATOR = np.random.default_rng(0)


def run(
    function: Callable[..., Any], seed: int = 0, level: str = "stable", profile: Profile = FEW, **claims: Any
) -> Run:
    implementation = Implementation(function.__name__, function, claims_from({"dtypes": "float32", **claims}))
    return unexplained(implementation, Plan(profile, seed, level))


@cache
def known(function: Callable[..., Any]) -> Run:
    """The report with seed 0, made once."""
    return run(function)


@cache
def shrunk(function: Callable[..., Any]) -> Run:
    """The same, with a smaller problem that fails."""
    return run(function, profile=SHRINKING)


def facts_of(report: Run) -> list[Any]:
    """All that a report says, but for the time it took."""
    lines = [(line.check.name, line.dtype, line.n_problems, line.n_failed, line.verdict) for line in report.lines]
    results = [r for line in report.lines for r in (line.worst, line.simplest) if r is not None]
    worst = [(r.check, repr(r.ratio), r.where, r.observed, r.expected, r.ulp, r.problem.digest) for r in results]
    failing = [[(r.check, repr(r.ratio), r.problem.digest) for r in one] for one in report.failing]
    return [report.verdict, report.n_problems, lines, worst, failing]


def digests(report: Run) -> set[str]:
    return {result.problem.digest for one in report.failing for result in one}


def raises(logits: Array, labels: Array) -> Any:
    raise RuntimeError("not today")


def exits(logits: Array, labels: Array) -> Any:
    sys.exit(1)


def recurses(logits: Array, labels: Array) -> Any:
    return recurses(logits, labels)


def returns_nan(logits: Array, labels: Array) -> Any:
    return np.nan, np.nan * logits


def returns_one_number(logits: Array, labels: Array) -> Any:
    return 0.5


def returns_text(logits: Array, labels: Array) -> Any:
    return "loss", "gradient"


def returns_a_row(logits: Array, labels: Array) -> Any:
    loss, gradient = shifted(logits, labels)
    return loss, gradient.sum(axis=0)


def varies(logits: Array, labels: Array) -> Any:
    loss, gradient = shifted(logits, labels)
    return loss, gradient * gradient.dtype.type(1 + GENERATOR.uniform(0.1, 0.2))


def fails_now_and_then(logits: Array, labels: Array) -> Any:
    if GENERATOR.uniform() < 0.3:
        raise ValueError("now")
    return shifted(logits, labels)


def in_long_double(logits: Array, labels: Array) -> Any:
    loss, gradient = shifted(logits, labels)
    return np.longdouble(loss), gradient.astype(np.longdouble)


def talks(logits: Array, labels: Array) -> Any:
    print("working")
    warnings.warn("slow", UserWarning, stacklevel=1)
    return shifted(logits, labels)


def breaks_beyond_a_margin(logits: Array, labels: Array) -> Any:
    loss, gradient = shifted(logits, labels)
    far = np.ptp(logits, axis=1) > 60
    return loss, np.where(far[:, None], 0, gradient)


def raises_beyond_a_size(logits: Array, labels: Array) -> Any:
    if np.abs(logits).max(initial=0) > 60:
        raise OverflowError("too large")
    return shifted(logits, labels)


def off_by_a_factor(logits: Array, labels: Array) -> Any:
    loss, gradient = shifted(logits, labels)
    return loss, gradient * gradient.dtype.type(1.001)


def wrong_label(logits: Array, labels: Array) -> Any:
    return shifted(logits, (np.asarray(labels) + 1) % logits.shape[1])


VERDICTS = {
    raises: "wrong",
    exits: "wrong",
    recurses: "wrong",
    returns_nan: "wrong",
    returns_one_number: "wrong",
    returns_text: "wrong",
    returns_a_row: "wrong",
    varies: "wrong",
    fails_now_and_then: "wrong",
    off_by_a_factor: "wrong",
    wrong_label: "wrong",
    breaks_beyond_a_margin: "unstable",
    raises_beyond_a_size: "unstable",
    textbook: "unstable",
    in_long_double: "stable",
    talks: "stable",
    shifted: "stable",
}


@pytest.mark.parametrize("function", VERDICTS, ids=lambda function: function.__name__)
def test_verdict_is_that_of_the_worst_failure(function: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    report = known(function)
    assert report.verdict == VERDICTS[function]
    assert report.met == (VERDICTS[function] == "stable")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("function", [raises, exits, recurses, returns_one_number, returns_text, returns_a_row])
def test_implementation_without_an_answer_fails_the_check_that_asks_for_one(function: Callable[..., Any]) -> None:
    report = known(function)
    line = next(line for line in report.lines if line.check.name == "returns_loss_and_gradient")
    assert line.n_failed == line.n_problems > 0
    assert report.failures[0] is line


def test_unstable_implementation_is_right_on_every_moderate_problem() -> None:
    report = known(breaks_beyond_a_margin)
    costly = [r for one in report.failing for r in one if r.check != "other_entries_within_a_few_ulp"]
    wrong = {r.check for r in costly if r.problem.is_moderate}
    assert "gradient_is_right" not in wrong


def test_advice_lowers_no_verdict_and_is_kept_apart() -> None:
    report = known(talks)
    assert [line.check.name for line in report.advice] == ["is_quiet"]
    assert all(line.check.name != "is_quiet" for line in report.failures)


def test_level_accurate_is_not_met_by_a_stable_implementation() -> None:
    report = run(shifted, level="accurate")
    assert not report.met
    assert "target_entry_within_a_few_ulp" in {line.check.name for line in report.failures}


@pytest.mark.parametrize("function", [off_by_a_factor, pytest.param(textbook, marks=pytest.mark.more)])
def test_same_seed_gives_the_same_report(function: Callable[..., Any]) -> None:
    assert facts_of(run(function, profile=SHRINKING)) == facts_of(shrunk(function))


def test_other_seed_gives_other_problems() -> None:
    assert digests(run(off_by_a_factor, seed=1)) != digests(known(off_by_a_factor))


def test_same_seed_gives_the_same_report_in_another_process() -> None:
    program = (
        "import runpy; names = runpy.run_path({path!r});"
        "print(repr(names['facts_of'](names['shrunk'](names['off_by_a_factor']))))"
    )
    command = [sys.executable, "-c", program.format(path=__file__)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.strip() == repr(facts_of(shrunk(off_by_a_factor)))


def test_progress_counts_the_problems_of_each_phase() -> None:
    seen: list[Progress] = []
    implementation = Implementation("shifted", shifted, Claims(dtypes=("float32",)))
    report = run_checks(implementation, Plan(SMALL, 0, power=False), seen.append)
    assert seen[0].done == 0
    assert all(0 <= progress.done < progress.total for progress in seen)
    n_sizes = len(report.sizes.tried)  # those that come last have a turn of their own, in which there are no sizes
    assert len(seen) == 2 * (report.n_problems - n_sizes) + n_sizes + 1
    assert seen[-1].phase == "known defects"


def test_dtypes_of_the_plan_are_those_that_are_checked() -> None:
    implementation = Implementation("shifted", shifted, Claims(dtypes=("float32", "float64")))
    report = run_checks(
        implementation, Plan(Profile("families", "quick", 0, 0, 0, most=10), 0, "stable", ("float64",), power=False)
    )
    assert report.dtypes == ("float64",)
    assert {line.dtype for line in report.lines} == {"float64"}


def test_dtype_that_is_not_claimed_is_refused() -> None:
    implementation = Implementation("shifted", shifted, Claims(dtypes=("float32",)))
    with pytest.raises(ValueError, match="shifted claims the dtypes float32, not float64"):
        run_checks(implementation, Plan(SMALL, 0, "stable", ("float64",)))


def test_implementation_of_probabilities_alone_is_not_called_accurate() -> None:
    def exact(logits: Array, targets: Array) -> Any:
        labels = targets.argmax(axis=1)
        loss, gradient = complement(logits.astype(np.float64), labels)
        return loss.astype(logits.dtype), gradient.astype(logits.dtype)

    assert run(exact, targets="probability").verdict <= "stable"


def test_a_run_in_a_list_is_short() -> None:
    assert repr(known(off_by_a_factor)) == "<Run on off_by_a_factor: wrong>"


def test_an_error_in_what_explains_a_verdict_fails_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("gradlab.diagnosis.diagnosis.diagnose", broken)
    with pytest.raises(ZeroDivisionError):
        run_checks(Implementation("textbook", textbook, claims_from({"dtypes": "float32"})), Plan(FEW, 0, "stable"))
