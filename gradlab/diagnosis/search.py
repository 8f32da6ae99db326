"""The search for the defects that explain every answer: one, or two, or two on moderate logits and one beyond."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

from gradlab.diagnosis.matching import Observation, closer_to, is_contradicted, is_true, matches_gradient, matches_loss
from gradlab.diagnosis.models import DEFECTS, INSIDE, Model
from gradlab.diagnosis.pipeline import SOUND, Prediction, Stages, simulate
from gradlab.problems.problem import Problem

CLOSER = 0.8  # of the wrong answers, that are closer to what a coarse model predicts than to the truth
MAX_BASES = 8  # explanations of the moderate problems that are carried further
WIDER = {"float16": ("float32", "float64"), "bfloat16": ("float32", "float64"), "float32": ("float64",), "float64": ()}


@dataclass(frozen=True, eq=False)
class Explanation:
    """Models that together predict what was observed; none of them is sound. inside: a wider dtype to compute in."""

    models: tuple[Model, ...]
    inside: str = ""

    def __reduce__(self) -> tuple[Any, ...]:
        return Explanation, (self.models, self.inside)

    @property
    def defects(self) -> tuple[str, ...]:
        return tuple(sorted({model.defect for model in self.models}))

    @cached_property
    def stages(self) -> Stages:
        return replace(SOUND, **{name: change for model in self.models for name, change in model.changes.items()})

    @property
    def freedom(self) -> int:
        return sum(model.freedom for model in self.models)

    @property
    def coarse(self) -> str:
        return next((model.coarse for model in self.models if model.coarse), "")

    def predicts(self, seen: Observation) -> Prediction:
        """What it predicts for the problem of an observation."""
        return self.predicts_of(seen.problem)

    def predicts_of(self, problem: Problem) -> Prediction:
        """What it predicts for a problem."""
        inside = next((model.inside for model in self.models if model.inside), self.inside)
        return simulate(problem, self.stages, inside)


def explanations(observations: Sequence[Observation]) -> list[Explanation]:
    """The smallest sets of models that predict every observation; none where no set of up to three does.

    The observations come with the wrong answers first, the simplest of them at the front.
    """
    models = [model for defect in DEFECTS for model in defect.models(observations)] + list(INSIDE)
    for inside in ("", *WIDER[observations[0].problem.format.name]):
        fits = _fits(models, inside, observations)
        found = [fit.explanation for fit in fits if fit.loss and fit.gradient]
        found = found or _pairs(fits, observations) or _beyond_moderate(fits, observations)
        found = [one for one in found if _explains_a_wrong_answer(one, observations) and _foresees(one, observations)]
        found = [one for one in found if not one.coarse] or [
            one for one in found if _tells(one, observations) and _needs_the_coarse_one(one, observations)
        ]
        if found:
            return _simplest(found)
    return []


def _simplest(found: Sequence[Explanation]) -> list[Explanation]:
    """Those with the fewest fitted numbers, one for each set of defects: the one whose numbers are roundest."""
    least = min(one.freedom for one in found)
    first: dict[tuple[str, ...], Explanation] = {}
    for one in sorted(found, key=lambda one: sum(len(model.parameter) for model in one.models)):
        if one.freedom == least:
            first.setdefault(one.defects, one)
    return list(first.values())


def is_predicted(explanation: Explanation, seen: Observation) -> bool:
    """Whether loss and gradient of one observation are as predicted."""
    predicted = explanation.predicts(seen)
    coarse = explanation.coarse
    return matches_loss(seen, predicted, coarse) and matches_gradient(seen, predicted, coarse)


@dataclass(frozen=True, eq=False)
class _Fit:
    """An explanation, and whether it predicts every loss and every gradient."""

    explanation: Explanation
    loss: bool
    gradient: bool

    @property
    def model(self) -> Model:
        return self.explanation.models[0]


def _fits(models: Sequence[Model], inside: str, observations: Sequence[Observation]) -> list[_Fit]:
    """How each model by itself fits; what it leaves as it is fits as it does without it."""
    sound = _fit(Explanation((), inside), observations)
    found = []
    for model in models:
        loss, gradient = sound.loss or not model.only_in_gradient, sound.gradient or not model.only_in_loss
        found.append(_fit(Explanation((model,), inside), observations, loss=loss, gradient=gradient))
    return found


def _fit(
    explanation: Explanation, observations: Sequence[Observation], *, loss: bool = True, gradient: bool = True
) -> _Fit:
    """The fit of loss and gradient; one that is False is known to fail, or not to depend on the models."""
    only = explanation.models[0] if explanation.models else None
    for seen in observations:
        asks_loss = loss and not (only and only.only_in_gradient)
        asks_gradient = gradient and not (only and only.only_in_loss)
        if not (asks_loss or asks_gradient):
            break
        predicted = explanation.predicts(seen)
        loss = loss and (not asks_loss or matches_loss(seen, predicted, explanation.coarse))
        gradient = gradient and (not asks_gradient or matches_gradient(seen, predicted, explanation.coarse))
    return _Fit(explanation, loss, gradient)


def _pairs(fits: Sequence[_Fit], observations: Sequence[Observation]) -> list[Explanation]:
    """Two models that replace different stages, neither of which explains all of it."""
    return [
        both
        for first, second in combinations(fits, 2)
        if _are_disjoint((first.model, second.model)) and _may_go_with(first, second)
        for both in [Explanation((first.model, second.model), first.explanation.inside)]
        if all(is_predicted(both, seen) for seen in observations)
    ]


def _may_go_with(first: _Fit, second: _Fit) -> bool:
    """What one model leaves as it is, the other has to explain by itself; and not both parameters are open."""
    if first.model.parameter and second.model.parameter:
        return False
    sides = ((first, second), (second, first))
    if any(one.model.only_in_loss and not other.gradient for one, other in sides):
        return False
    return not any(one.model.only_in_gradient and not other.loss for one, other in sides)


def _beyond_moderate(fits: Sequence[_Fit], observations: Sequence[Observation]) -> list[Explanation]:
    """What explains the moderate problems, with one model more for those that are not."""
    moderate = [seen for seen in observations if seen.problem.is_moderate and not seen.problem.objective.options]
    if not any(seen.is_wrong for seen in moderate):
        return []
    inside = fits[0].explanation.inside
    again = _fits([fit.model for fit in fits], inside, moderate)
    singles = [fit.explanation for fit in again if fit.loss and fit.gradient]
    bases = singles or _pairs(again, moderate)
    if not bases:
        return []
    neutral = [fit.model for fit in fits if _is_sound_on(fit.explanation, moderate)]
    for count in (1, 2):
        found = [
            more
            for base in bases[:MAX_BASES]
            for some in combinations(neutral, count)
            for more in [Explanation((*base.models, *some), inside)]
            if _are_disjoint(more.models) and all(is_predicted(more, seen) for seen in observations)
        ]
        if found:
            return found
    return []


def _explains_a_wrong_answer(explanation: Explanation, observations: Sequence[Observation]) -> bool:
    """Whether it predicts something else than the truth for an answer that is wrong; none at all is no answer."""
    wrong = [seen for seen in observations if seen.is_wrong and not seen.faulty]
    return not _is_sound_on(explanation, wrong)


def _foresees(explanation: Explanation, observations: Sequence[Observation]) -> bool:
    """Whether it says what comes out of as many problems as it has models.

    Of a row whose sum overflows it says no more than that it is wrong: if that is all, any set of models would do.
    """
    predictions = [(seen, explanation.predicts(seen)) for seen in observations]
    told = [one.refused or bool((seen.problem.rows_with_value & ~one.wild).any()) for seen, one in predictions]
    return sum(told) >= len(explanation.models)


def _is_sound_on(explanation: Explanation, observations: Sequence[Observation]) -> bool:
    """Whether what is predicted is the truth."""
    return all(is_true(seen, explanation.predicts(seen)) for seen in observations)


def _are_disjoint(models: Sequence[Model]) -> bool:
    names = [name for model in models for name in model.changes]
    return len(set(names)) == len(names)


def _tells(explanation: Explanation, observations: Sequence[Observation]) -> bool:
    """Whether what is wrong is far closer to the prediction than to the truth, and nothing right is far off.

    Most wrong entries have to be, and half of them in nearly every wrong answer: a large one does not outvote others.
    """
    predictions = [(seen, explanation.predicts(seen)) for seen in observations]
    if any(is_contradicted(seen, predicted) for seen, predicted in predictions):
        return False
    counts = [(close, wrong) for close, wrong in (closer_to(*one) for one in predictions) if wrong]
    n_answers = sum(2 * close >= wrong for close, wrong in counts)
    most_entries = 2 * sum(close for close, _ in counts) >= sum(wrong for _, wrong in counts)
    return bool(counts) and most_entries and n_answers >= CLOSER * len(counts)


def _needs_the_coarse_one(explanation: Explanation, observations: Sequence[Observation]) -> bool:
    """Whether most wrong answers are not predicted without the model that is coarse, which leaves room for others."""
    fine = replace(explanation, models=tuple(model for model in explanation.models if not model.coarse))
    wrong = [seen for seen in observations if seen.is_wrong]
    return not fine.models or 2 * sum(is_predicted(fine, seen) for seen in wrong) < len(wrong)


def wrong_first(observations: Sequence[Observation], most: int) -> Iterator[Observation]:
    """Up to `most` wrong answers and as many right ones, each from the smallest problem on."""
    for wrong in (True, False):
        some = [seen for seen in observations if seen.is_wrong == wrong]
        yield from sorted(some, key=lambda seen: (seen.problem.logits.size, seen.problem.digest))[:most]
