"""The edits of constants and terms by which the tests of bounds are tested."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools.mutation.edits import apply, bounds_mutants, edits

ROOT = Path(__file__).parents[1]

MODULES = ("gradlab/bounds/first_order.py", "gradlab/oracle/fast/exponential.py", "gradlab/bounds/running_error.py")

EDITED = {
    "x = 3.0 * y": {"1.5", "6.0", "0.0"},
    "x = a + b": {"(a)", "((b))"},
    "x = a - (b + c)": {"(a)", "(-(b + c))", "(b)", "((c))"},
    "x = a + b + c": {"(a + b)", "(a)", "((b))"},
    "x += a": {"pass"},
    "x = 2.0**-90": {"(-90 + -8)", "(-90 + -1)", "(-90 + 1)", "(-90 + 8)"},
    "x = np.maximum(a, b)": {"(a)", "(b)"},
}


@pytest.mark.parametrize("line", EDITED)
def test_a_line_has_the_edits_of_its_numbers_terms_and_extremes(line: str) -> None:
    assert {edit.text for edit in edits(line.encode())} == EDITED[line]


@pytest.mark.parametrize(
    "line",
    ["x = y[:, 1]", "x = y.sum(axis=1)", "x = y.max(1)", "x = np.zeros((4, 1))", "x = 'a' + b", "x = True", "x += [1]"],
)
def test_where_something_is_and_what_is_no_number_is_left_alone(line: str) -> None:
    assert [edit.text for edit in edits(line.encode()) if line != "x += [1]" or edit.operator == "bounds/term"] == []


@pytest.mark.parametrize("path", MODULES)
def test_every_edit_of_a_module_is_another_program(path: str, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    source = (ROOT / path).read_bytes()
    plain = ast.dump(ast.parse(source))
    mutants = bounds_mutants(ROOT, path)
    for mutant in mutants[:: len(mutants) // 60]:
        (tmp_path / path).write_bytes(source)
        apply(tmp_path, mutant)
        assert ast.dump(ast.parse((tmp_path / path).read_bytes())) != plain, str(mutant)
