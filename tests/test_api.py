"""The Python entry and the public names."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gradlab
from gradlab.api import implementations_of, plan_for
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness import examination, logits_problems, power
from gradlab.harness.profiles import PROFILES
from gradlab.implementations.shifted import shifted
from gradlab.implementations.textbook import textbook
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Problem
from gradlab.targets.load import TargetError
from gradlab.targets.shipped import specimens


@pytest.fixture(autouse=True)
def few_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets every profile try two problems and known defects only."""

    def problems_for(claims: Any, dtype: str, *extent: Any) -> tuple[Problem, ...]:
        arrays = [np.array(rows).astype(as_dtype(dtype)) for rows in ([[1.0, 2.0]], [[1000.0, 0.0]])]
        return tuple(Problem(rows, np.array([1])) for rows in arrays)

    monkeypatch.setattr(logits_problems, "problems_for", problems_for)
    monkeypatch.setattr(examination, "asked_in_run", lambda *given: [])  # nothing is asked of sizes
    known = {name: specimens()[name] for name in ("no_shift", "sign_flipped")}
    monkeypatch.setattr(power, "known_defects", lambda claims: known)
    for name, profile in list(PROFILES.items()):
        monkeypatch.setitem(PROFILES, name, replace(profile, examples=0, shrinks=0))


@pytest.mark.parametrize(
    "target", ["shifted", shifted, Implementation("mine", shifted), "gradlab.implementations.shifted:shifted"]
)
def test_a_target_a_function_and_an_implementation_are_checked(target: Any) -> None:
    report = gradlab.check(target)
    assert report.verdict >= "stable", report
    assert report.met


def test_an_unstable_function_is_found_out() -> None:
    report = gradlab.check(textbook, seed=5, profile="quick")
    assert report.verdict == "unstable"
    assert report.plan.seed == 5
    assert "textbook: unstable" in str(report)


def test_the_level_asked_for_is_the_one_given_or_claimed() -> None:
    assert gradlab.check(shifted).plan.level == "stable"
    assert gradlab.check(shifted, level="accurate").plan.level == "accurate"
    assert plan_for(Implementation("a", shifted, Claims(level="accurate"))).level == "accurate"


def test_dtypes_are_claimed_for_a_function_that_claims_none() -> None:
    def mine(logits: Any, labels: Any) -> Any:
        return shifted(logits, labels)

    assert gradlab.check(mine, dtypes=["float16"]).dtypes == ("float16",)


def test_claims_are_made_by_keyword() -> None:
    assert not gradlab.check(shifted, masks=False).implementation.claims.masks


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"target": "nope"}, "nope is no file, folder, shipped implementation or entry point"),
        ({"target": 7}, "a target must be a string or callable, got 7"),
        ({"target": "shifted", "level": "perfect"}, "level must be one of stable, accurate, got 'perfect'"),
        (
            {"target": "shifted", "profile": "slow"},
            "profile must be one of smoke, quick, standard, thorough",
        ),
        ({"target": "shifted", "dtypes": ["float16"]}, "shifted claims the dtypes float32, float64, not float16"),
        ({"target": "shifted", "fast": True}, "shifted: a claim must be one of"),
        ({"target": Implementation("mine", shifted), "masks": False}, "mine has its own claims, got masks too"),
    ],
)
def test_what_does_not_fit_is_a_value_error(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the message is compared below)
        gradlab.check(**arguments)
    assert str(caught.value).startswith(reason)


def test_a_target_of_several_functions_is_refused(tmp_path: Any) -> None:
    (tmp_path / "two.py").write_text("__all__ = ['a', 'b']\ndef a(x, y): ...\ndef b(x, y): ...\n")
    with pytest.raises(TargetError, match="stands for 2 functions, must be one: a, b"):
        gradlab.check(str(tmp_path / "two.py"))
    assert len(implementations_of(str(tmp_path / "two.py"), {})) == 2


def test_every_public_name_is_there() -> None:
    assert {name for name in gradlab.__all__ if getattr(gradlab, name) is not None} == set(gradlab.__all__)
    assert set(gradlab.__all__) <= set(dir(gradlab))


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'gradlab' has no attribute 'nonsense'"):
        _ = gradlab.nonsense


def test_the_version_is_the_one_installed() -> None:
    from importlib.metadata import version

    assert gradlab.__version__ == version("gradlab-verify")


def test_the_names_are_loaded_when_they_are_used() -> None:
    program = "import sys, gradlab; before = set(sys.modules); gradlab.Objective; print(*set(sys.modules) - before)"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert "gradlab.problems.objective" in loaded
    assert "numpy" not in loaded
