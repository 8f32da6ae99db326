"""Outcomes as they are searched, and what the mistake does, as far as that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gradlab.localisation.features import features_of
from gradlab.localisation.features.feature import looked_at
from gradlab.localisation.relations import (
    Tried,
    beyond_bound,
    relation_of_gradient,
    relation_of_loss,
    relation_of_row_losses,
    shows_in_rows,
)
from gradlab.localisation.relations.relation import Relation, row_losses
from gradlab.localisation.rules import Rule
from gradlab.localisation.symptoms import Symptom
from gradlab.localisation.trial import Outcome
from gradlab.problems.problem import Array

SEVERAL = 2  # wrong answers that are no chance
VISIBLE = 4.0  # times the bound: what is off by more than that is seen


@dataclass(frozen=True, eq=False)
class Evidence:
    """An outcome as it is searched: the features of the rows that are looked at, and which of them may be to blame.

    rows: which these are. blamed: those that are wrong, or all where no gradient is.
    """

    outcome: Outcome
    rows: Array
    features: Array
    blamed: Array
    _telling: dict[tuple[object, ...], Array] = field(default_factory=dict)

    @property
    def is_wrong(self) -> bool:
        return self.outcome.is_wrong

    def telling(self, effect: Effect) -> Array:
        """Which of the rows of a right answer would show the mistake if it were made there; boolean."""
        if effect.key not in self._telling:
            self._telling[effect.key] = self._tells(effect)
        return self._telling[effect.key]

    def _tells(self, effect: Effect) -> Array:
        if effect.in_gradient:
            if effect.gradient is not None:
                in_rows = shows_in_rows(effect.gradient, self.outcome)[self.rows]
                return np.asarray(in_rows & self._tells_by_loss(effect) if effect.in_loss_alone else in_rows)
            with np.errstate(invalid="ignore"):
                shows = self.outcome.contrasts * effect.deviation > VISIBLE
            return np.asarray((shows | (self.outcome.zero_rows & effect.in_zero_rows))[self.rows])
        if effect.loss is not None:
            return self._tells_by_loss(effect)
        return np.asarray(self.outcome.loss_contrast * effect.deviation * self._shares > VISIBLE)

    def _tells_by_loss(self, effect: Effect) -> Array:
        """Which rows would show a loss that is known; all where none is known."""
        if effect.loss is None:
            return np.ones(len(self.rows), dtype=bool)
        return np.asarray(beyond_bound(effect.loss, self.outcome) * self._shares > 1)

    @property
    def _shares(self) -> Array:
        """How much of the loss is that of each row; 1 where every row has its own, or its logits are not finite."""
        if self.outcome.seen.loss.ndim:
            return np.ones(len(self.rows))
        with np.errstate(all="ignore"):
            losses = row_losses(self.outcome)
            return np.asarray(np.nan_to_num((losses / losses.sum())[self.rows], nan=1.0))


@dataclass(frozen=True, eq=False)
class Effect:
    """What the mistake does, as far as it is known: what comes out, or how far it is off at least, relatively.

    in_zero_rows: whether it shows where the gradient has to be 0 too. in_loss_alone: whether some losses are wrong
    where the gradient is right.
    Where the gradient, or the loss, is such that this is within its bound, a right answer tells nothing.
    """

    deviation: float
    in_gradient: bool
    in_zero_rows: bool = False
    in_loss_alone: bool = False
    gradient: Relation | None = None
    loss: Relation | None = None

    @property
    def is_known(self) -> bool:
        """Whether it is known what comes out, so that it foretells which answers are right, too."""
        return (self.gradient if self.in_gradient else self.loss) is not None

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from others."""
        said = [one.said if one is not None else "" for one in (self.gradient, self.loss)]
        return (*said, self.in_gradient, self.in_zero_rows, self.in_loss_alone, "" if any(said) else self.deviation)


@dataclass(frozen=True)
class Suggested:
    """Relations of the gradient and of the loss that experiments suggest."""

    gradients: tuple[Relation, ...] = ()
    losses: tuple[Relation, ...] = ()

    def after(self, effect: Effect) -> Suggested:
        """These, behind what comes out as far as that is known."""
        gradients = (effect.gradient,) if effect.gradient is not None else ()
        losses = (effect.loss,) if effect.loss is not None else ()
        return Suggested((*gradients, *self.gradients), (*losses, *self.losses))


