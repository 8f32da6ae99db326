"""What explains an implementation's failures: the defects that predict its answers, and its side effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gradlab.diagnosis import at_sizes, cancellation, side_effects
from gradlab.diagnosis.formulas import explaining_formulas
from gradlab.diagnosis.matching import Observation, is_contradicted, observe
from gradlab.diagnosis.models.model import Model
from gradlab.diagnosis.probe import Side, side_of
from gradlab.diagnosis.search import Explanation, explanations, is_predicted, wrong_first
from gradlab.evaluation.call import Answer, Implementation, answer, evaluate
from gradlab.problems.problem import Problem
from gradlab.result import Result

MAX_OBSERVATIONS = 60  # wrong answers, and as many right ones: the search looks at those of the smallest problems
MAX_ROUNDS = 4  # in which what contradicts an explanation is counted in
PROBES = {**side_effects.PROBES, **cancellation.PROBES, **at_sizes.PROBES}
ALSO_VALUES = ("gradient_is_the_derivative_of_its_own_loss", "calls_leave_no_state", "returns_loss_and_gradient")
AT_SIZES = "answer_is_right_at_this_size"
# What a side effect also brings about: writing to an input that is read-only, for one, raises.
IMPLIED = {
    "logits_shifted_in_place": ("layout_does_not_matter", AT_SIZES),
    "gradient_over_logits": ("layout_does_not_matter", "outputs_share_no_memory", AT_SIZES),
    "rows_assumed_contiguous": (AT_SIZES,),
    "labels_read_as_64_bits": (AT_SIZES,),
    "reversed_rows_read_forwards": (AT_SIZES,),
    "warnings_turned_off": (AT_SIZES,),
    "generator_seeded": (AT_SIZES,),
    "buffer_returned": ("earlier_answers_stay_as_they_were",),
    "two_buffers_in_turn": ("outputs_share_no_memory",),
    "buffer_of_large_results": ("outputs_share_no_memory",),
}
WITHIN_A_BOUND = ("layout_does_not_matter", "integer_type_of_the_labels_does_not_matter")  # that of a right formula
RETURNS = "returns_loss_and_gradient"
MAX_RAISED = 0.2  # of the problems, that may get no answer where the others are explained
OF_LOSS = ("loss_is_right", "loss_within_forward_error", "loss_is_not_negative")
SAME_BITS = "same_call_gives_same_bits"
SQUEEZED = "single_row_squeezed"
OF_STATE = "softmax_remembered"  # what an answer depends on then is no model of one call


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What explains the failures in one dtype.

    alternatives: sets of defects, each of which predicts every value; several cannot be told apart on these problems.
    side_effects: defects seen in what calls also do. unexplained: failed checks that nothing accounts for.
    n_problems: how many answers were compared, n_wrong: how many of them are wrong. n_changed: of the first few
    answers, how many are not given again, although the same call twice gives the same bits: no model of one call fits.
    n_raised: problems that get no answer; they are not among the n_problems, unless a defect predicts that they raise.
    among: which answers these numbers are of, in words, where only one reduction, or kind of targets, goes wrong and
    nothing explains the others as well. examples: where there are several defects, by defect a failure that it brings
    about without the others.
    """

    dtype: str
    alternatives: tuple[Explanation, ...]
    side_effects: tuple[str, ...]
    unexplained: tuple[str, ...]
    n_problems: int
    n_wrong: int
    n_changed: int = 0
    among: str = ""
    n_raised: int = 0
    examples: Mapping[str, Result] = field(default_factory=dict)

    @property
    def defects(self) -> tuple[str, ...]:
        """The defects by name: those of the first alternative, then the side effects."""
        return (*(self.alternatives[0].defects if self.alternatives else ()), *self.side_effects)

    @property
    def is_explained(self) -> bool:
        """Whether something accounts for every failure."""
        return not self.unexplained


