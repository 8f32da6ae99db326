"""What explains the failures of a layer: which of the known defects, alone or in pairs, give the answers that it gave.

A known defect is a specimen, which replaces stages of a sound layer; what it answers on a problem is worked out in the
dtype of the problem and compared with what came back, output by output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gradlab.diagnosis.diagnosis import Diagnosis
from gradlab.diagnosis.layer.observation import Observation, observe
from gradlab.diagnosis.layer.side_effects import side_effects_of
from gradlab.diagnosis.models.model import Model
from gradlab.diagnosis.search import Explanation
from gradlab.evaluation.call import Implementation
from gradlab.layer.answer import LayerAnswer
from gradlab.layer.call import evaluate_layer, layer_answer
from gradlab.layer.problem import LayerProblem
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
    }
)
IMPLIED_BY_WRITING = ("layout_of_the_arrays_does_not_matter", "outputs_of_a_layer_share_no_memory")  # read-only arrays
CLOSER = 0.8  # of the wrong answers
MAX_PAIRED = 16  # defects that are tried in pairs: those that explain most by themselves


@dataclass(frozen=True)
class Tried:
    """One or two defects and how many of the wrong answers they predict; is_right: and all of the others too."""

    defects: tuple[Specimen, ...]
    n_wrong_predicted: int
    is_right: bool


def diagnose_layer(
    implementation: Implementation,
    problems: Sequence[LayerProblem],
    failed: Sequence[str],
    earlier: Sequence[tuple[LayerProblem, LayerAnswer]] = (),
) -> Diagnosis:
    """The diagnosis of a layer that failed these checks on these problems, all of one dtype."""
    asked = [one for one in problems if one.n_rows and is_modelled(one)]
    answered = [(one, layer_answer(implementation, one)) for one in asked]
    observations = [observe(implementation, one, given) for one, given in answered if given.fault is None]
    n_raised = len(answered) - len(observations)
    n_wrong = sum(one.is_wrong for one in observations)
    effects = side_effects_of(implementation, problems, failed)
    n_changed = 0 if effects else _n_changed(implementation, earlier)
    found = _explain(observations) if n_wrong and not n_changed else ()
    alternatives = tuple(Explanation(tuple(Model(one.name, {}) for one in some)) for some in found)
    unexplained = tuple(check for check in failed if not _accounts(check, bool(found), effects, n_wrong))
    return Diagnosis(
        asked[0].format.name if asked else problems[0].format.name,
        alternatives,
        tuple(effects),
        unexplained,
        len(observations),
        n_wrong,
        n_changed,
        "",
        n_raised,
    )


def _accounts(check: str, is_found: bool, effects: Mapping[str, str], n_wrong: int) -> bool:
    """Whether a failed check is accounted for: by a side effect, or by defects where it looks at values alone."""
    if check in effects.values() or (effects and check in IMPLIED_BY_WRITING):
        return True
    return check not in CONTRACT and (is_found or bool(effects and not n_wrong))


def is_modelled(problem: LayerProblem) -> bool:
    """Whether the models of defects know the problem's objective: labels, no option but a label to be ignored."""
    objective = problem.objective
    return objective.targets == "index" and not set(objective.options) - {"ignore_index"}


def _n_changed(implementation: Implementation, earlier: Sequence[tuple[LayerProblem, LayerAnswer]]) -> int:
    """How many of the answers that were given first are not given now."""
    return sum(not _same(first, evaluate_layer(implementation, problem)) for problem, first in earlier)


def _same(first: LayerAnswer, again: LayerAnswer) -> bool:
    if first.fault is not None or again.fault is not None:
        return first.fault == again.fault
    return all(np.array_equal(array, again.outputs[name], equal_nan=True) for name, array in first.outputs.items())


def _explain(observations: Sequence[Observation]) -> tuple[tuple[Specimen, ...], ...]:
    """The sets of one or two defects that predict every answer; the smallest sets alone."""
    wrong = [one for one in observations if one.is_wrong]
    right = [one for one in observations if not one.is_wrong]
    defects = [one for one in layer_specimens().values() if one.side_effect is None]
    single = [one for one in (_try((some,), wrong, right) for some in defects) if one.is_right]
    exact = [one.defects for one in single if not _is_coarse(one.defects)]
    if exact:
        return tuple(exact)
    coarse = [one.defects for one in single if _is_closer(one.defects, wrong)]
    return tuple(coarse) or tuple(one.defects for one in _sets(defects, wrong, right) if one.is_right)


def _is_coarse(defects: Sequence[Specimen]) -> bool:
    return any(one.coarse for one in defects)


def _is_closer(defects: Sequence[Specimen], wrong: Sequence[Observation]) -> bool:
    """Whether nearly all of the wrong answers are closer to what these defects predict than to the truth."""
    return sum(seen.is_closer_to(defects) for seen in wrong) >= CLOSER * len(wrong)


def _sets(defects: Sequence[Specimen], wrong: Sequence[Observation], right: Sequence[Observation]) -> Iterator[Tried]:
    """Pairs, and then triples, of defects of different stages, each of which explains some wrong output by itself."""
    exact = [one for one in defects if not one.coarse]
    useful = [one for one in exact if any(seen.explains_some_output(one) for seen in wrong)][:MAX_PAIRED]
    for size in (2, 3):
        found = False
        for some in combinations(useful, size):
            if len({stage for one in some for stage in one.stages}) == sum(len(one.stages) for one in some):
                tried = _try(some, wrong, right)
                found |= tried.is_right
                yield tried
        if found:
            return


def _try(defects: tuple[Specimen, ...], wrong: Sequence[Observation], right: Sequence[Observation]) -> Tried:
    """How far these defects predict the answers; given up at the first one that they do not."""
    count = 0
    for seen in wrong:
        if not seen.is_predicted_by(defects):
            return Tried(defects, count, False)
        count += 1
    return Tried(defects, count, all(seen.is_predicted_by(defects) for seen in right))
