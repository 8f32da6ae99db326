"""The pytest plugin: one test per check, by decorator or by --gradlab, with pytest's own choosing and reporting."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.diagnosis import diagnosis, search
from gradlab.harness import logits_problems, one_check, sizes
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Problem

pytest_plugins = ["pytester"]

LOSSES = """
import numpy as np

def good(logits, labels):
    rows = np.arange(len(labels))
    d = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(d)
    s = e.sum(axis=1)
    p = e / s[:, None]
    p[rows, labels] -= 1
    return np.mean(np.log(s) - d[rows, labels]), p / len(labels)

def doubled(logits, labels):
    loss, gradient = good(logits, labels)
    return loss, 2 * gradient

def raising(logits, labels):
    raise RuntimeError("not today")
"""

DECORATED = """
import gradlab
import losses

@gradlab.parametrize({arguments})
def test_conformance(gradlab_check):
    gradlab_check()
"""

PLAIN = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")  # this plugin would import Hypothesis in each run
SUM = "::rows_sum_to_zero[float32]"


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with losses.py, where every run tries three problems and seven sizes for each dtype."""

    def few(claims: Any, dtype: str, *extent: Any) -> tuple[Problem, ...]:
        rows: list[list[list[float]]] = [[[0, 0]], [[1, -1, 0.5], [2, 0, 1]], [[0, 30]]]
        return tuple(Problem(np.array(row).astype(as_dtype(dtype)), np.ones(len(row), dtype=np.int64)) for row in rows)

    all_asked = sizes.all_asked
    for module in (sizes, one_check):
        monkeypatch.setattr(
            module, "all_asked", lambda *extent: all_asked(*extent)[:7]
        )  # the two checks of sizes among them
    monkeypatch.setattr(logits_problems, "problems_for", few)
    monkeypatch.setattr(logits_problems, "kept_drawn_problems", lambda *extent: ())
    pytester.makepyfile(losses=LOSSES)
    pytester.syspathinsert()
    return pytester


def decorated(suite: pytest.Pytester, arguments: str, *options: str) -> pytest.RunResult:
    suite.makepyfile(test_losses=DECORATED.format(arguments=arguments))
    return suite.runpytest(*PLAIN, *options)


def on_target(suite: pytest.Pytester, target: str, *options: str) -> pytest.RunResult:
    return suite.runpytest(*PLAIN, "--gradlab", target, *options)


def test_decorated_test_passes_for_a_sound_function(suite: pytest.Pytester) -> None:
    outcomes = decorated(suite, "losses.good").parseoutcomes()
    assert set(outcomes) == {"passed"}
    assert outcomes["passed"] > 40


def test_every_check_and_dtype_is_a_test_of_its_own_with_a_name_to_read(suite: pytest.Pytester) -> None:
    result = decorated(suite, "losses.good", "--collect-only", "-q")
    names = [line for line in result.outlines if line.startswith("test_losses.py")]
    assert "test_losses.py::test_conformance[rows_sum_to_zero-float32]" in names
    assert "test_losses.py::test_conformance[gradient_is_right-float64]" in names
    assert len(set(names)) == len(names)


def test_dtypes_and_claims_can_be_given_by_keyword(suite: pytest.Pytester) -> None:
    result = decorated(suite, "losses.good, dtypes=['float32'], empty_batch=True", "--collect-only", "-q")
    assert not any("float64" in line for line in result.outlines)


def test_level_accurate_adds_its_checks(suite: pytest.Pytester) -> None:
    result = decorated(suite, "losses.good, level='accurate', dtypes=['float32']", "-q")
    failed = [line for line in result.outlines if "FAILED" in line]
    assert any("target_entry_within_a_few_ulp-float32" in line for line in failed)


def test_failure_names_the_fact_the_entry_both_values_and_the_problem(suite: pytest.Pytester) -> None:
    result = decorated(suite, "losses.doubled, dtypes=['float32']", "-k", "gradient_is_right")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(
        [
            "E*FAIL gradient_is_right  doubled  float32  (wrong: 2 of 2 problems)",
            "E*gradient[[]*[]] = *, must be * within * (bound: *), off by * ULP",
            "E*problem*: logits *, labels *",
        ]
    )


