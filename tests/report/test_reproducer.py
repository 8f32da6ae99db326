"""The lines that show a failure again: they run as printed, without gradlab, and give what the implementation gave."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype
from gradlab.problems.formatting import SHOWN_ENTRIES
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.report.reproducer import reproducer, source_of
from gradlab.targets.load import load

pytestmark = pytest.mark.usefixtures("in_an_empty_folder")

SOURCE = "def loss(logits, targets, **options):\n    return repr(logits), repr(targets), sorted(options.items())\n"


def lines_for(implementation: Implementation, problem: Problem) -> list[str]:
    source = source_of(implementation)
    return [] if source is None else reproducer(source, implementation.claims, problem)


def printed_by(lines: list[str]) -> str:
    command = [sys.executable, "-c", "\n".join(lines)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def answer_to(problem: Problem, **options: Any) -> str:
    return str((repr(problem.logits), repr(problem.targets), sorted(options.items())))


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("target", ["own.py:loss", "pack.losses:loss"])
def test_the_lines_run_as_printed_and_hold_the_problem(target: str, dtype: str) -> None:
    Path("own.py").write_text(SOURCE)
    Path("pack").mkdir()
    Path("pack/losses.py").write_text(SOURCE)
    (implementation,) = load(target, {})
    logits = np.array([[0.1, np.nan, -np.inf], [1 / 3, np.inf, -0.0]]).astype(as_dtype(dtype))
    problem = Problem(logits, np.array([2, 0]))
    assert printed_by(lines_for(implementation, problem)) == answer_to(problem)


def test_options_are_among_the_arguments() -> None:
    Path("own.py").write_text(SOURCE)
    claims = {"reduction": ["mean", "sum"], "options": ["label_smoothing", "class_weights"], "targets": "probability"}
    (implementation,) = load("own.py:loss", claims)
    objective = Objective("sum", "probability", 0.25, (0.5, 2.0))
    problem = Problem(np.zeros((1, 2)), np.array([[0.5, 1.0]]), objective)
    shown = printed_by(lines_for(implementation, problem))
    weights = np.array([0.5, 2.0])
    assert shown == answer_to(problem, reduction="sum", label_smoothing=0.25, class_weights=weights)


def test_what_ships_is_imported_by_its_module() -> None:
    (implementation,) = load("shifted", {})
    lines = lines_for(implementation, Problem(np.zeros((1, 2)), np.array([0])))
    assert "from gradlab.implementations.shifted import shifted" in lines
    assert "0.693147" in printed_by(lines)


def test_a_keyword_that_was_bound_is_given_again() -> None:
    (implementation,) = load("every_option", {"reduction": "sum", "options": (), "targets": "index"})
    assert isinstance(implementation.function, functools.partial)
    lines = lines_for(implementation, Problem(np.zeros((2, 2)), np.array([0, 1]), Objective("sum")))
    assert "reduction='sum'" in lines[-1]
    assert "1.386294" in printed_by(lines)


def test_a_file_of_a_package_has_none() -> None:
    Path("pack").mkdir()
    Path("pack/__init__.py").write_text("")
    Path("pack/losses.py").write_text(SOURCE)
    (implementation,) = load("pack/losses.py:loss", {})
    assert lines_for(implementation, Problem(np.zeros((1, 2)), np.array([0]))) == []


def test_a_function_that_cannot_be_imported_has_none() -> None:
    def local(logits: Any, labels: Any) -> Any: ...

    implementation = Implementation("local", local, claims_from({}))
    assert lines_for(implementation, Problem(np.zeros((1, 2)), np.array([0]))) == []


def test_a_large_problem_has_none() -> None:
    (implementation,) = load("shifted", {})
    assert lines_for(implementation, Problem(np.zeros((1, SHOWN_ENTRIES + 1)), np.array([0]))) == []


def test_the_target_of_an_adapter_is_loaded_through_gradlab() -> None:
    Path("answer.py").write_text(
        "import sys, struct\nwhile sys.stdin.buffer.readline():\n    sys.stdin.buffer.read(12)\n"
        "    sys.stdout.buffer.write(b'{\"dtype\":\"float32\"}\\n' + struct.pack('<2f', 7, 8)); sys.stdout.flush()\n"
    )
    (implementation,) = load(f"exec:{sys.executable} answer.py", {})
    problem = Problem(np.zeros((1, 1), dtype=np.float32), np.array([0]))
    assert printed_by(lines_for(implementation, problem)) == "(array(7., dtype=float32), array([[8.]], dtype=float32))"


@pytest.mark.parametrize("target", ["layer:package/layers.py:mine", "layer:layers.py:mine", "layer:layer"])
def test_a_layer_is_called_by_its_own_name(target: str) -> None:
    """Also one of a file of a package, which is loaded through gradlab; what ships goes by its name."""
    text = "def mine(X, W, b, y):\n    return X.sum(), X, W, b\n"
    Path("package").mkdir()
    Path("package", "__init__.py").touch()
    Path("package", "layers.py").write_text(text)
    Path("layers.py").write_text(text)
    name = target.rpartition(":")[2]
    claims = claims_from({"layer": {"takes": ("X", "W", "b", "targets"), "returns": ("loss", "dX", "dW", "db")}})
    found = source_of(Implementation(name, lambda *given: given, claims, target))
    assert found is not None
    assert found.name == name
    assert f" {name} = " in found.line
