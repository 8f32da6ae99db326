"""A failure in words: both problems, what was put to the implementation, and lines of Python that show it again."""

from __future__ import annotations

import numpy as np

from gradlab.harness.run import Run
from gradlab.harness.tally import Line
from gradlab.problems.formatting import snippet
from gradlab.problems.problem import Problem
from gradlab.report.failure import failure_text, no_command, origin
from gradlab.result import Fact, worst_result
from gradlab.targets.load import load

Reports = dict[str, Run]
ZEROS = Problem(np.zeros((1, 2), dtype=np.float32), np.array([1]))


def line_in(report: Run, *, same: bool) -> Line:
    """A failed line whose simplest problem is the worst, or is another one."""
    for line in report.failures:
        if line.simplest is not None and (line.simplest.problem.digest == line.worst.problem.digest) == same:
            return line
    raise AssertionError("no such line")


def test_a_failure_shows_the_simplest_and_the_worst_problem(reports: Reports) -> None:
    report = reports["unstable"]
    line = line_in(report, same=False)
    text = failure_text(report.implementation, line, no_command).splitlines()
    assert line.simplest is not None
    assert text[0].startswith(f"FAIL {line.check.name}  textbook  {line.dtype}  (unstable: {line.n_failed} of ")
    assert text[1] == f"  {line.simplest.sentence()}"
    assert text[2] == f"  simplest problem (small): {snippet(line.simplest.problem)}"
    assert text[3].startswith("  worst problem (small): ")
    assert text[4] == f"    {line.worst.sentence()}"


def test_one_problem_is_shown_once(reports: Reports) -> None:
    report = reports["unstable"]
    text = failure_text(report.implementation, line_in(report, same=True), no_command).splitlines()
    assert text[2].startswith("  problem (small): ")
    assert not any(line.startswith("  worst problem") for line in text)


def test_a_failure_ends_with_lines_of_plain_python(reports: Reports) -> None:
    report = reports["unstable"]
    (implementation,) = load("textbook", {})
    line = next(line for line in report.failures if line.check.group == "stability")
    text = failure_text(implementation, line, no_command).splitlines()
    at = text.index("  the simplest in plain Python:")
    assert text[at + 1] == "    import numpy as np"
    assert text[-1].startswith("    print(textbook(np.array(")


def test_what_one_call_does_not_show_has_no_lines_of_python(reports: Reports) -> None:
    report = reports["raising"]
    line = next(line for line in report.failures if line.check.group == "contract")
    assert "in plain Python" not in failure_text(report.implementation, line, no_command)


def test_the_problem_that_was_derived_is_the_one_that_is_shown() -> None:
    derived = ZEROS.replace(logits=np.full((1, 2), 8, dtype=np.float32), family="smallest")
    own = worst_result("fact", ZEROS, [Fact("the call", "is odd", "even", False)])
    other = worst_result("fact", ZEROS, [Fact("the call", "is odd", "even", False, derived)])
    assert origin(own) == "(given): logits [[0, 0]], labels [1]"
    assert origin(other) == "(given, derived): logits [[8, 8]], labels [1]"
