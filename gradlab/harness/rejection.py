"""By which problems of a run a known defect is caught."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from gradlab.checks.check import Check
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness.scopes import scope_of
from gradlab.harness.selection import Question
from gradlab.harness.sizes import sized_questions
from gradlab.harness.tally import findings_of
from gradlab.harness.verdict import Verdict, verdict_of_failure, verdict_of_failures
from gradlab.result import largest_ratio
from gradlab.targets.shipped import Specimen

SIZES_TRIED = 24  # at most, for each defect of sizes


def catches(specimen: Specimen, claims: Claims, level: Verdict, questions: Sequence[Question]) -> bool:
    """Whether some check that counts at this level rejects the specimen on some of the problems."""
    return bool(rejecting_questions(specimen, claims, level, questions))


def rejecting_questions(
    specimen: Specimen, claims: Claims, level: Verdict, questions: Sequence[Question]
) -> list[Question]:
    """Some of the questions, on which alone one check that counts at this level rejects the specimen; none: none does.

    Its own check is tried first on all of them; the others follow only where that rejects nothing, on problems as large
    as the smallest that shows the defect before the smaller ones. Checks of a further claim, such as that bad labels
    are refused, say nothing of a defect that is not against that very claim.
    """
    rules, checks = scope_of(claims).power, scope_of(claims).checks
    implementation = rules.as_claimed(specimen, claims)
    (own,) = [check for check in checks if check.name == specimen.killed_by]
    others = [check for check in checks if check is not own and check.failing_means != "advice" and not check.claim]
    asked = [one for one in questions if rules.can_be_asked(implementation, one.problem)]
    least = rules.least_entries(specimen)
    return _rejecting((own,), implementation, level, asked) or _rejecting(
        others, implementation, level, sorted(asked, key=lambda one: one.problem.n_entries < least)
    )


def questions_on_sizes(specimen: Specimen, claims: Claims, dtype: str) -> Sequence[Question]:
    """The smallest of the part on sizes that have as many rows and classes as the problem that shows the defect.

    Of the quick profile, whose groups of sizes all profiles have; the same in every run.
    """
    shape = (len(specimen.logits), len(specimen.logits[0]))
    plain = replace(claims, options=(), reduction=claims.reduction[:1])  # which the specimens are asked without
    return list(islice(sized_questions(plain, dtype, "quick", shape), SIZES_TRIED))


def _rejecting(
    checks: Sequence[Check], implementation: Implementation, level: Verdict, questions: Sequence[Question]
) -> list[Question]:
    failed: dict[str, list[Question]] = {}
    for question in questions:
        for check, findings in _findings(checks, implementation, question):
            if largest_ratio(findings) > 1:
                by_this = failed.setdefault(check.name, [])
                by_this.append(question)
                left = verdict_of_failure(check, implementation.claims, question.problem)
                if verdict_of_failures(check, left, len(by_this)) < level:
                    return by_this
    return []


def _findings(checks: Sequence[Check], implementation: Implementation, question: Question) -> Iterator[Any]:
    """What the checks find that the run asks here, as far as they apply to the claims that the specimen can keep."""
    claims, problem = implementation.claims, question.problem
    applying = [check for check in checks if check in question.checks and check.applies(claims, problem)]
    return findings_of(applying, implementation, problem) if applying else iter(())
