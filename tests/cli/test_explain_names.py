"""`gradlab explain` knows defects, checks, families of problems and teaching codes; what it shows runs as it stands."""

from __future__ import annotations

import contextlib
import io

import pytest

from gradlab.report.explanations import explanations

NAMES = {
    "one_hot_not_divided": "right:   loss 0.693147",
    "rows_sum_to_zero": "rejects:  ",
    "margins": "a family of problems",
    "teaching_label_vector": "a teaching code",
}


@pytest.mark.parametrize(("name", "words"), NAMES.items())
def test_each_kind_of_name_is_explained(name: str, words: str) -> None:
    assert words in "\n".join(explanations()[name]())


def test_everything_that_has_a_name_is_explained() -> None:
    said = {name: list(lines()) for name, lines in explanations().items()}
    assert [name for name, lines in said.items() if not lines[0].startswith(f"{name}: ")] == []


@pytest.mark.parametrize("name", ["one_hot_not_divided", "epsilon_in_log", "smoothing_without_epsilon"])
def test_the_lines_of_a_defect_run_as_they_stand_and_give_what_is_shown(name: str) -> None:
    lines = list(explanations()[name]())
    start = lines.index("run:") + 1
    script = [line.strip() for line in lines[start:] if line.startswith("    ")]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec("\n".join(script), {})  # the lines that are shown
    gives = next(line for line in lines if line.startswith("gives:"))
    assert gives.split("loss ")[1][:6] in printed.getvalue()
