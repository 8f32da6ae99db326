"""How strong a run was: which of the known defects its problems and checks would have caught."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from gradlab.checks.check import Check
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.scopes import scope_of
from gradlab.harness.selection import Question
from gradlab.harness.sizes import sized_questions
from gradlab.harness.tally import findings_of
from gradlab.harness.verdict import Verdict, is_advice, verdict_of_failure, verdict_of_failures
from gradlab.result import largest_ratio
from gradlab.storage.cache import from_cache
from gradlab.targets.shipped import Specimen, specimens

SIZES_TRIED = 24  # at most, for each defect of sizes


@dataclass(frozen=True)
class Power:
    """Known defects by what a run would have made of them; each by the name of its specimen.

    Those of another derivative than the one claimed do not count.
    caught: rejected in every dtype in which it was exercised; missed: not. not_exercised: the others, by the claim
    without which the run says nothing about them. largest: the most rows and the most classes of any problem.
    """

    caught: tuple[str, ...]
    missed: tuple[str, ...]
    not_exercised: Mapping[str, tuple[str, ...]]
    largest: tuple[int, int]


def known_defects(claims: Claims) -> Mapping[str, Specimen]:
    """The specimens of the scope that these claims are in, by name."""
    return scope_of(claims).power.specimens()


def namable_defects(claims: Claims) -> Mapping[str, Specimen]:
    """What a diagnosis may name, by name: the same, and of a layer what it has in common with a loss of logits."""
    return {**specimens(), **scope_of(claims).power.specimens()}


def power_of(claims: Claims, level: Verdict, asked: Mapping[str, Sequence[Question]]) -> Power:
    """The power of a run with these claims and problems, by dtype, that asks for this level; kept between runs."""
    what = [repr(claims), str(level), *known_defects(claims)]
    for dtype, questions in asked.items():
        what.append(dtype)
        what += [" ".join([one.problem.digest, *(check.name for check in one.checks)]) for one in questions]
    kept = from_cache("power", "\n".join(what), lambda: asdict(work_out_power(claims, level, asked)))
    groups = {reason: tuple(names) for reason, names in kept["not_exercised"].items()}
    rows, classes = kept["largest"]
    return Power(tuple(kept["caught"]), tuple(kept["missed"]), groups, (rows, classes))


def work_out_power(claims: Claims, level: Verdict, asked: Mapping[str, Sequence[Question]]) -> Power:
    """The same, worked out."""

    of_size_checks = {check.name for check in scope_of(claims).checks if check.group == "sizes"}

    def questions(specimen: Specimen, dtype: str) -> Sequence[Question]:
        of_sizes = specimen.killed_by in of_size_checks
        return _questions_on_sizes(specimen, claims, dtype) if of_sizes else asked[dtype]

    caught, missed, left_out = [], [], dict[str, list[str]]()
    rules = scope_of(claims).power
    defects = known_defects(claims).items()
    known = {n: one for n, one in defects if claims_from(one.claims).derivative == claims.derivative}
    for name, specimen in known.items():
        reasons = {dtype: rules.why_not(specimen, claims, dtype, level) for dtype in asked}
        tried = [dtype for dtype, reason in reasons.items() if reason is None]
        if not tried:
            why = [str(reason) for reason in reasons.values()]
            reason = next((one for one in why if one not in asked), why[0])  # a dtype that is asked is claimed
            left_out.setdefault(reason, []).append(name)
        elif all(catches(specimen, claims, level, questions(specimen, dtype)) for dtype in tried):
            caught.append(name)
        else:
            missed.append(name)
    every = [question.problem for some in asked.values() for question in some]
    largest = (max(one.n_rows for one in every), max(one.n_classes for one in every))
    return Power(tuple(caught), tuple(missed), {reason: tuple(names) for reason, names in left_out.items()}, largest)


def _questions_on_sizes(specimen: Specimen, claims: Claims, dtype: str) -> Sequence[Question]:
    """The smallest of the part on sizes that have as many rows and classes as the problem that shows the defect.

    Of the quick profile, whose groups of sizes all profiles have.
    """
    shape = (len(specimen.logits), len(specimen.logits[0]))
    plain = replace(claims, options=(), reduction=claims.reduction[:1])  # which the specimens are asked without
    return list(islice(sized_questions(plain, dtype, "quick", shape), SIZES_TRIED))


def catches(specimen: Specimen, claims: Claims, level: Verdict, questions: Sequence[Question]) -> bool:
    """Whether some check that counts at this level rejects the specimen on one of the problems.

    Its own check is tried first on all of them; the others follow only where that rejects nothing, on problems as large
    as the smallest that shows the defect before the smaller ones.
    """
    rules, checks = scope_of(claims).power, scope_of(claims).checks
    implementation = rules.as_claimed(specimen, claims)
    (own,) = [check for check in checks if check.name == specimen.killed_by]
    others = [check for check in checks if check is not own and not is_advice(check, claims)]
    asked = [one for one in questions if rules.can_be_asked(implementation, one.problem)]
    if _rejects((own,), implementation, level, asked):
        return True
    least = rules.least_entries(specimen)
    return _rejects(others, implementation, level, sorted(asked, key=lambda one: one.problem.n_entries < least))


def _rejects(
    checks: Sequence[Check], implementation: Implementation, level: Verdict, questions: Sequence[Question]
) -> bool:
    n_failed: Counter[str] = Counter()
    for question in questions:
        for check, findings in _findings(checks, implementation, question):
            if largest_ratio(findings) > 1:
                n_failed[check.name] += 1
                left = verdict_of_failure(check, implementation.claims, question.problem)
                if verdict_of_failures(check, left, n_failed[check.name]) < level:
                    return True
    return False


def _findings(checks: Sequence[Check], implementation: Implementation, question: Question) -> Iterator[Any]:
    """What the checks find that the run asks here, as far as they apply to the claims that the specimen can keep."""
    claims, problem = implementation.claims, question.problem
    applying = [check for check in checks if check in question.checks and check.applies(claims, problem)]
    return findings_of(applying, implementation, problem) if applying else iter(())
