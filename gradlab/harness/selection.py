"""The problems of a run, whatever its scope, each with the checks that it is put to."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, zip_longest
from typing import Any

from gradlab.checks.check import Check
from gradlab.evaluation.claims import Claims
from gradlab.harness.profiles import Profile
from gradlab.harness.scopes import scope_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import AnyProblem


def problems_in_run(claims: Claims, dtype: str, profile: Profile, seed: int) -> tuple[Any, ...]:
    """All problems of a run, those of the families first."""
    return scope_of(claims).problems.in_run(claims, dtype, profile, seed)


def may_be_asked(claims: Claims, problem: AnyProblem) -> bool:
    """Whether the claims admit a problem, and whether there is one right answer to it, and a bound."""
    return scope_of(claims).problems.may_be_asked(claims, problem)


@dataclass(frozen=True, eq=False)
class Question:
    """A problem of a run, and the checks that it is put to: those that apply, but for what is asked elsewhere."""

    problem: Any  # of the scope of the claims
    checks: tuple[Check, ...]

    def in_turn(self, last: bool) -> list[Check]:
        """Those of the checks that come last, or the others."""
        return [check for check in self.checks if check.comes_last is last]


def questions_in_run(claims: Claims, dtype: str, profile: Profile, seed: int) -> tuple[Question, ...]:
    """All problems of a run with their checks, in running order.

    A check that makes calls of its own is asked on as many problems as the profile says, in turn one of every family,
    and of every other objective on a few: there it asks for what holds of every problem alike.
    """
    return _questions(claims, profile.asked, problems_in_run(claims, dtype, profile, seed))


@lru_cache(maxsize=4)  # by the very objects that the problems are
def _questions(claims: Claims, asked: int | None, problems: tuple[AnyProblem, ...]) -> tuple[Question, ...]:
    checks_there_are = scope_of(claims).checks
    applying = [[check for check in checks_there_are if check.applies(claims, problem)] for problem in problems]
    left_out: set[tuple[int, str]] = set()
    for check in checks_there_are if asked is not None else ():
        if check.makes_calls:
            places = [i for i, checks in enumerate(applying) if check in checks]
            left_out |= {(i, check.name) for i in set(places) - set(_some(problems, places, asked or 0))}
    return tuple(
        Question(problem, tuple(check for check in checks if (i, check.name) not in left_out))
        for i, (problem, checks) in enumerate(zip(problems, applying, strict=True))
    )


def _some(problems: Sequence[AnyProblem], places: Sequence[int], number: int) -> Iterator[int]:
    """So many of the problems of the first objective, and of every other a tenth, one at least; families in turn.

    And all of the first objective whose logits are not moderate: few checks that call again ask anything of these, and
    what one of them shows may show on no other.
    """
    by_objective: dict[Hashable, dict[str, list[int]]] = {}
    for place in places:
        problem = problems[place]
        families = by_objective.setdefault(_kind(problem.objective), {})
        families.setdefault(problem.family, []).append(place)
    for i, families in enumerate(by_objective.values()):
        if i == 0:
            yield from (place for some in families.values() for place in some if not problems[place].is_moderate)
        in_turn = (place for turn in zip_longest(*families.values()) for place in turn if place is not None)
        yield from islice(in_turn, number if i == 0 else max(1, number // 10))


def _kind(objective: Objective) -> Hashable:
    """What objectives have in common that differ in numbers only."""
    return objective.reduction, objective.targets, objective.mean_over, tuple(sorted(objective.options))
