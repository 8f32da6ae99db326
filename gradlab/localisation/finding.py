"""What was found out by experiment about one implementation, as the report has it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from gradlab.evaluation.call import Implementation, answer
from gradlab.evaluation.layouts import INTEGERS, MORE_INTEGERS, PLAIN_INTEGERS, PLAIN_LAYOUT
from gradlab.localisation.band_search import InBand, where_in_bands
from gradlab.localisation.bands import Band
from gradlab.localisation.evidence import evidence_of, with_row_losses
from gradlab.localisation.investigation import Investigation
from gradlab.localisation.other_dtypes import is_right_elsewhere
from gradlab.localisation.partly import Partly, partly
from gradlab.localisation.repeats import (
    Repeats,
    by_number,
    differs_each_time,
    left_changed,
    overwritten,
    repeats_earlier_call,
    wrong_by_now,
)
from gradlab.localisation.rules import Condition, Rule
from gradlab.localisation.spelled_effect import spelled_effect, spelled_relations
from gradlab.localisation.symptoms import RAISING, Symptom
from gradlab.localisation.trial import ALL_LAYOUTS, LARGEST, Laboratory, Outcome, Trial, outcome_of, spelled_answer
from gradlab.localisation.two_mistakes import Part, parted, parted_within
from gradlab.localisation.varying import PLAIN, cheap
from gradlab.localisation.where import Where
from gradlab.localisation.words import EVERYWHERE, spelled_rule
from gradlab.problems.problem import Problem
from gradlab.problems.sized import is_repeated, is_sized, spelling_of

MAX_SEEDS = 90  # answers of the run, wrong ones and right ones, with which it begins
MIN_FRESH = 6  # calls that bear out what calls do to each other
ASKED_AGAIN = 3  # answers of either kind: are they right, or wrong, once more?
MAX_LARGE = 8  # problems of the run of more than `PLAIN` entries, the smallest of either kind
MAX_EARLIER = 24  # right answers of the run that are asked for again at its end
MAX_RESPELLED = 2  # wrong trials that are put in every other layout and integer type
RETURNS = "returns_loss_and_gradient"
SAME_CALL = "same_call_gives_same_bits"
OF_PROCESS = "leaves_the_process_as_it_was"
OF_REPEATS = {
    "earlier_answers_stay_as_they_were",
    "outputs_share_no_memory",
    "calls_leave_no_state",
    SAME_CALL,
    "leaves_its_inputs_alone",
}


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


@np.errstate(all="ignore")  # of what is worked out here; calls are made under NumPy's own
def localise(
    implementation: Implementation,
    problems: Sequence[Problem],
    failed: Collection[str],
    admits: Callable[[Problem], bool],
) -> Localisation | None:
    """What experiments find about an implementation that failed these checks on these problems; None if nothing sure.

    problems: those of the run, of one dtype, whose answers are the first evidence; those that failed come first.
    admits: whether a problem that is made of them may be put to it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row without a finite logit has no least one: NaN is meant
        laboratory = Laboratory(implementation, admits, RAISING if set(failed) == {RETURNS} else None)
        outcomes = _begin(laboratory, problems)
        laboratory.began = time.process_time()  # the run has made these calls, and their truth is known
        return _find(laboratory, outcomes, failed)


def _find(laboratory: Laboratory, outcomes: list[Outcome], failed: Collection[str]) -> Localisation | None:
    wrong, right = ([one for one in outcomes if one.is_wrong is mark] for mark in (True, False))
    if not outcomes:
        return None
    if SAME_CALL in failed:
        plain = min((one.problem for one in outcomes), key=lambda one: (not one.is_moderate, one.logits.size))
        each_time = differs_each_time(laboratory, plain)
        if each_time is not None:
            return _said_of_repeats(laboratory, plain, each_time)
    stateful = _changes(laboratory, [*wrong[:ASKED_AGAIN], *right[:ASKED_AGAIN]])
    if stateful or (not wrong and OF_REPEATS & set(failed)):
        found = _repeats(laboratory, wrong, outcomes)
        if found is not None or stateful:
            return found
    if right and not wrong and OF_PROCESS in failed:
        return _said_of_repeats(laboratory, right[0].problem, left_changed(laboratory, right))
    if not wrong:
        outcomes += _spelled_otherwise(laboratory, right, failed)
    outcomes += _one_thing_plain(laboratory, wrong)
    if not any(one.is_wrong for one in outcomes):
        return None
    investigation = Investigation(laboratory, [evidence_of(one) for one in outcomes])
    investigation.measure()
    in_band = where_in_bands(investigation, own=True)
    two = parted(investigation) if in_band is None else None
    where = investigation.where() if in_band is None and two is None else None
    settled = where is not None and where.is_settled
    knows_half = investigation.knows_half and not (settled and where is not None and _counts_rows(investigation, where))
    if in_band is None and two is None and (not settled or knows_half):
        two = parted_within(investigation)
        if two is not None and settled and where is not None and where.rule.conditions:
            two = None if any(one.is_everywhere for one in two) else two  # which would say less of where
    if two is not None:
        return _said_of_two(investigation, two)
    if where is not None and settled:
        return _said(investigation, where)
    in_band = in_band or where_in_bands(investigation, own=False)
    if in_band is not None:
        return _said_of_band(investigation, in_band)
    laboratory.release()
    in_part = partly(investigation)
    said = _said_in_part(investigation, in_part) if in_part is not None else None
    return said if said is not None and (said.conditions or said.what) else None


def _counts_rows(investigation: Investigation, where: Where) -> bool:
    """Whether the losses are told by how often those of the rule's rows count."""
    effect = investigation.effect
    return effect.loss is None and with_row_losses(effect, where.rule, investigation.wrong).loss is not None


