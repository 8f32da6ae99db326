"""What experiments find about a layer that failed: which outputs are wrong, where, and what comes out there."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gradlab.evaluation.call import Implementation
from gradlab.layer.call import layer_answer
from gradlab.layer.problem import OUTPUTS, LayerProblem
from gradlab.localisation.layer.at_logits import localise_at_logits
from gradlab.localisation.layer.coarse import Coarse, coarse
from gradlab.localisation.layer.drawing import Drawing
from gradlab.localisation.layer.fitting import Foretold, foretell
from gradlab.localisation.layer.rule import LayerCondition, LayerRule, rule_for, with_ends
from gradlab.localisation.layer.trial import LARGEST, LayerLaboratory, LayerOutcome, outcome_of
from gradlab.localisation.layer.upstream import localise_upstream
from gradlab.localisation.layer.words import are, listed
from gradlab.localisation.statements import Localisation
from gradlab.localisation.where import MIN_FORETOLD, MIN_WRONG_AMONG_FRESH

ENOUGH = 24  # fresh problems
MOST = 60  # of one rule, where few of them are wrong
ROUNDS = 12  # of rules, and of what comes out, each refuted by a fresh problem
MAX_FIRST = 200  # answers of the run with which it begins
SHARE_OF_WRONG = 0.9  # wrong answers in which an output is to be wrong that is said to be
UNKNOWN = ("is wrong", "is wrong, too")  # what is said of a loss or gradient of which no more is known
Told = Foretold | Coarse


@dataclass(eq=False)
class Search:
    """What is known of a layer so far: the answers that there are, and what comes out in the place of each output."""

    laboratory: LayerLaboratory
    outcomes: list[LayerOutcome]
    told: dict[str, Told] = field(default_factory=dict)

    @property
    def wrong(self) -> list[LayerOutcome]:
        return [one for one in self.outcomes if one.is_wrong]

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs that are wrong somewhere."""
        return tuple(name for name in OUTPUTS if any(name in one.wrong for one in self.outcomes))

    def tell(self) -> None:
        """Looks for what comes out in the place of each output that is wrong; what told it before is tried first."""
        likely = [one.reading for one in self.told.values() if isinstance(one, Foretold)]
        found: dict[str, Told] = {}
        for name in sorted(self.outputs, key=("dW", "db", "dX", "loss").index):  # what a sum over rows is says most
            one = foretell(name, self.outcomes, likely) or coarse(name, self.outcomes)
            if one is not None:
                found[name] = one
                likely = [one.reading, *likely] if isinstance(one, Foretold) else likely
        self.told = found

    def rule(self) -> LayerRule | None:
        """The simplest rule that the answers admit; None where there is none."""
        right = [one.problem for one in self.outcomes if not one.is_wrong and self.would_show(one)]
        return rule_for([one.problem for one in self.wrong], right)

    def would_show(self, one: LayerOutcome) -> bool:
        """Whether a mistake, if it were made on a problem, would be seen in its answer, as far as that is known."""
        if any(other.raised for other in self.outcomes):
            return True
        if not self.tells_all:
            seen = one.is_plain or 2 * sum(other.is_plain for other in self.wrong) < len(self.wrong)
            return seen and not any(isinstance(told, Coarse) for told in self.told.values())
        return one.is_plain and any(told.shows(one) for told in self.told.values() if isinstance(told, Foretold))

    @property
    def says_what(self) -> bool:
        """Whether of some output it is known which terms come out in its place, or that there is no answer."""
        return any(isinstance(one, Foretold) for one in self.told.values()) or any(one.raised for one in self.outcomes)

    @property
    def tells_all(self) -> bool:
        """Whether what comes out is known of every output that is wrong."""
        return set(self.told) == set(self.outputs) and all(isinstance(one, Foretold) for one in self.told.values())

    def expects(self, rule: LayerRule, problem: LayerProblem) -> bool:
        """Whether a wrong answer is expected that can be seen, as far as that is known beforehand."""
        if not self.tells_all or problem.objective.real_options:
            return rule.expects(problem)
        told = [one for one in self.told.values() if isinstance(one, Foretold)]
        return rule.expects(problem) and any(one.differs(problem) for one in told)

    def foretells(self, rule: LayerRule, one: LayerOutcome) -> bool | None:
        """Whether an answer is as the rule says, and what is wrong as it is told; None where that cannot be seen."""
        if not rule.expects(one.problem):
            return not one.is_wrong
        if not one.is_wrong:
            return False if self.would_show(one) else (True if self.tells_all and one.is_plain else None)
        if not one.is_plain or one.raised:
            return True
        return all(told.agrees(one) for name, told in self.told.items() if name in one.seen)


