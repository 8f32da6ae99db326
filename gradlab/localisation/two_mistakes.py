"""Two mistakes at once that show in different ways: each is looked for apart from the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gradlab.localisation.band_search import InBand, where_in_bands
from gradlab.localisation.bands import Band
from gradlab.localisation.evidence import Effect, Evidence, with_row_losses, with_symptom
from gradlab.localisation.investigation import Investigation
from gradlab.localisation.rules import Condition
from gradlab.localisation.symptoms import GRADIENT_AND_LOSS, SPLITS, Symptom
from gradlab.localisation.trial import Outcome
from gradlab.localisation.where import ENOUGH, Where
from gradlab.localisation.words import spelled_conditions

LEAST = 3  # answers that are wrong in one way and not in the other


@dataclass(frozen=True)
class Part:
    """One of two mistakes: where it is made, what comes out there, and the answers that are wrong in its way.

    where: by a rule, or in a band of entries.
    """

    where: Where | InBand
    effect: Effect
    wrong: Sequence[Outcome]

    @property
    def band(self) -> Band | None:
        """The band of entries, where it is one."""
        return self.where.band if isinstance(self.where, InBand) else None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Those of the rule, where it is one."""
        return () if isinstance(self.where, InBand) else self.where.rule.conditions

    @property
    def is_everywhere(self) -> bool:
        """Whether every problem that can show it is answered wrongly."""
        return self.band is None and not self.conditions

    @property
    def place(self) -> str:
        """Where, in words."""
        if isinstance(self.where, InBand):
            return self.where.place
        return f"where {spelled_conditions(self.conditions)}" if self.conditions else "anywhere"

    @property
    def says_something(self) -> bool:
        """Whether it says where, or what comes out everywhere."""
        return not self.is_everywhere or self.effect.gradient is not None or self.effect.loss is not None


def parted(investigation: Investigation) -> tuple[Part, Part] | None:
    """Two mistakes of which each foretells what is wrong in its way; None where there are no such two."""
    return _first_two(investigation, SPLITS, min)


def parted_within(investigation: Investigation) -> tuple[Part, Part] | None:
    """The same, where the gradient is wrong only in answers whose loss is wrong, or the other way round."""
    return _first_two(investigation, [GRADIENT_AND_LOSS], max)


def _first_two(
    investigation: Investigation, splits: Sequence[tuple[Symptom, Symptom]], least_of: Callable[[list[int]], int]
) -> tuple[Part, Part] | None:
    """The parts of the first split. least_of: of the answers wrong in one way alone, how many have to be a few."""
    for symptoms in splits:
        by_rows = symptoms[0].rows is not None
        if by_rows and (investigation.effect.gradient is not None or investigation.effect.in_loss_alone):
            continue  # one thing comes out in all wrong rows, or the loss is another matter
        both = [[with_symptom(one, symptom) for one in investigation.evidence] for symptom in symptoms]
        marks = [[one.is_wrong and _is_looked_at(one) for one in some] for some in both]
        alone = [sum(mark and not other for mark, other in zip(*pair, strict=True)) for pair in (marks, marks[::-1])]
        least = max(alone) if by_rows else least_of(alone)  # rows are told apart in any case
        enough = 1 if symptoms[0].raising else LEAST  # no answer is no wrong answer by chance
        if least < enough or min(map(sum, marks)) < enough:
            continue
        first = _part(investigation, both[0], symptoms[0])
        second = None if first is None else _part(investigation, both[1], symptoms[1])
        if first is not None and second is not None and _are_two(first, second, symptoms[0]):
            return first, second
    return None


def _are_two(first: Part, second: Part, symptom: Symptom) -> bool:
    """Whether something is said of both; rows that are wrong in one way are not wrong in the other as well."""
    apart = symptom.rows is None or not (first.is_everywhere or second.is_everywhere)
    return apart and first.says_something and second.says_something


def _is_looked_at(one: Evidence) -> bool:
    symptom = one.outcome.symptom
    return not (one.outcome.raised and symptom is not None and symptom.answered)


def _part(investigation: Investigation, evidence: list[Evidence], symptom: Symptom) -> Part | None:
    """What is wrong in one way alone; the laboratory asks on, within what is left."""
    laboratory = investigation.laboratory
    before, laboratory.symptom = laboratory.symptom, symptom
    try:
        apart = Investigation(laboratory, [one for one in evidence if _is_looked_at(one)])
        in_band = where_in_bands(apart, own=True)
        if in_band is not None:
            return Part(in_band, in_band.effect, apart.wrong)
        where = apart.where(ENOUGH // 2)
        if where is None or not where.is_settled or where.rule.others:
            return None
        return Part(where, with_row_losses(apart.effect, where.rule, apart.wrong), apart.wrong)
    finally:
        laboratory.symptom = before