def _said_of_two(investigation: Investigation, two: Sequence[Part]) -> Localisation:
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


def _said_in_part(investigation: Investigation, found: Partly) -> Localisation:
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


def _said_of_band(investigation: Investigation, found: InBand) -> Localisation:
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


def _begin(laboratory: Laboratory, problems: Sequence[Problem]) -> list[Outcome]:
    """Answers that the run has had: the smallest wrong ones and the right ones, some of every family."""
    implementation, symptom = laboratory.implementation, laboratory.symptom
    outcomes = [_first_outcome(implementation, problem, symptom) for problem in _affordable(problems)]
    if not any(one.is_wrong for one in outcomes):
        outcomes += [_first_outcome(implementation, problem, symptom) for problem in _first_large(problems)]
    found = list[Outcome]()
    for mark in (True, False):
        some = [one for one in outcomes if one.is_wrong is mark]
        spread = np.unique(np.linspace(0, len(some) - 1, min(len(some), MAX_SEEDS)).astype(int))  # of every family
        found += [some[place] for place in spread]
    return found


def _affordable(problems: Sequence[Problem]) -> Iterator[Problem]:
    """The small problems, and the smallest of the large ones, of those of sizes and of others."""
    yield from (problem for problem in problems if problem.n_rows and problem.logits.size <= PLAIN)
    for mark in (True, False):
        large = [one for one in problems if PLAIN < one.logits.size <= LARGEST and is_sized(one) is mark]
        yield from sorted(large, key=lambda problem: problem.logits.size)[:MAX_LARGE]


def _first_large(problems: Sequence[Problem]) -> list[Problem]:
    """The first large problems that are not among the affordable ones: where sizes alone fail, those that failed."""
    known = {problem.digest for problem in _affordable(problems)}
    large = (one for one in problems if PLAIN < one.logits.size <= LARGEST and one.digest not in known)
    return list(islice(large, MAX_LARGE))


def _first_outcome(implementation: Implementation, problem: Problem, symptom: Symptom | None) -> Outcome:
    """What came of a problem in the run, which spelled it as its family says; in int64 where others are refused."""
    if not is_sized(problem) or is_repeated(problem):
        return outcome_of(Trial(problem), answer(implementation, problem), symptom)
    integers, layout = spelling_of(problem)
    trial = Trial(problem, layout, integers)
    given = spelled_answer(implementation, trial)
    if given.raised and integers != PLAIN_INTEGERS:
        trial = replace(trial, integers=PLAIN_INTEGERS)
        given = spelled_answer(implementation, trial)
    return outcome_of(trial, given, symptom)


def _changes(laboratory: Laboratory, outcomes: Sequence[Outcome]) -> bool:
    """Whether what was right is wrong when it is asked again, or the other way round."""
    again = [(one, laboratory.ask(one.trial)) for one in outcomes]
    return any(later is not None and later.is_wrong != one.is_wrong for one, later in again)


def _spelled_otherwise(laboratory: Laboratory, right: Sequence[Outcome], failed: Collection[str]) -> list[Outcome]:
    """The right problems in every layout, and with labels of every type, where a check of these failed."""
    trials = list[Trial]()
    small = sorted(right, key=lambda one: one.problem.logits.size)
    few = [one.problem for one in small if min(one.problem.logits.shape) > 1 and one.problem.is_moderate][:6]
    for problem in few:
        if "layout_does_not_matter" in failed:
            trials += [Trial(problem, layout) for layout in ALL_LAYOUTS if layout != PLAIN_LAYOUT]
        if {"layout_does_not_matter", "integer_type_of_the_labels_does_not_matter"} & set(failed):
            trials += [Trial(problem, integers=name) for name in INTEGERS if problem.n_classes < 128]
    return [one for one in map(laboratory.ask, trials) if one is not None]


def _one_thing_plain(laboratory: Laboratory, wrong: Sequence[Outcome]) -> list[Outcome]:
    """The smallest wrong trials that are not plain, in other layouts and with labels of other types."""
    small = sorted((one for one in wrong if not one.trial.is_plain), key=lambda one: one.problem.logits.size)
    trials = list[Trial]()
    for one in small[:MAX_RESPELLED]:
        trial = replace(one.trial, problem=cheap(one.problem))
        plain = laboratory.ask(Trial(trial.problem))
        if plain is None or plain.is_wrong:
            return [plain] if plain is not None else []
        trials += [trial, *(replace(trial, layout=name) for name in ALL_LAYOUTS if name != trial.layout)]
        trials += [replace(trial, integers=name) for name in (*INTEGERS, *MORE_INTEGERS) if name != trial.integers]
    return [one for one in map(laboratory.ask, trials) if one is not None]


def _repeats(laboratory: Laboratory, wrong: Sequence[Outcome], outcomes: Sequence[Outcome]) -> Localisation | None:
    first = (wrong or outcomes)[0].problem
    right = [one for one in outcomes if not one.is_wrong]
    searches: tuple[Callable[[], Repeats | None], ...] = (
        lambda: overwritten(laboratory, first),
        lambda: repeats_earlier_call(laboratory, first),
        lambda: by_number(laboratory, first),
        lambda: wrong_by_now(laboratory, right[:: max(1, len(right) // MAX_EARLIER)]),
    )
    found = next((one for search in searches for one in [search()] if one is not None), None)
    return _said_of_repeats(laboratory, first, found)


def _said_of_repeats(laboratory: Laboratory, first: Problem, found: Repeats | None) -> Localisation | None:
    if found is None or found.n_foretold < found.n_fresh or found.n_fresh < MIN_FRESH:
        return None
    return Localisation(first.format.name, found.said, "", (), found.n_foretold, found.n_fresh, laboratory.n_calls)


def _said(investigation: Investigation, where: Where) -> Localisation:
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