def diagnose(
    implementation: Implementation,
    problems: Sequence[Problem],
    failed: Iterable[str],
    earlier: Sequence[tuple[Problem, Answer]] = (),
) -> Diagnosis:
    """The diagnosis of an implementation that failed these checks on these problems, all of one dtype.

    earlier: some of the first answers of the run, of whatever dtype.
    """
    failed = list(failed)
    if implementation.claims.derivative != "gradient":
        return _diagnose_derivative(implementation, problems, failed)
    side = side_of(implementation, problems[0].logits.dtype)
    seen = _probe(side, failed)
    asked = [problem for problem in problems if problem.n_rows]
    observations: Sequence[Observation] = [observe(problem, answer(implementation, problem)) for problem in asked]
    if all(one.faulty for one in observations):
        seen = dict.fromkeys(failed, ())  # a probe that gets no answer either has seen nothing
    names = _names(seen)
    contradicted = {
        name
        for name in at_sizes.NAMES
        if name in names
        for one in observations
        if at_sizes.is_contradicted_by(name, one)
    }
    seen = {check: tuple(name for name in found if name not in contradicted) for check, found in seen.items()}
    names = _names(seen)
    if SQUEEZED in names:
        observations = [one for one in observations if not one.faulty]
    n_wrong, among = sum(one.is_wrong for one in observations), ""
    n_changed = 0 if names or SAME_BITS in failed else _n_changed(implementation, earlier)
    found: tuple[Explanation, ...] = ()
    values_are_wrong = any(one.is_wrong and not one.faulty for one in observations)
    if values_are_wrong and not n_changed and OF_STATE not in names:
        found, observations, among = _explain(observations)
    names = _names_beside(found, names)
    known = Diagnosis(problems[0].format.name, found, names, (), len(observations), n_wrong, n_changed, among)
    if not found:
        known = _apart_from_raised(known, observations)
    return replace(known, unexplained=_unexplained_checks(known, seen))


def diagnose_further(
    known: Diagnosis, implementation: Implementation, problems: Sequence[Problem], failed: Iterable[str]
) -> Diagnosis:
    """The diagnosis of other failed checks, of an implementation whose values are explained by `known` on `problems`.

    The search for what explains the values, which takes longest, is not made again.
    """
    failed = list(failed)
    if implementation.claims.derivative != "gradient":
        return replace(known, unexplained=_unexplained_of_another_derivative(known.alternatives, failed))
    seen = _probe(side_of(implementation, problems[0].logits.dtype), failed)
    names = _names_beside(known.alternatives, _names(seen))
    if {OF_STATE, SQUEEZED} & {*names, *known.side_effects}:
        return diagnose(implementation, problems, failed)  # other answers are to be explained
    further = replace(known, side_effects=names)
    return replace(further, unexplained=_unexplained_checks(further, seen))


def _names_beside(found: Sequence[Explanation], names: Sequence[str]) -> tuple[str, ...]:
    """The names that probes gave, without those of single shapes where an explanation holds in every shape."""
    return tuple(name for name in names if not (found and name in at_sizes.NAMES))


def _diagnose_derivative(
    implementation: Implementation, problems: Sequence[Problem], failed: Sequence[str]
) -> Diagnosis:
    """The diagnosis by the known wrong formulas; no probe looks at these, so that side effects are unexplained."""
    given = [(problem, answer(implementation, problem)) for problem in problems if problem.n_rows]
    answered = [(problem, one) for problem, one in given if one.gradient is not None]
    n_raised = len(given) - len(answered)
    names, n_wrong = explaining_formulas(answered) if n_raised <= MAX_RAISED * len(given) else ((), len(answered))
    found = tuple(Explanation((Model(name, {}),)) for name in names)
    unexplained = _unexplained_of_another_derivative(found, failed)
    raises = [check for check in failed if n_raised and check == RETURNS and check not in unexplained]
    unexplained = (*raises, *unexplained)
    return Diagnosis(problems[0].format.name, found, (), unexplained, len(answered), n_wrong, n_raised=n_raised)


def _unexplained_of_another_derivative(found: Sequence[Explanation], failed: Sequence[str]) -> tuple[str, ...]:
    never_explained = {*side_effects.PROBES, *OF_LOSS} - {*ALSO_VALUES, *WITHIN_A_BOUND}
    return tuple(check for check in failed if not found or check in never_explained)


def _n_changed(implementation: Implementation, earlier: Sequence[tuple[Problem, Answer]]) -> int:
    """How many of the answers that were given first are not given now."""
    return sum(not _same(first, evaluate(implementation, problem)) for problem, first in earlier)


def _same(first: Answer, again: Answer) -> bool:
    if first.gradient is None or again.gradient is None:
        return first.fault == again.fault
    return np.array_equal(first.gradient, again.gradient, equal_nan=True)


