"""A lesson as a cell of a notebook: the example of nbgrader, the test file of Otter, and what they call."""

from __future__ import annotations

import doctest
import json
import runpy
from pathlib import Path
from typing import Any

import pytest

import gradlab
from gradlab.lessons.table import MATERIAL
from tests.lessons.attempts import ATTEMPTS
from tests.lessons.conftest import SOLUTIONS, function_in, solution
from tests.runs import only_first

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
NOTEBOOK: dict[str, Any] = json.loads((EXAMPLES / "lesson_gradient.ipynb").read_text())
CELLS = {cell["id"]: cell for cell in NOTEBOOK["cells"]}
SIGN_FLIPPED = next(one for one in ATTEMPTS if one.said == "must make the loss smaller")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def run_cells(answer: str) -> None:
    """Runs the code of the notebook, with this for the cell that is to be filled in."""
    names: dict[str, Any] = {}
    for cell in NOTEBOOK["cells"]:
        if cell["cell_type"] == "code":
            source = answer if cell["id"] == "solution" else "".join(cell["source"])
            exec(compile(source, cell["id"], "exec"), names)


def test_the_notebook_passes_with_a_solution_and_not_without() -> None:
    run_cells(solution("gradient"))
    with pytest.raises(AssertionError, match="gradient: not yet \\(not begun\\)"):
        run_cells("".join(CELLS["solution"]["source"]))


def test_the_cell_to_fill_in_is_the_stub() -> None:
    assert "".join(CELLS["solution"]["source"]).strip() in (MATERIAL / "gradient/loss.py").read_text()


def test_the_cells_are_marked_as_nbgrader_wants_them() -> None:
    answer, test = (CELLS[name]["metadata"]["nbgrader"] for name in ("solution", "test"))
    assert (answer["solution"], answer["grade"], answer["locked"]) == (True, False, False)
    assert (test["solution"], test["grade"], test["locked"], test["points"]) == (False, True, True, 10)


def otter_failures(names: dict[str, Any]) -> int:
    """How many examples of the test file fail, run as Otter runs them: by doctest, on the names of the notebook."""
    test = runpy.run_path(str(EXAMPLES / "otter_gradient.py"))["test"]
    (case,) = test["suites"][0]["cases"]
    example = doctest.DocTestParser().get_doctest(case["code"], names, test["name"], None, 0)
    return doctest.DocTestRunner(verbose=False).run(example, out=lambda text: None).failed


def test_the_test_file_of_otter_passes_a_solution_and_no_mistake() -> None:
    assert otter_failures({"loss": function_in(SOLUTIONS / "gradient.py")}) == 0
    assert otter_failures({"loss": SIGN_FLIPPED.function}) == 1


@pytest.mark.parametrize("hints", only_first((0, 1, 2), 2))
def test_the_exception_has_as_much_of_a_hint_as_is_asked_for(hints: int) -> None:
    with pytest.raises(AssertionError) as raised:
        gradlab.lesson_test("gradient", SIGN_FLIPPED.function, hints=hints)
    said = str(raised.value)
    assert said.startswith("gradient: not yet (wrong)")
    assert ("hint, where: gradient_is_right fails" in said) == (hints >= 1)
    assert (SIGN_FLIPPED.said in said) == (hints >= 2)


def test_hints_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="hints must be 0, 1 or 2, got 3"):
        gradlab.lesson_test("gradient", SIGN_FLIPPED.function, hints=3)