@dataclass(frozen=True, eq=False)
class Settled:
    """A rule that was borne out, with what is known of the outputs that it speaks of."""

    search: Search
    rule: LayerRule
    n_foretold: int
    n_fresh: int


@np.errstate(all="ignore")
def localise_layer(
    implementation: Implementation, problems: Sequence[LayerProblem], admits: Callable[[LayerProblem], bool]
) -> Localisation | None:
    """What experiments find about a layer that is wrong on some of these problems; None if nothing sure.

    problems: those of the run, of one dtype, whose answers are the first evidence. admits: whether a problem that is
    made of them may be put to it. Where all are right, it is the upstream gradient that is looked at. What is not told
    by the terms of a layer may be told of it as a loss of logits. Raises SearchEndedError where there was no time left
    before anything was found.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row without a finite logit has no least one: NaN is meant
        asked = [one for one in problems if one.n_rows and one.n_entries <= LARGEST][:MAX_FIRST]
        first = [outcome_of(implementation, one, layer_answer(implementation, one)) for one in asked]
        if not any(one.is_wrong for one in first):
            return localise_upstream(implementation, asked)
        laboratory = LayerLaboratory(implementation, admits)
        found = _localise(laboratory, first)
        if found is not None and any(one.search.says_what for one in found):
            return _state(found)
        told = localise_at_logits(implementation, asked, [name for one in first for name in one.wrong])
        if told is not None and (found is None or _says_more(told, found)):
            return told
        if found is None:
            laboratory.work.raise_if_ended()
        return _state(found) if found is not None else None


def _says_more(told: Localisation, found: Sequence[Settled]) -> bool:
    """Whether what is told as at the logits says what comes out, and no less of where."""
    narrower = told.is_everywhere and any(one.rule.conditions for one in found)
    return _is_known(told.what) and not told.or_conditions and not narrower


def _is_known(said: str) -> bool:
    """Whether it is said of the loss, or of the gradient, what comes out in its place."""
    return any(not one.endswith(UNKNOWN) for one in said.split("; ") if one)


def _localise(laboratory: LayerLaboratory, first: list[LayerOutcome]) -> list[Settled] | None:
    """What was found of all outputs together, or of each apart; None where nothing was."""
    whole = Search(laboratory, first)
    settled = _settle(whole, Drawing(laboratory.implementation.claims, first))
    if settled is not None:
        return [settled]
    names = whole.outputs
    if len(names) < 2:
        return None
    found = []
    for name in names:
        own = [one.with_output(name) for one in whole.outcomes]
        laboratory.output = name
        settled = _settle(Search(laboratory, own), Drawing(laboratory.implementation.claims, own))
        if settled is not None:
            found.append(settled)
    return found if len(found) == len(names) else None


def _settle(search: Search, drawing: Drawing) -> Settled | None:
    """The rule that foretold enough fresh problems; None where each was refuted, or no call was left for enough."""
    search.tell()
    if not search.tells_all:  # where that is known, it says for which sizes an answer is right
        asked = map(search.laboratory.ask, drawing.round_ones())
        search.outcomes += [one for one in asked if one is not None]
    for _ in range(ROUNDS):
        search.tell()
        rule = search.rule()
        if rule is None:
            return None
        if _tells_apart(search, drawing):
            continue
        rule = _bisected(search, rule, drawing)
        foretold = _foretold(search, rule, drawing)
        n_wrong = sum(one is not None and wrong for one, wrong in foretold)
        seen = [one for one, _ in foretold if one is not None]
        if len(seen) >= ENOUGH and sum(seen) >= MIN_FORETOLD * len(seen) and n_wrong >= MIN_WRONG_AMONG_FRESH:
            return Settled(search, rule, sum(seen), len(seen))
        if search.laboratory.is_spent or all(seen):
            return None
    return None


def _tells_apart(search: Search, drawing: Drawing) -> bool:
    """Whether a problem was asked on which something else would come out that suits the answers so far."""
    told = [one for one in search.told.values() if isinstance(one, Foretold) and one.rivals]
    for other in told[0].rivals if told else ():  # those of other outputs are in the same blocks
        problem = drawing.apart(told[0], other)
        outcome = search.laboratory.ask(problem) if problem is not None else None
        if outcome is not None:
            search.outcomes.append(outcome)
            return True
    return False


def _foretold(search: Search, rule: LayerRule, drawing: Drawing) -> list[tuple[bool | None, bool]]:
    """For fresh problems on both sides of a rule, whether each came out as it says, and whether it is wrong."""
    found: list[tuple[bool | None, bool]] = []
    for problem in drawing.fresh(rule, lambda one: search.expects(rule, one)):
        outcome = search.laboratory.ask(problem)
        if search.laboratory.is_spent:
            break
        if outcome is None:
            continue
        search.outcomes.append(outcome)
        found.append((search.foretells(rule, outcome), outcome.is_wrong))
        known = [one for one, _ in found if one is not None]
        n_wrong = sum(wrong for one, wrong in found if one is not None)
        if False in known or len(found) >= MOST:
            break
        if len(known) >= ENOUGH and n_wrong >= MIN_WRONG_AMONG_FRESH:
            break
    return found


def _bisected(search: Search, rule: LayerRule, drawing: Drawing) -> LayerRule:
    """The rule with the ends of its thresholds in N, D or K brought together."""
    conditions = list(rule.conditions)
    for place, one in enumerate(conditions):
        if one.relation in (">=", "<=") and one.quantity.extents in ("N", "D", "K"):
            others = LayerRule(tuple(other for other in conditions if other is not one))
            conditions[place] = _ends(search, one, others, drawing)
    return LayerRule(tuple(conditions))


def _ends(search: Search, one: LayerCondition, others: LayerRule, drawing: Drawing) -> LayerCondition:
    """A threshold whose two ends are next to each other, if there are calls left."""
    while abs(one.value - one.right) > 1 and not search.laboratory.is_spent:
        middle = int(one.value + one.right) // 2
        problem = drawing.at_extent(one.quantity.extents, middle, others)
        outcome = search.laboratory.ask(problem) if problem is not None else None
        if outcome is None or not (outcome.is_wrong or search.would_show(outcome)):
            return one
        search.outcomes.append(outcome)
        one = with_ends(one, one.right, middle) if outcome.is_wrong else with_ends(one, middle, one.value)
    return one


def _state(found: Sequence[Settled]) -> Localisation:
    """What was found, in words."""
    search = found[0].search
    said = [f"it raises {one}" for one in sorted({one.raised for one in search.wrong if one.raised})]
    for what, names in _grouped(found).items():
        said += [f"{listed(names)}: {what}"] if what else _said_to_be_wrong(found, names)
    wrong = [name for one in found for name in one.search.outputs]
    right = [name for name in OUTPUTS if any(name in one.returned for one in search.outcomes) and name not in wrong]
    said += [f"{listed(right)} {are(right)} right"] if right and wrong else []
    return Localisation(
        search.outcomes[0].problem.format.name,
        _where(found),
        "; ".join(said),
        (),
        sum(one.n_foretold for one in found),
        sum(one.n_fresh for one in found),
        search.laboratory.n_calls,
    )


def _said_to_be_wrong(found: Sequence[Settled], names: Sequence[str]) -> list[str]:
    """That outputs are wrong of which no more is known; of those that are so in few of the wrong answers, on some."""
    few = []
    for one in found:
        counts = {name: [name in seen.wrong for seen in one.search.wrong if name in seen.seen] for name in names}
        few += [name for name, wrong in counts.items() if any(wrong) and sum(wrong) < SHARE_OF_WRONG * len(wrong)]
    most = [name for name in names if name not in few]
    said = [f"{listed(most)} {are(most)} wrong"] if most else []
    return said + ([f"{listed(few)} {are(few)} wrong on some of these problems"] if few else [])


def _where(found: Sequence[Settled]) -> str:
    """Where the outputs are wrong, in words; by their names where that differs."""
    rules: dict[str, list[str]] = {}
    for one in found:
        rules.setdefault(one.rule.said, []).extend(one.search.outputs)
    if len(rules) == 1:
        return next(iter(rules))
    return "; ".join(f"{listed(names)}: {rule}" for rule, names in rules.items())


def _grouped(found: Sequence[Settled]) -> Mapping[str, list[str]]:
    """The outputs by what comes out in their place, in words; "" where that is not known."""
    groups: dict[str, list[str]] = {}
    for one in found:
        for name in one.search.outputs:
            told = one.search.told.get(name)
            groups.setdefault(told.said if told is not None else "", []).append(name)
    return groups