def test_failure_ends_with_what_it_looks_like_and_the_case_to_run_again(suite: pytest.Pytester) -> None:
    result = decorated(suite, "losses.doubled, dtypes=['float32']", "-k", "gradient_is_right")
    (case,) = (suite.path / ".gradlab" / "cases").iterdir()
    result.stdout.fnmatch_lines(
        ["E*looks like: *", f"E*again: gradlab replay {case.relative_to(suite.path)}"], consecutive=False
    )
    again = subprocess.run(
        [sys.executable, "-m", "gradlab", "replay", str(case.relative_to(suite.path)), "--in-process"],
        cwd=suite.path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (again.returncode, again.stdout[:13]) == (1, "still failing")


def test_values_are_explained_once_for_all_failures_in_a_dtype(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches: list[Any] = []

    def explanations(observations: Any) -> Any:
        searches.append(observations)
        return search.explanations(observations)

    monkeypatch.setattr(diagnosis, "explanations", explanations)
    outcomes = decorated(suite, "losses.doubled, dtypes=['float32']").parseoutcomes()
    assert outcomes["failed"] > 1
    assert len(searches) == 1


def test_nothing_is_explained_or_kept_where_nothing_fails(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(diagnosis, "explanations")
    assert set(decorated(suite, "losses.good, dtypes=['float32']").parseoutcomes()) == {"passed"}
    assert not (suite.path / ".gradlab").exists()


def test_gradlabs_own_lines_are_left_out_of_the_traceback(suite: pytest.Pytester) -> None:
    result = decorated(suite, "losses.doubled, dtypes=['float32']", "-k", "gradient_is_right")
    assert "line_of" not in result.stdout.str()


def test_function_that_never_answers_fails_every_check_of_answers_with_its_fault(suite: pytest.Pytester) -> None:
    result = decorated(suite, "losses.raising, dtypes=['float32']", "-v")
    passed = [line.split("[")[1].split("]")[0] for line in result.outlines if " PASSED" in line]
    assert passed == ["leaves_the_process_as_it_was-float32"]  # whatever a call raises, it may do that
    assert set(result.parseoutcomes()) == {"failed", "passed"}
    result.stdout.fnmatch_lines(
        ["E*no call gave an answer to check: raised RuntimeError: not today (losses.py, line *)"]
    )


def test_target_of_several_functions_has_their_names_in_the_tests(suite: pytest.Pytester) -> None:
    suite.makepyfile(both="from losses import good, doubled\n__all__ = ['good', 'doubled']")
    result = decorated(suite, "'both.py', dtypes=['float32']", "--collect-only", "-q")
    names = [line for line in result.outlines if "rows_sum_to_zero-" in line]
    assert names == [f"test_losses.py::test_conformance[{one}-rows_sum_to_zero-float32]" for one in ("good", "doubled")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'losses:best'", "*TargetError: losses has no 'best'*"),
        (
            "losses.good, profile='slow'",
            "*ValueError: profile must be one of smoke, quick, standard, thorough*",
        ),
        ("losses.good, speed=3", "*a claim must be one of *, got 'speed'"),
        ("7", "*TargetError: a target must be a string or callable, got 7"),
    ],
)
def test_decorator_that_does_not_fit_is_an_error_of_collection(
    suite: pytest.Pytester, arguments: str, message: str
) -> None:
    result = decorated(suite, arguments)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([message])


def test_option_runs_all_checks_on_a_target_without_any_test_file(suite: pytest.Pytester) -> None:
    outcomes = on_target(suite, "losses.py:good").parseoutcomes()
    assert set(outcomes) == {"passed"}
    assert outcomes["passed"] > 40


@pytest.mark.parametrize("target", ["losses.py:good", "losses:good"])
def test_tests_of_a_target_are_named_by_target_function_check_and_dtype(suite: pytest.Pytester, target: str) -> None:
    result = on_target(suite, target, "--collect-only", "-q", "--gradlab-dtype", "float32")
    assert f"{target}::good{SUM}" in result.outlines
    assert not any("float64" in line for line in result.outlines)


def test_targets_are_collected_beside_the_tests_that_are_there(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_other="def test_other(): pass")
    for files in ((), ("test_other.py",)):
        both = on_target(suite, "losses.py:good", "--collect-only", "-q", *files)
        assert "test_other.py::test_other" in both.outlines
        assert any("losses.py:good::" in line for line in both.outlines)


def test_nothing_but_the_targets_is_collected_where_that_is_asked_for(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_other="def test_other(): pass")
    alone = on_target(suite, "losses.py:good", "--gradlab-only", "--collect-only", "-q")
    assert not any("test_other" in line for line in alone.outlines)
    assert any("losses.py:good::" in line for line in alone.outlines)


def test_several_targets_are_run_one_after_the_other(suite: pytest.Pytester) -> None:
    result = on_target(suite, "losses.py:good", "--gradlab", "losses.py:doubled", "--collect-only", "-q")
    names = [line for line in result.outlines if line.endswith(SUM)]
    assert names == [f"losses.py:good::good{SUM}", f"losses.py:doubled::doubled{SUM}"]


def test_tests_of_a_target_can_be_chosen_by_name(suite: pytest.Pytester) -> None:
    result = on_target(suite, "losses.py:good", "-k", "rows_sum_to_zero and float32")
    result.assert_outcomes(passed=1, deselected=result.parseoutcomes()["deselected"])


def test_failure_of_a_target_is_its_text_alone(suite: pytest.Pytester) -> None:
    result = on_target(suite, "losses.py:doubled", "-k", "gradient_is_right and float32")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["FAIL gradient_is_right  doubled  float32  (wrong: 2 of 2 problems)"])
    assert "pytest_plugin.py" not in result.stdout.str()


def test_level_of_the_command_line_is_the_one_that_is_asked_for(suite: pytest.Pytester) -> None:
    result = on_target(suite, "losses.py:good", "--gradlab-level", "accurate", "--collect-only", "-q")
    assert any("target_entry_within_a_few_ulp" in line for line in result.outlines)


BAD = {
    "no function": (["losses.py:best"], "ERROR: --gradlab losses.py:best: losses.py has no 'best'"),
    "no file": (["nowhere.py:f"], "ERROR: --gradlab nowhere.py:f: nowhere.py does not exist"),
    "no name": (["shiftd"], "ERROR: --gradlab shiftd: *did you mean shifted?"),
    "profile": (["shifted", "--gradlab-profile", "slow"], "ERROR: --gradlab shifted: profile must be one of *"),
    "level": (["shifted", "--gradlab-level", "good"], "ERROR: --gradlab shifted: level must be one of *"),
    "dtype": (["shifted", "--gradlab-dtype", "float16"], "ERROR: --gradlab shifted: shifted claims the dtypes *"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_target_or_setting_is_an_error_of_usage_in_one_line(suite: pytest.Pytester, name: str) -> None:
    arguments, message = BAD[name]
    result = on_target(suite, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert len([line for line in result.errlines if line]) == 1
    result.stderr.fnmatch_lines([message])


def test_junit_xml_has_the_name_of_every_check_and_the_text_of_every_failure(suite: pytest.Pytester) -> None:
    on_target(suite, "losses.py:doubled", "--junitxml", "out.xml", "--gradlab-dtype", "float32")
    cases = ElementTree.parse(suite.path / "out.xml").getroot().findall(".//testcase")
    failures = {case.get("name"): case.findtext("failure") for case in cases}
    assert failures["rows_sum_to_zero[float32]"] is None
    assert str(failures["gradient_is_right[float32]"]).startswith("FAIL gradient_is_right  doubled  float32")


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", *PLAIN, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_target_runs_on_two_processes(suite: pytest.Pytester) -> None:
    few = ("--gradlab-dtype", "float32", "--gradlab-profile", "smoke")
    result = run(["-n", "2", "--gradlab", "losses.py:doubled", *few, "-q"], suite.path)
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert "FAILED losses.py:doubled::doubled::gradient_is_right[float32]" in result.stdout
    assert "FAIL gradient_is_right  doubled  float32  (wrong" in result.stdout


def test_bad_target_is_one_line_on_two_processes_too(suite: pytest.Pytester) -> None:
    result = run(["-n", "2", "--gradlab", "losses.py:best"], suite.path)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.split("\n")[0].startswith("ERROR: --gradlab losses.py:best: losses.py has no 'best'")


def test_a_run_of_pytest_without_gradlab_loads_no_more_of_it_than_the_plugin(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_loaded="""
        import sys

        def test_loaded():
            loaded = {name for name in sys.modules if name.partition(".")[0] in ("gradlab", "numpy", "flint", "sympy")}
            assert loaded == {"gradlab", "gradlab.integrations", "gradlab.integrations.pytest_plugin"}
        """
    )
    result = run(["test_loaded.py"], suite.path)
    assert result.returncode == pytest.ExitCode.OK, result.stdout
