"""What was found out by experiment about one implementation, as the report has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gradlab.localisation.band_search import InBand
from gradlab.localisation.bands import Band
from gradlab.localisation.calls import Repeats
from gradlab.localisation.evidence import with_row_losses
from gradlab.localisation.investigation import Investigation
from gradlab.localisation.other_dtypes import is_right_elsewhere
from gradlab.localisation.partly import Partly
from gradlab.localisation.rules import Condition, Rule
from gradlab.localisation.spelled_effect import spelled_effect, spelled_relations
from gradlab.localisation.trial import Laboratory
from gradlab.localisation.two_mistakes import Part
from gradlab.localisation.where import Where
from gradlab.localisation.words import EVERYWHERE, spelled_rule
from gradlab.problems.problem import Problem

MIN_FRESH = 6  # calls that bear out what calls do to each other


@dataclass(frozen=True)
class Localisation:
    """Where an implementation is wrong and what comes out there.

    where, what: in words; what is "" where nothing is recognised. conditions: those of the rule, in numbers;
    or_conditions: those that may hold instead. n_foretold of n_fresh problems that were drawn to both sides afterwards
    were right or wrong as it says. only_in: the dtype that it was found in, where the others that are claimed are right
    on the same problems. band: of entries, in the place of conditions on rows. always: whether every problem that meets
    the conditions is wrong; where it is not, only those that do not meet them are foretold.
    """

    dtype: str
    where: str
    what: str
    conditions: tuple[Condition, ...]
    n_foretold: int
    n_fresh: int
    n_calls: int
    only_in: str = ""
    or_conditions: tuple[Condition, ...] = ()
    band: Band | None = None
    always: bool = True

    @property
    def is_everywhere(self) -> bool:
        """Whether every problem that can show it is answered wrongly."""
        return self.where == EVERYWHERE

    @property
    def rule(self) -> Rule:
        """What foretells whether a problem is answered wrongly; where there is a band, that does."""
        return Rule(self.conditions, others=self.or_conditions)


def state_rule(investigation: Investigation, where: Where) -> Localisation:
    """Where a rule says, and what comes out there."""
    rule, wrong = where.rule, investigation.wrong
    dtype, effect = wrong[0].problem.format.name, investigation.effect_again()
    effect = with_row_losses(effect, rule, wrong)
    return Localisation(
        dtype,
        spelled_rule(rule),
        spelled_effect(effect, wrong),
        rule.conditions,
        where.n_foretold,
        where.n_fresh,
        investigation.laboratory.n_calls,
        dtype if is_right_elsewhere(investigation, wrong) else "",
        rule.others,
    )


def state_two(investigation: Investigation, two: Sequence[Part]) -> Localisation:
    """Two mistakes that show in different ways, each with what comes out there."""
    parts = sorted(two, key=lambda one: one.band is None)  # a band stands for the first conditions
    first, second = parts
    said = [spelled_relations(one.effect, one.wrong) for one in parts]
    said = [f"{one.place}: {what or 'wrong'}" for one, what in zip(parts, said, strict=True)]
    anywhere = any(one.is_everywhere for one in parts)
    places = first.place if first.place == second.place else f"{first.place}, or {second.place}"
    return Localisation(
        investigation.wrong[0].problem.format.name,
        EVERYWHERE if anywhere else f"wrong only {places}",
        "; ".join(said),
        () if anywhere else first.conditions,
        sum(one.where.n_foretold for one in parts),
        sum(one.where.n_fresh for one in parts),
        investigation.laboratory.n_calls,
        or_conditions=() if anywhere else second.conditions,
        band=None if anywhere else first.band,
    )


def state_part(investigation: Investigation, found: Partly) -> Localisation:
    """Where some problems go wrong, and outside of which none does."""
    return Localisation(
        investigation.wrong[0].problem.format.name,
        found.where,
        spelled_effect(found.effect, investigation.wrong),
        found.rule.conditions,
        found.n_foretold if found.rule.conditions else found.n_wrong,
        found.n_fresh if found.rule.conditions else found.n_within,
        investigation.laboratory.n_calls,
        always=False,
    )


def state_band(investigation: Investigation, found: InBand) -> Localisation:
    """In which entries, between two ends of a number of theirs, and what comes out there."""
    return Localisation(
        investigation.wrong[0].problem.format.name,
        found.where,
        spelled_effect(found.effect, investigation.wrong),
        (),
        found.n_foretold,
        found.n_fresh,
        investigation.laboratory.n_calls,
        band=found.band,
    )


def state_repeats(laboratory: Laboratory, first: Problem, found: Repeats | None) -> Localisation | None:
    """What calls do to each other, where enough of them bore it out."""
    if found is None or found.n_foretold < found.n_fresh or found.n_fresh < MIN_FRESH:
        return None
    return Localisation(first.format.name, found.said, "", (), found.n_foretold, found.n_fresh, laboratory.n_calls)
