"""The conformance profile of an implementation: which rule it follows in every disputed case, in one dtype."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradlab.campaigns.conformance.behaviour import is_same
from gradlab.campaigns.conformance.case import Asked, Case, Rule, Seen, calls_of
from gradlab.campaigns.conformance.table import CASES
from gradlab.evaluation.adaptation import admits
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness.plan import Progress, Watch
from gradlab.problems.dtypes import format_of
from gradlab.problems.problem import Problem

REDUCED = {"mean": "mean", "sum": "sum", "per_row": "none"}  # what the rules of the case `loss` reduce by


@dataclass(frozen=True, eq=False)
class Followed:
    """What was found of one case.

    rules: the rules that fit what was seen, more than one where this dtype does not tell them apart; none where it is
    another one. lacking: what is not claimed, in which case nothing was asked. seen: what came back, in one line.
    """

    case: Case
    rules: tuple[Rule, ...]
    lacking: tuple[str, ...]
    seen: str

    @property
    def as_ruled(self) -> bool:
        """Whether gradlab's own rule is followed; a case that was not asked is not against it."""
        return bool(self.lacking) or any(rule.ours for rule in self.rules)

    @property
    def name(self) -> str:
        """The rule's name, or what stands in its place."""
        if self.lacking:
            return "not claimed"
        return " or ".join(rule.name for rule in self.rules) or "another rule"

    @property
    def says(self) -> str:
        """What the rule says, what is not claimed, or what was seen where no rule is known."""
        if self.lacking:
            return ", ".join(self.lacking)
        if not self.rules:
            return self.seen
        said = "; or ".join(rule.says for rule in self.rules)
        return f"{said}: {self.seen}" if self.rules[0] is self.case.otherwise else said


Profile = Mapping[str, Followed]


def profile_of(
    implementation: Implementation,
    dtype: str,
    watch: Watch = lambda progress: None,
    cases: Mapping[str, Case] = CASES,
) -> Profile:
    """What is followed in every case, by its name, in the order of the table; watch is told of each before it is asked.

    Where the case `loss` shows another reduction than the one claimed, all others are asked as if that were claimed.
    """
    profile: dict[str, Followed] = {}
    for done, (name, case) in enumerate(cases.items()):  # `loss` comes first
        watch(Progress(implementation.name, dtype, name, done, len(cases), 0))
        profile[name] = follow_rules(implementation, case, dtype)
        if name == "loss":
            implementation = _as_it_reduces(implementation, profile[name])
    return profile


def _as_it_reduces(implementation: Implementation, loss: Followed) -> Implementation:
    """With the claim of the reduction that the case `loss` shows, where that is another one."""
    seen = [REDUCED[rule.name] for rule in loss.rules if rule.name in REDUCED]
    if len(seen) != 1 or seen[0] in implementation.claims.reduction:
        return implementation
    return replace(implementation, claims=replace(implementation.claims, reduction=tuple(seen)))


def follow_rules(implementation: Implementation, case: Case, dtype: str) -> Followed:
    """Which rules of one case an implementation follows in a dtype."""
    asked = case.asks(implementation.claims, format_of(dtype))
    lacking = tuple(_lacking(implementation.claims, asked.problem))
    if lacking:
        return Followed(case, (), lacking, "")
    seen = calls_of(implementation, asked)
    with np.errstate(all="ignore"):
        rules = tuple(rule for rule in case.rules if rule.fits(asked, seen))
        if not rules and case.otherwise is not None and case.otherwise.fits(asked, seen):
            rules = (case.otherwise,)
    return Followed(case, rules, (), _answer_line(asked, seen))


def _lacking(claims: Claims, problem: Problem) -> Iterator[str]:
    """What a problem asks for and the claims do not admit, in words."""
    objective = problem.objective
    if objective.reduction not in claims.reduction:
        yield f"reduction {objective.reduction}"
    if objective.targets not in claims.targets:
        yield f"targets {objective.targets}"
    yield from (option for option in objective.options if option not in claims.options)
    if not admits(replace(claims, normalised_targets=False), problem):
        yield "masks"
    if not admits(replace(claims, masks=True), problem):
        yield "targets of any sum"


def _answer_line(asked: Asked, seen: Sequence[Seen]) -> str:
    """The plain answer in one line, or what becomes of the other spellings where there are any and it has one."""
    if len(seen) == 1 or seen[0].loss is None:
        return seen[0].said
    groups: dict[str, list[str]] = {}
    for name, one in zip(asked.spellings, seen[1:], strict=True):
        outcome = "the same" if is_same(asked, seen[0], one) else one.said if one.loss is None else "other values"
        groups.setdefault(outcome, []).append(name)
    return "; ".join(f"{outcome} ({', '.join(names)})" for outcome, names in groups.items())
