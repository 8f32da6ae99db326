"""What experiments find about an implementation that failed: which search is made, and which finding is said."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence

import numpy as np

from gradlab.evaluation.call import Implementation
from gradlab.localisation.band_search import where_in_bands
from gradlab.localisation.calls import Repeats
from gradlab.localisation.evidence import evidence_of, with_row_losses
from gradlab.localisation.first_answers import beside_one_shape, first_outcomes, one_thing_plain, spelled_otherwise
from gradlab.localisation.investigation import Investigation
from gradlab.localisation.partly import partly
from gradlab.localisation.repeats import (
    by_number,
    differs_each_time,
    has_labels_of_earlier_call,
    left_changed,
    overwritten,
    repeats_earlier_call,
    wrong_by_now,
)
from gradlab.localisation.rules import Condition, Rule
from gradlab.localisation.statements import Localisation, state_band, state_part, state_repeats, state_rule, state_two
from gradlab.localisation.symptoms import RAISING, WRITING
from gradlab.localisation.trial import Laboratory, Outcome
from gradlab.localisation.two_mistakes import parted, parted_within
from gradlab.localisation.varying import PLAIN
from gradlab.localisation.where import Where
from gradlab.localisation.work import Work
from gradlab.problems.problem import Problem, Shape

ASKED_AGAIN = 3  # answers of either kind: are they right, or wrong, once more?
MAX_EARLIER = 24  # right answers of the run that are asked for again at its end
NEARLY = 8  # fresh problems that a rule foretold, all of them, for what is kept back to be spent on it
RETURNS = "returns_loss_and_gradient"
SAME_CALL = "same_call_gives_same_bits"
OF_PROCESS = "leaves_the_process_as_it_was"
INPUTS_CHANGE = {"leaves_its_inputs_alone", "answer_is_right_at_this_size"}
OF_REPEATS = {
    "earlier_answers_stay_as_they_were",
    "outputs_share_no_memory",
    "calls_leave_no_state",
    SAME_CALL,
    "leaves_its_inputs_alone",
}


@np.errstate(all="ignore")  # of what is worked out here; calls are made under NumPy's own
def localise(
    implementation: Implementation,
    problems: Sequence[Problem],
    failed: Collection[str],
    admits: Callable[[Problem], bool],
) -> Localisation | None:
    """What experiments find about an implementation that failed these checks on these problems; None if nothing sure.

    problems: those of the run, of one dtype, whose answers are the first evidence; those that failed come first.
    admits: whether a problem that is made of them may be put to it. Raises SearchEndedError where no time was left
    before anything was found.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row without a finite logit has no least one: NaN is meant
        laboratory = Laboratory(implementation, admits, RAISING if set(failed) == {RETURNS} else None)
        outcomes = first_outcomes(laboratory, problems)
        if INPUTS_CHANGE & set(failed) and not any(one.is_wrong for one in outcomes):
            outcomes = _written(laboratory, problems) or outcomes
        laboratory.work = Work()  # the run has made these calls, and their truth is known
        found = _find(laboratory, outcomes, failed)
        if found is None:
            laboratory.work.raise_if_ended()
        return found


def _written(laboratory: Laboratory, problems: Sequence[Problem]) -> list[Outcome]:
    """The answers of the run where it counts as wrong that arguments are changed; none where they never are."""
    before, laboratory.symptom = laboratory.symptom, WRITING
    outcomes = first_outcomes(laboratory, problems)
    if not any(one.is_wrong for one in outcomes):
        laboratory.symptom = before
        return []
    return outcomes


def _find(laboratory: Laboratory, outcomes: list[Outcome], failed: Collection[str]) -> Localisation | None:
    wrong, right = ([one for one in outcomes if one.is_wrong is mark] for mark in (True, False))
    if not outcomes:
        return None
    if SAME_CALL in failed:
        plain = sorted((one.problem for one in outcomes), key=lambda one: (not one.is_moderate, one.logits.size))
        moderate = [one for one in plain if one.is_moderate and one.logits.size <= PLAIN]
        each_time = differs_each_time(laboratory, [*plain[:1], *moderate[len(moderate) // 2 :: len(moderate) // 4 + 1]])
        if each_time is not None:
            return state_repeats(laboratory, plain[0], each_time)
    stateful = _changes(laboratory, [*wrong[:ASKED_AGAIN], *right[:ASKED_AGAIN]])
    if stateful or (not wrong and OF_REPEATS & set(failed)):
        found = _repeats(laboratory, wrong, outcomes)
        if found is not None or stateful:
            return found
    if wrong:
        found = state_repeats(laboratory, wrong[0].problem, has_labels_of_earlier_call(laboratory, wrong[0].problem))
        if found is not None:
            return found
    if right and not wrong and OF_PROCESS in failed:
        return state_repeats(laboratory, right[0].problem, left_changed(laboratory, right))
    if not wrong:
        outcomes += spelled_otherwise(laboratory, right, failed)
    outcomes += one_thing_plain(laboratory, wrong)
    beside = beside_one_shape(laboratory, wrong)
    outcomes += beside
    if not any(one.is_wrong for one in outcomes):
        return None
    investigation = Investigation(laboratory, [evidence_of(one) for one in outcomes])
    investigation.measure()
    if beside and not any(one.is_wrong for one in beside):
        one_shape = investigation.confirmed(Where(_rule_of_shape(wrong[0].problem.logits.shape), 0, 0, 0))
        if one_shape is not None:
            return state_rule(investigation, one_shape)
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
        return state_two(investigation, two)
    if where is not None and settled:
        return state_rule(investigation, where)
    if where is not None and where.n_foretold == where.n_fresh >= NEARLY and investigation.fits(where.rule):
        laboratory.release()
        where = investigation.confirmed(where)
        if where is not None:
            return state_rule(investigation, where)
    in_band = in_band or where_in_bands(investigation, own=False)
    if in_band is not None:
        return state_band(investigation, in_band)
    laboratory.release()
    in_part = partly(investigation)
    said = state_part(investigation, in_part) if in_part is not None else None
    return said if said is not None and (said.conditions or said.what) else None


def _rule_of_shape(shape: Shape) -> Rule:
    """All that has this shape."""
    return Rule((Condition("n_rows", "==", shape[0]), Condition("n_classes", "==", shape[1])))


def _counts_rows(investigation: Investigation, where: Where) -> bool:
    """Whether the losses are told by how often those of the rule's rows count."""
    effect = investigation.effect
    return effect.loss is None and with_row_losses(effect, where.rule, investigation.wrong).loss is not None


def _changes(laboratory: Laboratory, outcomes: Sequence[Outcome]) -> bool:
    """Whether what was right is wrong when it is asked again, or the other way round."""
    again = [(one, laboratory.ask(one.trial)) for one in outcomes]
    return any(later is not None and later.is_wrong != one.is_wrong for one, later in again)


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
    return state_repeats(laboratory, first, found)
