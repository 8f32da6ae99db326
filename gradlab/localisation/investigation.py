"""Where an implementation is wrong: one thing varied at a time, thresholds bisected, and the outcome foretold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradlab.localisation.drawing import expected_right, expected_wrong, repaired
from gradlab.localisation.evidence import (
    NONE_SUGGESTED,
    Effect,
    Evidence,
    Suggested,
    effect_of,
    evidence_of,
    foretells,
    holds_of,
    sized_effect,
)
from gradlab.localisation.function_relations import gradient_with, loss_with
from gradlab.localisation.functions import exponential_of
from gradlab.localisation.lessening import with_less
from gradlab.localisation.logarithms import logarithm_of, loss_by_logarithm
from gradlab.localisation.mining import rules_for
from gradlab.localisation.relations import SHARE_AT_FIRST, Tried
from gradlab.localisation.rivals import contested, is_outdone
from gradlab.localisation.rules import Condition, Rule
from gradlab.localisation.setting import set_in
from gradlab.localisation.trial import Laboratory, Outcome, Trial
from gradlab.localisation.varying import cheap
from gradlab.localisation.where import ENOUGH, MIN_WRONG_AMONG_FRESH, Where
from gradlab.problems.problem import Array, Problem

ROUNDS = 20
AT_ONCE = 12  # fresh problems of either side in one round
AT_MOST = 8  # rows that are looked at more closely where a rule is refuted
IN_VAIN = 3  # problems asked for a threshold that tell nothing of it, after which it stays
REFUTED = 2  # of these that come out otherwise, after which another rule is looked for
CONTESTS = 3  # with rivals, and more fresh problems after each
MORE_WRONG = 1.5  # times as many wrong answers, before what comes out is looked for again


class Investigation:
    """What is known of one implementation so far, and the next experiments."""

    def __init__(self, laboratory: Laboratory, evidence: Sequence[Evidence], seed: int = 0) -> None:
        self.laboratory = laboratory
        self.rng = np.random.default_rng([seed, 15])
        self.masks = laboratory.implementation.claims.masks
        self.evidence = list(evidence)
        self.suggested = NONE_SUGGESTED
        self.tried = Tried(work=laboratory.work)
        self.shown = set[tuple[object, ...]]()  # effects that the evidence was looked at for
        self.left_out = list[Evidence]()  # wrong answers that tell of their batch, and not which row is to blame
        self.effect = effect_of(self.evidence, tried=replace(self.tried, share=SHARE_AT_FIRST))
        self.n_searched = len(self.wrong)
        self.known = {_key(one.outcome.trial) for one in evidence}

    @property
    def wrong(self) -> list[Outcome]:
        return [one.outcome for one in self.evidence if one.is_wrong]

    @property
    def right(self) -> list[Outcome]:
        return [one.outcome for one in self.evidence if not one.is_wrong]

    @property
    def knows_half(self) -> bool:
        """Whether both gradients and losses are wrong, and only of one of these it is known what comes out."""
        both = any(one.wrong_loss for one in self.wrong) and any(one.wrong_entries.any() for one in self.wrong)
        return both and (self.effect.gradient is None) != (self.effect.loss is None)

    def where(self, enough: int = ENOUGH) -> Where | None:
        """The rule that foretold fresh problems; None where no rule fits, or none was found to foretell them.

        enough: fresh problems that it has to foretell in a row, for no more to be asked.
        """
        self.left_out += with_less(self.evidence, self.ask, self.rng)
        streak, best = Where(Rule(), 0, 0, 0), None
        refuted = True
        for _ in range(ROUNDS):
            # of two parts, one may need what was asked for the other before its threshold can be bisected
            rule = self._rule() if refuted or streak.rule.others else streak.rule
            if rule is None:
                return best if best is not None and self.fits(best.rule) else None
            if rule != streak.rule or not streak.n_fresh:
                streak = Where(rule, 0, 0, 0)
            n_before = len(self.wrong)
            foretold = self._foretold(rule)
            refuted = not all(foretold)
            best = streak = streak.after(foretold, len(self.wrong) - n_before)
            if (
                streak.n_fresh >= enough
                and streak.n_foretold == streak.n_fresh
                and streak.n_wrong >= MIN_WRONG_AMONG_FRESH
            ):
                apart = contested(self, rule)
                refuted = not all(apart) or is_outdone(self, rule)
                streak = best = streak.after(apart, 0)
                if not refuted:
                    return streak
            if self.laboratory.is_spent or not foretold:
                break
        return best

    def confirmed(self, streak: Where) -> Where | None:
        """The same rule, once fresh problems bore it out, among them those of which rivals say otherwise; or None."""
        borne_out = self._borne_out(streak)
        if borne_out is None:
            return None
        if borne_out.is_settled:
            return self._upheld(borne_out)
        return None if self.laboratory.is_spent else self.confirmed(borne_out)

    def _borne_out(self, streak: Where) -> Where | None:
        """The rule with more fresh problems; None where one came out otherwise, or none was left."""
        n_before, foretold = len(self.wrong), self._foretold(streak.rule)
        return streak.after(foretold, len(self.wrong) - n_before) if foretold and all(foretold) else None

    def _upheld(self, streak: Where) -> Where | None:
        """A rule that may be said, told apart from its rivals; None where one foretells better, or stays simpler."""
        held: Where | None = streak
        for _ in range(CONTESTS):
            if held is None:
                return None
            apart = contested(self, held.rule)
            held, rules = held.after(apart, 0), self.rules()
            if not all(apart):
                return None
            if (rules and rules[0].names == held.rule.names) or not is_outdone(self, held.rule):
                return held
            held = self._borne_out(held)
        return None

    def _rule(self) -> Rule | None:
        """The simplest rule that fits, its thresholds bisected; None where none fits."""
        for _ in range(ROUNDS):
            self.effect = self._effect()
            rules = self.rules()
            if not rules:
                return None
            before = len(self.evidence)
            rule = self.with_thresholds(rules[0])
            if rules[0].others:
                rule = self.with_thresholds(rule.said_otherwise).said_otherwise
            if len(self.evidence) == before or self.fits(rule):
                return rule
        return None

    def _effect(self) -> Effect:
        """The effect; where nothing foretold what comes out, it is looked for again once there is half as much more."""
        known = self.effect.gradient is not None or self.effect.loss is not None
        if known or len(self.wrong) >= MORE_WRONG * self.n_searched:
            self.n_searched = len(self.wrong)
            return self.effect_again()
        return sized_effect(self.evidence)

    def effect_again(self) -> Effect:
        """The effect on all the evidence there is by now; what foretold it before is tried first."""
        return effect_of(self.evidence, self.suggested.after(self.effect), self.tried)

    def effect_kept(self, effect: Effect) -> Effect:
        """The effect on all the evidence, as far as what comes out is as before, or as experiments suggest."""
        return effect_of(self.evidence, self.suggested.after(effect), replace(self.tried, share=0.0))

    def rules(self) -> list[Rule]:
        """The simplest rules that fit the evidence, the simplest first."""
        self.laboratory.work.rules(sum(len(one.rows) for one in self.evidence))
        if self.effect.key not in self.shown:  # in which right answers it would show has to be worked out first
            self.shown.add(self.effect.key)
            for one in self.right:
                self.laboratory.work.comparison(one.problem.logits.size)
        return rules_for(self.evidence, self.effect, self.left_out)

    def fits(self, rule: Rule) -> bool:
        return all(holds_of(rule, one, self.effect) is not False for one in self.evidence)

    def with_thresholds(self, rule: Rule) -> Rule:
        """The rule with the thresholds of its conditions bisected; those of its other part stay."""
        rule = self.tightened(rule)
        for place in range(len(rule.conditions)):
            rule = self._bisected(rule, place)
        return rule

    def tightened(self, rule: Rule) -> Rule:
        """The rule with the thresholds that the evidence gives its conditions, each beside the others."""
        return replace(rule, conditions=tuple(self._tightened(rule, one) for one in rule.conditions))

    def _evidence_for(self, rule: Rule) -> list[Evidence]:
        """The evidence without the wrong answers that the other part of a rule accounts for."""
        if not rule.others:
            return self.evidence
        _, other = rule.parts
        return [one for one in self.evidence if not (one.is_wrong and other.rows(one.features).any())]

    def _tightened(self, rule: Rule, one: Condition) -> Condition:
        if not one.is_threshold:
            return one
        others = Rule(tuple(other for other in rule.conditions if other is not one))
        sign = 1 if one.relation == ">=" else -1
        wrong, right, silent = list[float](), list[float](), list[float]()
        for seen in self._evidence_for(rule):
            rows = others.rows(seen.features)
            rows &= seen.blamed if seen.is_wrong and (rows & seen.blamed).any() else True
            wrong += _largest(sign * seen.features[rows, one.place]) if seen.is_wrong else []
            if not seen.is_wrong:
                right += _largest(sign * seen.features[rows & seen.telling(self.effect), one.place])
                silent += _largest(sign * seen.features[rows, one.place])
        if not wrong:
            return one
        least = min(wrong)
        below = [value for value in right or silent if value < least]
        beyond = max(below) if below else -math.inf
        return one.between(sign * beyond, sign * least)

    def _bisected(self, rule: Rule, place: int) -> Rule:
        """The rule with the two ends of one threshold brought together."""
        n_vain = 0
        for _ in range(40):
            one = rule.conditions[place]
            middle = one.middle(n_vain)
            if middle is None or self.laboratory.is_spent or n_vain == IN_VAIN:
                return rule
            if not self._try(rule, one, middle):
                return rule
            again = self.tightened(rule)
            n_vain = n_vain + 1 if again == rule else 0  # what was asked may not have shown it
            rule = again
        return rule

    def _try(self, rule: Rule, one: Condition, value: float) -> bool:
        """Asks a problem on which the rule is met but for this condition, and has the value."""
        others = Rule(tuple(other for other in rule.conditions if other is not one))
        wrong = [seen.outcome for seen in self._evidence_for(rule) if seen.is_wrong] or self.wrong
        bases = sorted(wrong, key=lambda seen: (not seen.problem.is_moderate, seen.problem.logits.size))[:6]
        for base in bases:
            if self.laboratory.is_spent:
                return False
            trial = set_in(base.trial, one.name, value, self.rng)
            trial = repaired(others, replace(trial, problem=cheap(trial.problem)), self.rng)
            inside = one.with_value(value).admits_some(trial, others)
            least = one.with_value(value).without_its_edge
            further = replace(rule, conditions=(*others.conditions, least)) if value == one.value else rule
            if inside and not further.expects(trial) and self.ask(trial) is not None:
                return True
        return False

    def measure(self) -> None:
        """Measures what is used for exp, or else for log, where nothing else foretells what comes out."""
        plain = [one for one in self.wrong if not one.raised and _is_plain(one.problem)]
        if 2 * len(plain) < len(self.wrong):
            return
        in_gradient = [one for one in plain if one.wrong_entries.any()]
        if in_gradient and self.effect.gradient is None:
            measured = exponential_of(self.laboratory, in_gradient[0].problem)
            if measured is not None:
                self.suggested = Suggested((gradient_with(measured),), tuple(loss_with(measured)))
        elif plain and not in_gradient and self.effect.loss is None:
            logarithm = logarithm_of(self.laboratory, plain[0].problem)
            if logarithm is not None:
                self.suggested = Suggested((), (loss_by_logarithm(logarithm),))
        if self.suggested is not NONE_SUGGESTED:  # all else has been tried on the same answers
            self.effect = self.effect_kept(self.effect)

    def _foretold(self, rule: Rule) -> list[bool]:
        """For fresh problems on both sides, whether each came out as the rule says."""
        found = list[bool | None]()
        for _ in range(AT_ONCE):
            if found.count(False) >= REFUTED:
                break
            wrong = self.wrong
            trials = [expected_wrong(rule, wrong, self.rng, self.masks)]
            if rule.conditions:
                trials.append(expected_right(rule, wrong, self.right, self.rng, self.masks))
            for trial in [self.visible(rule, one) for one in trials]:
                outcome = None if trial is None else self.ask(trial)
                if outcome is not None:
                    found.append(foretells(rule, outcome, self.effect))
                if found and found[-1] is False:
                    expected = np.flatnonzero(rule.rows_of(self.evidence[-1].outcome.trial))
                    self.evidence[-1] = evidence_of(self.evidence[-1].outcome, *expected[:AT_MOST])
        return [one for one in found if one is not None]

    def visible(self, rule: Rule, trial: Trial | None) -> Trial | None:
        """The trial, often with one row alone where only a loss is wrong: among others' losses it may not be seen.

        What comes out may not show in one row, as N times the loss: where no single row was wrong, more stay whole.
        """
        whole = 0.3 if any(one.problem.n_rows == 1 for one in self.wrong) else 0.6
        if trial is None or self.effect.in_gradient or trial.problem.n_rows == 1 or self.rng.random() < whole:
            return trial
        expected = rule.rows_of(trial)
        row = int(self.rng.choice(np.flatnonzero(expected == expected.any())))
        single = replace(trial, problem=trial.problem.rows(np.array([row])))
        return single if rule.expects(single) == expected.any() else trial

    def ask(self, trial: Trial) -> Outcome | None:
        """What comes of a trial that was not made before; kept as evidence."""
        key = _key(trial)
        if key in self.known:
            return None
        outcome = self.laboratory.ask(trial)
        if outcome is not None and outcome.raised and outcome.symptom is not None and outcome.symptom.answered:
            self.known.add(key)
            return None
        if outcome is not None:
            self.known.add(key)
            self.evidence.append(evidence_of(outcome))
        return outcome


def _is_plain(problem: Problem) -> bool:
    """Whether it has labels and no options."""
    return problem.objective.targets == "index" and not problem.objective.options


def _key(trial: Trial) -> tuple[str, str, str, bool]:
    return trial.problem.digest, trial.layout, trial.integers, trial.labels_apart


def _largest(values: Array) -> list[float]:
    """The largest of some values, or none where there is none."""
    known = values[~np.isnan(values)]
    return [float(known.max())] if known.size else []
