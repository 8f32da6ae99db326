"""What explains the failures of a layer: which of the known defects, alone or in pairs, give the answers that it gave.

A known defect is a specimen, which replaces stages of a sound layer; what it answers on a problem is worked out in the
dtype of the problem and compared with what came back, output by output.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from gradlab.checks.layer.outputs import GRADIENTS
from gradlab.diagnosis.diagnosis import Diagnosis
from gradlab.diagnosis.layer.block_sizes import likely_sizes
from gradlab.diagnosis.layer.observation import Observation, observe
from gradlab.diagnosis.layer.options import OfOptions, explain_options
from gradlab.diagnosis.layer.same import as_explanations
from gradlab.diagnosis.layer.side_effects import (
    IGNORED,
    IMPLIED_BY_IGNORING,
    IN_SOME,
    observe_for_what_is_left,
    side_effects_of,
)
from gradlab.diagnosis.search import Explanation
from gradlab.evaluation.call import Implementation
from gradlab.layer.answer import LayerAnswer
from gradlab.layer.call import evaluate_layer, layer_answer
from gradlab.layer.problem import OUTPUTS, LayerProblem
from gradlab.targets.shipped import Specimen, layer_specimens

CONTRACT = frozenset(
    {
        "returns_what_is_claimed",
        "leaves_features_weight_and_bias_alone",
        "a_layer_leaves_the_process_as_it_was",
        "outputs_of_a_layer_share_no_memory",
        "same_call_of_a_layer_gives_same_bits",
        "calls_of_a_layer_leave_no_state",
        "layout_of_the_arrays_does_not_matter",
        "refuses_labels_outside_the_classes",
        "a_label_outside_reaches_no_other_row",
        "upstream_gradient_multiplies_the_gradients_of_a_layer",
        "scaled_loss_gives_the_same_gradients_of_a_layer",
        "second_backward_pass_of_a_layer_gives_the_same_gradients",
        "gradients_of_a_layer_accumulate",
        "instance_of_a_layer_can_be_used_again",
        "backward_pass_of_a_layer_takes_the_gradient_that_arrives",
        "features_and_weight_may_need_no_gradient",
    }
)
IMPLIED_BY_WRITING = ("layout_of_the_arrays_does_not_matter", "outputs_of_a_layer_share_no_memory")  # read-only arrays
STATE = "calls_of_a_layer_leave_no_state"
IMPLIED_BY_STATE = (STATE, "same_call_of_a_layer_gives_same_bits", "layout_of_the_arrays_does_not_matter")
MAX_ASKED_AGAIN = 20  # wrong answers, where a layer keeps state
CLOSER = 0.8  # of the wrong answers
MAX_DEFECTS = 3  # that are tried together
MAX_WITH_VARIANTS = 2  # of those that replace stages of the gradients, where variants are tried too
MAX_LOOKED_AT = 32  # wrong answers, to find what explains most of them; all of what explains them is in the end
MAX_USEFUL = 7  # defects for each output that are tried together: those that explain most of it by themselves
NUMBERS = ("float16", "float32")  # dtypes whose numbers are hardly met by chance in a wider one
LOSS_STAGES = frozenset({"losses", "reduced", "penalty_in_loss"})
Defects = tuple[Specimen, ...]


def diagnose_layer(
    implementation: Implementation,
    problems: Sequence[LayerProblem],
    failed: Sequence[str],
    earlier: Sequence[tuple[LayerProblem, LayerAnswer]] = (),
) -> Diagnosis:
    """The diagnosis of a layer that failed these checks on these problems, all of one dtype."""
    asked = [one for one in problems if one.n_rows and is_modelled(one)]
    answered = [(one, layer_answer(implementation, one)) for one in asked]
    given = [(one, answer) for one, answer in answered if answer.fault is None]
    observations = [observe(implementation, *pair) for pair in given]
    n_raised = len(answered) - len(observations)
    n_wrong = sum(one.is_wrong for one in observations)
    effects = side_effects_of(implementation, problems, failed)
    n_changed = 0 if effects else _n_changed(implementation, earlier)
    if STATE in failed and not effects and not n_changed:
        n_changed = _n_settled(
            implementation, [pair for pair, seen in zip(given, observations, strict=True) if seen.is_wrong]
        )
    found = _explain(observations) if n_wrong and not n_changed else ()
    n_unexplained = n_wrong
    if effects and n_wrong and not found:
        left = [observe_for_what_is_left(implementation, one.problem) for one in observations]
        as_left = [one for one in left if one is not None]
        n_unexplained = sum(one.is_wrong for one in as_left) + len(left) - len(as_left)
        found = _explain(as_left) if n_unexplained and len(left) == len(as_left) else ()
    alternatives = as_explanations(found, observations) if found else ()
    of_options = OfOptions()
    if found or not n_wrong:
        of_options = _explain_with_options(implementation, problems, observations)
    alternatives = _together(alternatives, of_options)
    is_of_state = [bool(n_changed) and (check in IMPLIED_BY_STATE or check not in CONTRACT) for check in failed]
    unexplained = tuple(
        check
        for check, known in zip(failed, is_of_state, strict=True)
        if not known and not _accounts(check, bool(alternatives), effects, n_unexplained)
    )
    if alternatives:
        with_options = _wrong_with_options_alone(implementation, problems, observations)
        checks = [f"{name.lower()}_of_the_layer_is_right" for name in with_options if name not in of_options.outputs]
        unexplained += tuple(check for check in checks if check in failed)
    return Diagnosis(
        asked[0].format.name if asked else problems[0].format.name,
        alternatives,
        tuple(effects),
        unexplained,
        len(observations) + of_options.n_problems,
        n_wrong + of_options.n_wrong,
        n_changed,
        "",
        n_raised,
    )


def _explain_with_options(
    implementation: Implementation, problems: Sequence[LayerProblem], observations: Sequence[Observation]
) -> OfOptions:
    """What explains the outputs that are wrong with an option alone."""
    wrong = _wrong_with_options_alone(implementation, problems, observations)
    return explain_options(implementation, problems[0].format.name, wrong) if wrong else OfOptions()


def _together(alternatives: tuple[Explanation, ...], of_options: OfOptions) -> tuple[Explanation, ...]:
    """Each of the alternatives, or nothing where there is none, with each set of models of options, if there is any."""
    if not of_options.alternatives:
        return alternatives
    plain = [one.models for one in alternatives] or [()]
    return tuple(Explanation((*some, *more)) for some in plain for more in of_options.alternatives)


def _wrong_with_options_alone(
    implementation: Implementation, problems: Sequence[LayerProblem], observations: Sequence[Observation]
) -> tuple[str, ...]:
    """The outputs that are wrong with an option alone, of which the models of the layer say nothing."""
    others = [(one, layer_answer(implementation, one)) for one in problems if one.n_rows and not is_modelled(one)]
    with_options = [observe(implementation, *pair) for pair in others if pair[1].fault is None]
    explained = {name for seen in observations for name in seen.wrong_outputs}
    wrong = {name for seen in with_options for name in seen.wrong_outputs} - explained
    return tuple(name for name in OUTPUTS if name in wrong)


def _accounts(check: str, is_found: bool, effects: Mapping[str, str], n_wrong: int) -> bool:
    """Whether a failed check is accounted for: by a side effect, or by defects where it looks at values alone."""
    if check in effects.values() or (effects and check in IMPLIED_BY_WRITING):
        return True
    if {IGNORED, IN_SOME} & effects.keys() and check in IMPLIED_BY_IGNORING:
        return True
    return check not in CONTRACT and (is_found or bool(effects and not n_wrong))


def is_modelled(problem: LayerProblem) -> bool:
    """Whether the models of defects know the problem's objective: labels, no option but a label to be ignored."""
    objective = problem.objective
    return objective.targets == "index" and not set(objective.options) - {"ignore_index"}


