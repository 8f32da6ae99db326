"""No attack is judged better than it deserves, every run ends, and nothing of it is left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradlab.campaigns.attacks.attack import FOLDER, attacks
from gradlab.campaigns.attacks.trial import try_attack
from gradlab.cli import status_of
from gradlab.harness.verdict import Verdict
from gradlab.problems.dtypes import Format, format_of
from gradlab.problems.families import Family, families_of, problems_in
from tools.attacks import PAGE, rows, table_in

FIRST = ("checks_patched", "child_left", "modules_recognised")
SECOND = ("frame_with_the_right_number", "judge_stopped")


def tier(name: str) -> list[pytest.MarkDecorator]:
    return [] if name in FIRST else [pytest.mark.more if name in SECOND else pytest.mark.slow]


@pytest.mark.parametrize("name", [pytest.param(name, marks=tier(name)) for name in attacks()])
def test_it_is_judged_as_it_deserves_in_a_run_that_ends_and_leaves_nothing(name: str) -> None:
    trial = try_attack(attacks()[name])
    assert trial.status is not None, f"it had to be ended: {trial.printed}"
    assert not trial.is_better_than_deserved, trial.printed
    assert not trial.met, trial.printed
    assert trial.status != 0
    assert trial.left == ()
    assert "\x1b" not in trial.printed


def test_there_are_fifty_and_each_deserves_less_than_it_wants() -> None:
    assert len(attacks()) >= 50
    assert all(Verdict(one.deserves) < Verdict("stable") for one in attacks().values())


def test_each_says_what_it_tries_in_a_sentence() -> None:
    for one in attacks().values():
        assert re.fullmatch(r"[A-Z].*\.", one.about), one.name
        assert "def loss(" in one.path.read_text()


def test_all_files_are_attacks_or_their_helpers() -> None:
    helpers = {path.stem for path in FOLDER.glob("_*.py")}
    assert {path.stem for path in FOLDER.glob("*.py")} == set(attacks()) | helpers


def test_the_page_has_a_row_for_each() -> None:
    shown = table_in(Path(PAGE).read_text(encoding="utf-8"))
    assert [row[:4] for row in shown] == [row[:4] for row in rows({})]


def test_the_page_shows_no_verdict_better_than_deserved() -> None:
    for _, _, _, deserved, judged in table_in(Path(PAGE).read_text(encoding="utf-8")):
        assert judged == "not checked" or Verdict(judged) <= Verdict(deserved)


def test_they_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["list", "attacks"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in attacks())


def test_the_page_names_the_families_that_are_the_same_for_every_seed() -> None:
    fmt = format_of("float32")
    drawn = [{one.name: _bits(one, fmt, seed) for one in families_of("standard")} for seed in (0, 1, 2)]
    same = [name for name, bits in drawn[0].items() if bits == drawn[1][name] == drawn[2][name]]
    said = re.search(r"every seed: ([^.]*)\.", Path(PAGE).read_text(encoding="utf-8"))
    assert said is not None
    assert re.findall(r"`(\w+)`", said[1]) == same


def _bits(family: Family, fmt: Format, seed: int) -> list[bytes]:
    return [one.logits.tobytes() + one.targets.tobytes() for one in problems_in(family, fmt, seed)]
