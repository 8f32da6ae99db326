"""The power of a run is the same whether its defects were caught by an earlier run or are asked again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gradlab.harness import power
from gradlab.harness.power import power_of
from gradlab.harness.profiles import PROFILES, Profile
from gradlab.harness.rejection import rejecting_questions
from gradlab.harness.selection import Question, questions_in_run
from gradlab.harness.verdict import Verdict
from gradlab.problems.families import FAMILIES
from gradlab.targets.load import load

STABLE = Verdict("stable")
DTYPE = "float32"
SMALL = Profile("small", "quick", 8, 0, 40, asked=4, most=len(FAMILIES))


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The checks of the defects that are asked, from an empty cache on."""
    monkeypatch.setenv("GRADLAB_CACHE", str(tmp_path / "cache"))
    names: list[str] = []

    def counted(specimen: Any, *more: Any) -> list[Question]:
        names.append(specimen.killed_by)
        return rejecting_questions(specimen, *more)

    monkeypatch.setattr(power, "rejecting_questions", counted)
    return names


def settled(names: Sequence[str]) -> list[str]:
    """Those that are caught whenever they are asked: one that adds up in an order of its own may be right by chance."""
    known = power.known_defects(load("shifted", {})[0].claims)
    return [name for name in names if known[name].killed_by != "same_call_gives_same_bits"]


def asked(seed: int, profile: Profile = SMALL) -> dict[str, tuple[Question, ...]]:
    return {DTYPE: questions_in_run(load("shifted", {})[0].claims, DTYPE, profile, seed)}


def test_what_the_same_questions_have_caught_is_not_asked_again(tried: list[str]) -> None:
    claims = load("shifted", {})[0].claims
    first = power_of(claims, STABLE, asked(0))
    n_first = len(tried)
    second = power_of(claims, STABLE, asked(1))
    assert n_first >= len(first.caught) > 50
    assert len(tried) - n_first < n_first / 2
    assert settled(second.caught) == settled(first.caught)


def test_a_run_that_asks_less_is_credited_with_no_more_than_it_asks(tried: list[str], tmp_path: Path) -> None:
    claims = load("shifted", {})[0].claims
    power_of(claims, STABLE, asked(0))
    first = asked(0)[DTYPE][0]
    few = {DTYPE: [Question(first.problem, tuple(one for one in first.checks if one.group == "contract"))]}
    after = power_of(claims, STABLE, few)
    for kept in (tmp_path / "cache").glob("*.json"):
        kept.unlink()
    again = power_of(claims, STABLE, few)
    assert settled(after.missed) == settled(again.missed)
    assert after.missed


def test_an_unknown_witness_proves_nothing(tried: list[str]) -> None:
    claims = load("shifted", {})[0].claims
    some = asked(0)
    (name, *_) = power_of(claims, STABLE, some).caught
    forged = {DTYPE: {name: ["a problem that nobody asked"]}}
    found = power.work_out_power(claims, STABLE, some, lambda dtype, defect: [], forged)
    assert name in found.missed


def test_questions_that_reject_are_enough_by_themselves() -> None:
    """However many it takes: a few ULP off is a matter of several problems."""
    implementation = load("shifted", {})[0]
    questions = questions_in_run(implementation.claims, DTYPE, PROFILES["quick"], 0)
    caught = power_of(implementation.claims, STABLE, {DTYPE: questions}).caught
    for name in settled(caught)[::6]:
        specimen = power.known_defects(implementation.claims)[name]
        found = rejecting_questions(specimen, implementation.claims, STABLE, questions)
        again = rejecting_questions(specimen, implementation.claims, STABLE, found)
        assert [one.problem.digest for one in again] == [one.problem.digest for one in found]