def _probe(side: Side, failed: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """For each failed check that probes look into, the defects that they saw at work."""
    found: dict[str, tuple[str, ...]] = {}
    for check in failed:
        names = [name for probe in PROBES.get(check, ()) if (name := probe(side)) is not None]
        found[check] = tuple(dict.fromkeys(names))
    return found


def _names(seen: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The defects that probes saw at work; a state that is remembered alone, as every other probe calls twice."""
    names = tuple(dict.fromkeys(name for found in seen.values() for name in found))
    return (OF_STATE,) if OF_STATE in names else names


def _apart_from_raised(known: Diagnosis, observations: Sequence[Observation]) -> Diagnosis:
    """The diagnosis with what raises counted apart, and what explains the answers where only a few are missing."""
    answered = [one for one in observations if not one.faulty]
    n_raised = len(observations) - len(answered)
    counted = replace(known, n_problems=len(answered), n_wrong=known.n_wrong - n_raised, n_raised=n_raised)
    few = 0 < n_raised <= MAX_RAISED * len(observations)
    if not (few and counted.n_wrong) or known.n_changed or OF_STATE in known.side_effects:
        return counted
    found, some, among = _explain(answered)
    if not found:
        return counted
    n_wrong = sum(one.is_wrong for one in some)
    return replace(counted, alternatives=found, n_problems=len(some), n_wrong=n_wrong, among=among)


def _explain(observations: Sequence[Observation]) -> tuple[tuple[Explanation, ...], Sequence[Observation], str]:
    """What explains the observations, or else those of the one reduction or kind of targets that goes wrong.

    Returns it with the observations that it explains, and which those are, in words.
    """
    found = explaining(observations)
    if found:
        return found, observations, ""
    some, words = observations, list[str]()
    for name in ("reduction", "targets"):
        value, *others = {getattr(seen.problem.objective, name) for seen in observations if seen.is_wrong}
        own = [seen for seen in some if getattr(seen.problem.objective, name) == value]
        if not others and len(own) < len(some):
            some, words = own, [*words, f"{name} {value}"]
    found = explaining(some) if words else ()
    return (found, some, " and ".join(words)) if found else ((), observations, "")


def explaining(observations: Sequence[Observation]) -> tuple[Explanation, ...]:
    """What explains the smallest observations, as far as it explains all of them.

    Where all that explains those is contradicted by others, these are counted in, and it is tried again.
    """
    few = list(wrong_first(observations, MAX_OBSERVATIONS))
    for _ in range(MAX_ROUNDS):
        found = explanations(few)
        contradicting = [next((seen for seen in observations if not _fits(one, seen)), None) for one in found]
        fitting = tuple(one for one, seen in zip(found, contradicting, strict=True) if seen is None)
        if fitting or not found:
            return fitting
        few += [seen for seen in contradicting if seen is not None]
    return ()


def _fits(explanation: Explanation, seen: Observation) -> bool:
    if explanation.coarse:
        return not is_contradicted(seen, explanation.predicts(seen))
    return is_predicted(explanation, seen)


def _unexplained_checks(known: Diagnosis, seen: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The failed checks that neither what probes have seen nor the explained values account for."""
    implied = {check for name in known.side_effects for check in IMPLIED.get(name, ())}
    if any(one.coarse for one in known.alternatives):
        implied.add("layout_does_not_matter")  # sums in another order, at the rounding of the narrower dtype
    sound = not (known.n_wrong or known.n_raised)
    values = bool(known.alternatives) or (sound and bool(known.side_effects))
    unexplained = [check for check in seen if check not in implied and not _accounts(check, seen, values)]
    raises = [check for check in seen if known.n_raised and check == RETURNS and check not in unexplained]
    return (*raises, *unexplained)


def _accounts(check: str, seen: dict[str, tuple[str, ...]], values_are_explained: bool) -> bool:
    """Whether a failed check is accounted for: by a probe, or by the values where it looks at values alone."""
    if seen[check]:
        return True
    if any(OF_STATE in names for names in seen.values()):
        return True
    return (
        values_are_explained
        and check not in side_effects.PROBES.keys() - {*ALSO_VALUES}
        and check not in cancellation.PROBES
    )