NONE_SUGGESTED = Suggested()


def effect_of(
    evidence: Sequence[Evidence], suggested: Suggested = NONE_SUGGESTED, tried: Tried | None = None
) -> Effect:
    """The effect that the mistake has; its size is that on the tenth of the wrong answers on which it is smallest.

    tried: relations that failed before.
    """
    wrong = [one.outcome for one in evidence if one.is_wrong]
    right = [one.outcome for one in evidence if not one.is_wrong]
    gradient = relation_of_gradient(wrong, suggested.gradients, right, tried)
    twins = (gradient.twin,) if gradient is not None and gradient.twin is not None else ()
    loss = relation_of_loss(wrong, (*twins, *suggested.losses), right, tried)
    return replace(sized_effect(evidence), gradient=gradient, loss=loss)


def with_row_losses(effect: Effect, rule: Rule, wrong: Sequence[Outcome]) -> Effect:
    """The effect, with how often the losses of the rows of a rule count, where it is not known what loss comes out."""
    if effect.loss is not None or not rule.conditions:
        return effect
    return replace(effect, loss=relation_of_row_losses(wrong, lambda one: rule.rows_of(one.trial)))


def sized_effect(evidence: Sequence[Evidence]) -> Effect:
    """The effect with its size alone, and without what comes out."""
    wrong = [one.outcome for one in evidence if one.is_wrong]
    in_rows = [one.deviations[one.wrong_rows] for one in wrong if not one.raised and one.wrong_entries.any()]
    in_gradient = any(one.raised for one in wrong) or 2 * len(in_rows) > len(wrong)
    in_zero_rows = sum(bool((one.wrong_rows & one.zero_rows).any()) for one in wrong if not one.raised) >= SEVERAL
    in_loss_alone = any(one.wrong_loss and not one.raised and not one.wrong_entries.any() for one in wrong)
    found = Effect(np.inf, in_gradient, in_zero_rows, in_loss_alone)
    single = [one for one in wrong if one.problem.n_rows == 1]  # of many rows it is not known how much each is off
    of_loss = single if len(single) >= SEVERAL else wrong
    sizes = [*in_rows] if in_gradient else [np.array([one.loss_deviation for one in of_loss])]
    if not wrong or not sizes:
        return found
    return replace(found, deviation=float(np.quantile(np.concatenate(sizes), 0.1, method="lower")))


def evidence_of(outcome: Outcome, *expected: int) -> Evidence:
    """The evidence that an outcome is; blamed are the rows that are wrong, or all where only the batch's loss is.

    expected: rows that are looked at in any case.
    """
    rows = np.union1d(looked_at(outcome), np.array(expected, dtype=np.int64))
    return Evidence(outcome, rows, features_of(outcome.trial, rows), _blamed(outcome, rows))


def with_symptom(seen: Evidence, symptom: Symptom) -> Evidence:
    """The same evidence where only one way of being wrong counts."""
    outcome = replace(seen.outcome, symptom=symptom)
    return Evidence(outcome, seen.rows, seen.features, _blamed(outcome, seen.rows))


def _blamed(outcome: Outcome, rows: Array) -> Array:
    """Which of the rows that are looked at are wrong; all, where none of them is known to be."""
    wrong = outcome.wrong_rows[rows] if not outcome.raised else np.zeros(len(rows), dtype=bool)
    return wrong if wrong.any() else np.ones(len(rows), dtype=bool)


def foretells(rule: Rule, outcome: Outcome, effect: Effect) -> bool | None:
    """Whether an outcome is as the rule says, every row looked at; None where what it expects could not be seen."""
    expected = rule.rows_of(outcome.trial)
    if outcome.is_wrong or not expected.any():
        return bool(expected.any()) == outcome.is_wrong
    whole = Evidence(outcome, np.arange(len(expected)), np.zeros((0, 0)), expected)
    if (expected & whole.telling(effect)).any():
        return False
    return True if not rule.conditions and effect.is_known else None


def holds_of(rule: Rule, one: Evidence, effect: Effect) -> bool | None:
    """Whether an outcome is as the rule says; None where a mistake that it expects could not be seen."""
    expected = rule.rows(one.features)
    if one.is_wrong or not expected.any():
        return bool(expected.any()) == one.is_wrong
    return False if (expected & one.telling(effect)).any() else None
