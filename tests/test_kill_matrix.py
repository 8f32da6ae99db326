"""docs/kill-matrix.md is of what ships: the numbers that it names, and a row for each. Nothing is asked here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradlab.checks.table import CHECKS
from gradlab.harness.verdict import Verdict
from gradlab.targets.shipped import shipped_targets, sound, specimens
from tools.kill_matrix.page import as_markdown
from tools.kill_matrix.rows import Entry, Row, entries, faults

PAGE = (Path(__file__).parents[1] / "docs/kill-matrix.md").read_text(encoding="utf-8")
PICTURE = (Path(__file__).parents[1] / "docs/kill-matrix.svg").read_text(encoding="utf-8")
TEACHING_CODES = [name for name, one in shipped_targets().items() if one.is_teaching_code]


def number_of(kind: str) -> int:
    (number,) = re.findall(rf"(\d+) {kind}", PAGE)
    return int(number)


def rows_that_begin(pattern: str) -> list[str]:
    return re.findall(rf"^\| {pattern} \|", PAGE, re.MULTILINE)


def test_every_specimen_and_teaching_code_has_its_row() -> None:
    assert rows_that_begin(r"`(\w+)`") == [*specimens(), *TEACHING_CODES]


def test_each_row_has_its_own_check_and_that_rejects_it() -> None:
    row = r"^\| `(\w+)` \| \w+, \w+ \| \w+ \| (\w+) \| (?!0%)"
    own = dict(re.findall(row, PAGE, re.MULTILINE))
    assert own == {
        **{name: one.killed_by for name, one in specimens().items()},
        **{name: shipped_targets()[name].because[0] for name in TEACHING_CODES},
    }


def test_the_numbers_of_specimens_and_teaching_codes_are_those_that_ship() -> None:
    assert (number_of("specimens"), number_of("teaching codes")) == (len(specimens()), len(TEACHING_CODES))


def test_the_number_of_sound_implementations_is_that_which_ships() -> None:
    pytest.importorskip("numba")  # two are not listed without it
    assert number_of("sound implementations") == len(sound())


def test_every_check_has_its_row() -> None:
    assert rows_that_begin(r"(\w+)(?= \| \d)") == [check.name for check in CHECKS]


def test_no_fault_is_named() -> None:
    assert "**Fault**" not in PAGE
    assert "no check of level `stable` rejects a sound implementation" in PAGE


def test_the_picture_names_them_too() -> None:
    assert {name for name in specimens() if f">{name}</text>" not in PICTURE} == set()


def test_everything_that_ships_is_asked() -> None:
    assert [one.name for one in entries()] == [*specimens(), *TEACHING_CODES, *sound()]


def specimen_row(name: str, rejected: dict[str, float], level: str) -> Row:
    return Row(Entry(name, "specimen", "loss_is_right"), "quick", "float32", rejected, Verdict(level), 90)


def sound_row(name: str, rejected: dict[str, float], level: str) -> Row:
    return Row(Entry(name, "sound", ""), "quick", "float32", rejected, Verdict(level), 1)


ESCAPED = specimen_row("escaped", {"is_quiet": 0.5}, "stable")
FOUND = specimen_row("found", {"loss_is_right": 0.004}, "wrong")
ALARM = sound_row("alarm", {"rows_sum_to_zero": 0.1}, "wrong")
SOUND = sound_row("right", {"rows_sum_to_zero": 0.0}, "stable")


def test_what_escapes_and_what_is_rejected_for_no_reason_are_faults() -> None:
    assert faults([ESCAPED, FOUND, ALARM, SOUND]) == ["escaped escapes its own check", "alarm is rejected"]
    assert "- **Fault**: alarm is rejected" in as_markdown([FOUND, ALARM])


def test_a_page_has_shares_and_counts() -> None:
    page = as_markdown([FOUND, SOUND])
    assert "1 specimens, 0 teaching codes, 1 sound implementations" in page
    assert "took 2 minutes" in page
    assert "| `found` | quick, float32 | wrong | loss_is_right | <1% | 0 |" in page
    assert "| loss_is_right | 1 | 1 |" in page