def _n_changed(implementation: Implementation, earlier: Sequence[tuple[LayerProblem, LayerAnswer]]) -> int:
    """How many of the answers that were given first are not given now."""
    return sum(not _same(first, evaluate_layer(implementation, problem)) for problem, first in earlier)


def _n_settled(implementation: Implementation, answered: Sequence[tuple[LayerProblem, LayerAnswer]]) -> int:
    """How many of these answers are others, and settle, when asked again; noise does not settle."""
    found = 0
    for problem, first in answered[:MAX_ASKED_AGAIN]:
        _, again, once_more = (evaluate_layer(implementation, problem) for _ in range(3))
        found += _same(again, once_more) and not _same(first, again)
    return found


def _same(first: LayerAnswer, again: LayerAnswer) -> bool:
    if first.fault is not None or again.fault is not None:
        return first.fault == again.fault
    return all(np.array_equal(array, again.outputs[name], equal_nan=True) for name, array in first.outputs.items())


def _explain(observations: Sequence[Observation]) -> tuple[Defects, ...]:
    """The smallest sets of defects that predict every answer; none where no set does.

    Where the specimens as they are predict nothing, their variants are tried too, then blocks of likely sizes, and last
    what is coarse.
    """
    wrong_first = sorted(observations, key=lambda one: not one.is_wrong)
    wrong = [one for one in observations if one.is_wrong]
    if all(one.is_near_the_truth for one in wrong):
        return ()
    defects = [one for one in layer_specimens().values() if one.stages]
    exact = [one for one in defects if not one.coarse]
    found = _explained_by(exact, wrong_first, wrong, MAX_DEFECTS)
    if not found:
        variants = [other for one in exact for other in one.written_otherwise()]
        found = _explained_by([*exact, *variants], wrong_first, wrong, MAX_WITH_VARIANTS)
    if not found:
        found = _explained_by([*exact, *_in_likely_blocks(exact, observations)], wrong_first, wrong, MAX_WITH_VARIANTS)
    if found:
        return found
    coarse = [(one,) for one in defects if one.coarse]
    predicting = [some for some in coarse if _predicts(some, wrong_first, OUTPUTS)]
    return tuple(some for some in predicting if _is_closer(some, wrong) or _have_its_numbers(some, wrong))


