"""A kept problem once more: is it fixed, does it still fail, and is the answer the one that was recorded?"""

from __future__ import annotations

from dataclasses import dataclass

from gradlab.adapters.load import load
from gradlab.checks.check import run
from gradlab.checks.table import CHECKS
from gradlab.evaluation import Implementation, evaluate
from gradlab.harness.cases import Case, CaseError, encoded_claims
from gradlab.harness.encoding import encoded_answer
from gradlab.result import Result, worst_result


@dataclass(frozen=True, eq=False)
class Replay:
    """What became of a case.

    results: of the checks that failed then. same_answer: whether loss and gradient, or the fault, are bit for bit
    those recorded (any NaN is like any other).
    """

    case: Case
    implementation: Implementation
    results: tuple[Result, ...]
    same_answer: bool

    @property
    def fixed(self) -> bool:
        return all(result.passed for result in self.results)


def replay(case: Case) -> Replay:
    """The outcome of the failed checks of a case, run on its problem as it was, with the claims of then.

    Raises TargetError where the implementation does not load any more, CaseError where a check is not known.
    """
    checks = {check.name: check for check in CHECKS}
    names = [str(one["check"]) for one in case.failed]
    for name in names:
        if name not in checks:
            raise CaseError(f"case {case.id} failed {name!r}, a check that this version does not have")
    if not case.target:
        raise CaseError(f"case {case.id} cannot run: {case.name} was given as a function, not as a target")
    found_there = load(case.target, encoded_claims(case.claims))
    if len(found_there) != 1:
        raise CaseError(f"case {case.id} cannot run: {case.target} stands for {len(found_there)} functions")
    (implementation,) = found_there
    recorded = {name: case.got.get(name) for name in ("fault", "loss", "gradient")}
    given = encoded_answer(evaluate(implementation, case.problem))
    found = [run(checks[name], implementation, case.problem) for name in names]
    results = [worst_result(name, case.problem, one) for name, one in zip(names, found, strict=True)]
    same = all(given[name] == recorded[name] for name in recorded)
    return Replay(case, implementation, tuple(results), same)
