"""Two mistakes at once that show in different ways: each is looked for apart from the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gradlab.localisation.evidence import Effect, Evidence, with_symptom
from gradlab.localisation.investigation import ENOUGH, Investigation, Where
from gradlab.localisation.symptoms import SPLITS, Symptom
from gradlab.localisation.trial import Outcome

LEAST = 3  # answers that are wrong in one way and not in the other


@dataclass(frozen=True)
class Part:
    """One of two mistakes: where it is made, what comes out there, and the answers that are wrong in its way."""

    where: Where
    effect: Effect
    wrong: Sequence[Outcome]


def parted(investigation: Investigation) -> tuple[Part, Part] | None:
    """Two mistakes of which each foretells what is wrong in its way; None where there are no such two."""
    for symptoms in SPLITS:
        if symptoms[0].rows is not None and investigation.effect.gradient is not None:
            continue  # one thing comes out in all wrong rows
        both = [[with_symptom(one, symptom) for one in investigation.evidence] for symptom in symptoms]
        marks = [[one.is_wrong for one in some] for some in both]
        alone = [sum(mark and not other for mark, other in zip(*pair, strict=True)) for pair in (marks, marks[::-1])]
        least = max(alone) if symptoms[0].rows is not None else min(alone)  # rows are told apart in any case
        if least < LEAST or min(map(sum, marks)) < LEAST:
            continue
        first = _part(investigation, both[0], symptoms[0])
        second = None if first is None else _part(investigation, both[1], symptoms[1])
        if first is not None and second is not None and (first.where.rule.conditions or second.where.rule.conditions):
            return first, second
    return None


def _part(investigation: Investigation, evidence: list[Evidence], symptom: Symptom) -> Part | None:
    """What is wrong in one way alone; the laboratory asks on, within what is left."""
    laboratory = investigation.laboratory
    before, laboratory.symptom = laboratory.symptom, symptom
    try:
        apart = Investigation(laboratory, evidence)
        where = apart.where(ENOUGH // 2)
        if where is None or not where.is_settled or where.rule.others:
            return None
        return Part(where, apart.effect, apart.wrong)
    finally:
        laboratory.symptom = before