def _in_likely_blocks(exact: Sequence[Specimen], observations: Sequence[Observation]) -> list[Specimen]:
    """These defects in blocks of the sizes that agree with which answers are wrong."""
    sizes = {cut: likely_sizes(observations, cut) for cut in ("rows", "classes")}
    return [other for one in exact if one.at_sizes for size in sizes[one.cut] for other in one.written_in_blocks(size)]


def _explained_by(
    exact: Sequence[Specimen], wrong_first: Sequence[Observation], wrong: Sequence[Observation], most: int
) -> tuple[Defects, ...]:
    """The smallest sets of these that predict every answer, each set of names once.

    What is wrong in the gradients comes first, at most so many, then what is wrong in the loss beside that.
    """
    right = [one for one in wrong_first if not one.is_wrong]
    for_gradients = _useful([one for one in exact if not _is_of_loss(one)], wrong, right)
    for_loss = [one for one in exact if _is_of_loss(one)]
    for size in range(most + 1):
        found: list[Defects] = []
        for some in _sets(for_gradients, size):
            if _predicts(some, wrong_first, GRADIENTS):
                found += _with_loss(some, for_loss, wrong_first)
        if found:
            least = min(map(len, found))
            return tuple({tuple(one.name for one in some): some for some in found if len(some) == least}.values())
    return ()


def _with_loss(some: Defects, for_loss: Sequence[Specimen], observations: Sequence[Observation]) -> list[Defects]:
    """These defects and as few of those of the loss as predict the loss, too; some may be empty, the whole never is."""
    for size in range(MAX_DEFECTS):
        wholes = [(*some, *more) for more in _sets(for_loss, size) if some or more]
        found = [one for one in wholes if _are_apart(one) and _predicts(one, observations, ("loss",))]
        if found:
            return found
    return []


def _sets(defects: Sequence[Specimen], size: int) -> Iterator[Defects]:
    """Sets of so many defects, no two of which replace one stage."""
    return (some for some in combinations(defects, size) if _are_apart(some))


def _are_apart(some: Defects) -> bool:
    return len({stage for one in some for stage in one.stages}) == sum(len(one.stages) for one in some)


def _is_of_loss(defect: Specimen) -> bool:
    return set(defect.stages) <= LOSS_STAGES


def _predicts(some: Defects, observations: Sequence[Observation], outputs: Sequence[str]) -> bool:
    return all(seen.is_predicted_by(some, outputs) for seen in observations)


def _is_closer(defects: Defects, wrong: Sequence[Observation]) -> bool:
    """Whether nearly all of the wrong answers are closer to what these defects predict than to the truth."""
    return sum(seen.is_closer_to(defects) for seen in wrong) >= CLOSER * len(wrong)


def _have_its_numbers(defects: Defects, wrong: Sequence[Observation]) -> bool:
    """Whether all of what is wrong are numbers of the dtype that a single defect rounds to, a narrower one by far."""
    (defect,) = defects
    return defect.coarse in NUMBERS and all(seen.has_numbers_of(defect) for seen in wrong)


def _useful(defects: Sequence[Specimen], wrong: Sequence[Observation], right: Sequence[Observation]) -> list[Specimen]:
    """For each output the defects that explain most of what is wrong in it by themselves, in some of the answers.

    Of those that explain as much, the ones come first that no right answer contradicts.
    """
    some = wrong[:: max(1, len(wrong) // MAX_LOOKED_AT)]
    explained = [Counter(name for seen in some for name in seen.outputs_explained(one)) for one in defects]
    chosen: dict[int, Specimen] = {}
    for output in OUTPUTS:
        own = [place for place, counts in enumerate(explained) if counts[output]]
        if len(own) > MAX_USEFUL:
            contradicted = {place: not _predicts((defects[place],), right, OUTPUTS) for place in own}
            own.sort(key=lambda place: (-explained[place][output], contradicted[place]))  # used at once
        for place in own[:MAX_USEFUL]:
            chosen[place] = defects[place]
    return list(chosen.values())
