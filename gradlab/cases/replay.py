"""A kept problem once more: is it fixed, does it still fail, and is the answer the one that was recorded?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradlab.cases.cases import Case, CaseError, encode_claims
from gradlab.checks.check import Check, run
from gradlab.evaluation.adaptation import allows
from gradlab.evaluation.call import Implementation
from gradlab.harness.scopes import scope_of
from gradlab.harness.verdict import SEVERAL, Verdict, verdict_of_failure, verdict_of_failures
from gradlab.result import Result, worst_result
from gradlab.targets.in_scope import load_in_scope
from gradlab.targets.prefixes import LAYER, split_prefix

Load = Callable[[str, Mapping[str, Any]], list[Implementation]]


@dataclass(frozen=True, eq=False)
class Replay:
    """What became of a case.

    results: of the checks that failed then; costly: those among them whose failure costs the level that was asked
    for, or all of them where none does. same_answer: whether loss and gradient, or the fault, are bit for bit
    those recorded (any NaN is like any other).
    """

    case: Case
    implementation: Implementation
    results: tuple[Result, ...]
    costly: tuple[Result, ...]
    same_answer: bool

    @property
    def fixed(self) -> bool:
        return all(result.passed for result in self.costly)


def replay(case: Case, given: Implementation | None = None) -> Replay:
    """The outcome of the failed checks of a case, run on its problem as it was, with the claims of then.

    given: its implementation, which is loaded if left out. Raises TargetError where that does not load any more,
    CaseError where a check is not known.
    """
    failed = _checks(case)
    implementation = implementation_of_case(case) if given is None else given
    if not allows(case.claims, case.problem.objective):
        raise CaseError(f"case {case.id} cannot run: {case.name} does not claim what its problem asks for")
    if not all(check.applies(case.claims, case.problem) for check in failed):
        raise CaseError(f"case {case.id} cannot run: a check that failed does not apply to its problem")
    scope = scope_of(case.claims)
    answered = scope.writing.encode_answer(scope.calls.evaluate(implementation, case.problem))
    same = all(answered[name] == case.got.get(name) for name in answered if name != "noise")
    found = [run(check, implementation, case.problem) for check in failed]
    results = [worst_result(check.name, case.problem, one) for check, one in zip(failed, found, strict=True)]
    costs = [_best_left(check, case) < Verdict(case.level) for check in failed]
    costly = [result for result, cost in zip(results, costs, strict=True) if cost]
    return Replay(case, implementation, tuple(results), tuple(costly or results), same)


def _best_left(check: Check, case: Case) -> Verdict:
    """The verdict that failing the check leaves; where one failure does not count, the case was not the only one."""
    return verdict_of_failures(check, verdict_of_failure(check, case.claims, case.problem), SEVERAL)


def _checks(case: Case) -> list[Check]:
    known = {check.name: check for check in scope_of(case.claims).checks}
    for one in case.failed:
        if one["check"] not in known:
            raise CaseError(f"case {case.id} failed {one['check']!r}, a check that this version does not have")
    return [known[one["check"]] for one in case.failed]


def _from_here(case: Case) -> str:
    """The target of a case; the path of a file that is not here, from the folder where it was given then."""
    scope = LAYER if case.target.startswith(LAYER) else ""
    adapter, rest = split_prefix(case.target.removeprefix(LAYER))
    head, colon, attribute = rest.rpartition(":")
    there = Path(case.folder) / head
    is_file = head.endswith(".py") or adapter == "c:"
    moved = is_file and not Path(head).exists() and there.is_file()
    return f"{scope}{adapter}{there}{colon}{attribute}" if moved else case.target


def implementation_of_case(case: Case, load: Load = load_in_scope) -> Implementation:
    """The implementation of a case, with the claims of then. Raises TargetError or CaseError where there is none.

    load: what a target stands for, with claims.
    """
    if not case.target:
        raise CaseError(f"case {case.id} cannot run: {case.name} was given as a function, not as a target")
    found = load(_from_here(case), encode_claims(case.claims))
    if len(found) != 1:
        raise CaseError(f"case {case.id} cannot run: {case.target} stands for {len(found)} functions")
    return found[0]
