"""The problems of logits that an implementation is tried on: what its claims let through of families and strategies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product

from gradlab.bounds.conditioning import rows_in_range
from gradlab.bounds.second_order import stays_in_range
from gradlab.evaluation.adaptation import (
    LARGEST_HESSIAN,
    adapt_to_claims,
    admits,
    is_left_open,
    takes,
    with_derivative,
)
from gradlab.evaluation.claims import Claims
from gradlab.harness.few import few_of_each
from gradlab.harness.profiles import Profile
from gradlab.problems.coefficients import denominators_of
from gradlab.problems.dtypes import Format, format_of
from gradlab.problems.families import FAMILIES, families_of, family_problems
from gradlab.problems.families.options import option_problems
from gradlab.problems.problem import Problem
from gradlab.storage.cache import from_cache
from gradlab.storage.encoding import Plain, decoded_problem, encoded_problem

AGAIN = {"quick": 1, "standard": 3}  # problems of a stress family for every other reduction and kind of target


@lru_cache(maxsize=4)  # of one implementation in each dtype: in standard they take 100 to 300 MB
def problems_for(claims: Claims, dtype: str, families: str, seed: int) -> tuple[Problem, ...]:
    """The problems of the families of a profile with the first objective claimed, then the other objectives.

    These are other reductions and kinds of targets, on some of each stress family, and the options that are claimed.
    """
    fmt = format_of(dtype)
    drawn = _for_derivative(claims.derivative, family_problems(fmt, families, seed))
    plain = [adapt_to_claims(claims, problem) for problem in drawn] + list(_stress_again(claims, drawn, families))
    optional = [p for reduction in claims.reduction for p in _optional(claims, fmt, seed, reduction)]
    chosen = (problem for problem in optional if takes(claims, problem.objective))
    return (*plain, *(with_derivative(claims.derivative, problem) for problem in chosen))


def _for_derivative(derivative: str, problems: list[Problem]) -> list[Problem]:
    """Those of the problems of families that are asked of this derivative."""
    left_out = {family.name for family in FAMILIES if family.gradient_only and derivative != "gradient"}
    return [problem for problem in problems if problem.family not in left_out]


def _stress_again(claims: Claims, families: Sequence[Problem], profile: str) -> Iterator[Problem]:
    """Problems of every stress family for each reduction and kind of target but the first: each may be code of its own.

    AGAIN of a family's, others for each, or all where the profile has no such number.
    """
    stress = [family.name for family in families_of(profile) if family.stress]
    by_family = [[problem for problem in families if problem.family == name] for name in stress]
    _, *others = product(claims.targets, claims.reduction)
    for number, (targets, reduction) in enumerate(others, start=1):
        own = replace(claims, targets=(targets,), reduction=(reduction,))
        for some in by_family:
            count = min(AGAIN.get(profile, len(some)), len(some))
            yield from (adapt_to_claims(own, some[i % len(some)]) for i in range(number * count, (number + 1) * count))


def _optional(claims: Claims, fmt: Format, seed: int, reduction: str) -> list[Problem]:
    """Problems with options for one reduction: for the first rule of the mean that is claimed all of them.

    For every other rule those on which it makes a difference.
    """
    first, *others = claims.mean_over
    found = option_problems(fmt, seed, reduction, first)
    for rule in others:
        problems = option_problems(fmt, seed, reduction, rule) if reduction == "mean" else []
        found += [one for one in problems if denominators_of(one, first).sum() != denominators_of(one, rule).sum()]
    return found


def logits_problems_in_run(claims: Claims, dtype: str, profile: Profile, seed: int) -> tuple[Problem, ...]:
    """All problems of a run: those of the families, then those that are drawn."""
    families = problems_for(claims, dtype, profile.families, seed)
    if profile.most is not None:
        families = few_of_each(families, profile.most)
    drawn = kept_drawn_problems(claims, dtype, profile.examples, seed)
    return tuple(problem for problem in families + drawn if logits_may_be_asked(claims, problem))


@lru_cache(maxsize=16)
def kept_drawn_problems(claims: Claims, dtype: str, n_examples: int, seed: int) -> tuple[Problem, ...]:
    """The problems that Hypothesis draws, kept between runs: drawing them takes a third of a quick run's time."""

    def drawn() -> list[Plain]:
        from gradlab.harness.search import drawn_problems

        return [encoded_problem(problem) for problem in drawn_problems(claims, dtype, n_examples, seed)]

    if n_examples == 0:
        return ()
    kept = from_cache("drawn", repr((claims, dtype, n_examples, seed)), drawn)
    return tuple(map(decoded_problem, kept))


def logits_may_be_asked(claims: Claims, problem: Problem) -> bool:
    """Whether the claims admit a problem, and whether there is one right answer to it, and a bound.

    There is no bound where the options, or a vector, make something out of range of finite logits. A Hessian has at
    most LARGEST_HESSIAN entries.
    """
    if problem.objective.derivative == "hessian" and problem.logits.size * problem.n_classes > LARGEST_HESSIAN:
        return False
    in_range = bool(rows_in_range(problem).all()) and stays_in_range(problem)
    return in_range and not is_left_open(problem) and admits(claims, problem)
