"""The verdict: what the failures of one implementation add up to."""

from __future__ import annotations

from enum import Enum
from functools import total_ordering

from gradlab.checks.check import Check
from gradlab.evaluation.claims import Claims
from gradlab.problems.problem import AnyProblem

SEVERAL = 3  # problems on which a check must fail whose bound is a probable one, before the verdict is lowered


@total_ordering
class Verdict(Enum):
    """wrong < unstable < stable < accurate; compares with these names too: verdict >= "stable".

    wrong: the mathematics is wrong somewhere. unstable: right on moderate logits, breaks in a stress family.
    stable: every entry within the forward-error bound of the standard shifted algorithm, on all problems.
    accurate: every entry, the target's too, within a few ULP on all problems.
    """

    WRONG = "wrong"
    UNSTABLE = "unstable"
    STABLE = "stable"
    ACCURATE = "accurate"

    def __lt__(self, other: object) -> bool:
        order = list(Verdict)
        return order.index(self) < order.index(Verdict(other))

    def __eq__(self, other: object) -> bool:
        return self is other or self.value == other

    def __hash__(self) -> int:
        return hash(self.value)

    def __str__(self) -> str:
        return str(self.value)


def verdict_of_failure(check: Check, claims: Claims, problem: AnyProblem) -> Verdict:
    """The best verdict that is left once `check` has failed on `problem`.

    Where an advice fails, or a check of something that is not claimed, every verdict is left. A failure of
    mathematics on logits that are not moderate is one of stability.
    """
    if is_advice(check, claims):
        return Verdict.ACCURATE
    if check.failing_means == "improbable":
        return Verdict.ACCURATE  # until it fails on several: `verdict_of_failures`
    if check.failing_means == "inaccurate":
        return Verdict.STABLE
    if check.failing_means == "unstable" or not (problem.is_moderate or problem.n_rows == 0):
        return Verdict.UNSTABLE
    return Verdict.WRONG


def verdict_of_failures(check: Check, best: Verdict, n_failed: int) -> Verdict:
    """The best verdict that is left after n_failed problems, each of which leaves at least `best`."""
    return Verdict.UNSTABLE if check.failing_means == "improbable" and n_failed >= SEVERAL else best


def is_advice(check: Check, claims: Claims) -> bool:
    """Whether failing this check is held against an implementation with these claims."""
    return check.failing_means == "advice" or (check.claim is not None and not getattr(claims, check.claim))
