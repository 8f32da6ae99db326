"""Rules that fit as well as another one, from which it is told apart by problems of which they say something else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Protocol

from gradlab.localisation.drawing import expected_by_one
from gradlab.localisation.evidence import Effect, foretells
from gradlab.localisation.rules import Rule
from gradlab.localisation.trial import Outcome, Trial
from gradlab.localisation.varying import Rng

SIMPLER = 0.5  # by which a rule costs less than another one that is given up for it
RIVALS = 3  # other rules that fit, from which a rule is told apart
DRAWN = 16  # problems among which one is looked for that tells two rules apart
CONTESTED = 3  # of these that are asked


class Asking(Protocol):
    """An investigation, as far as it is needed here."""

    effect: Effect
    rng: Rng
    masks: bool

    @property
    def wrong(self) -> list[Outcome]: ...

    def rules(self) -> list[Rule]: ...

    def with_thresholds(self, rule: Rule) -> Rule: ...

    def fits(self, rule: Rule) -> bool: ...

    def visible(self, rule: Rule, trial: Trial | None) -> Trial | None: ...

    def ask(self, trial: Trial) -> Outcome | None: ...


def contested(investigation: Asking, rule: Rule) -> list[bool]:
    """Whether fresh problems, of which other rules that fit say something else, came out as this one says."""
    found = list[bool]()
    rivals = [one for one in investigation.rules() if one.conditions and rule.conditions]
    for rival in [investigation.with_thresholds(one) for one in rivals if one.names != rule.names][:RIVALS]:
        if not investigation.fits(rule):
            return [*found, False]
        for trial in _told_apart(investigation, rule, rival):
            outcome = investigation.ask(trial)
            as_said = None if outcome is None else foretells(rule, outcome, investigation.effect)
            found += [as_said] if as_said is not None else []
            if as_said is False:
                return found
    return found


def is_outdone(investigation: Asking, rule: Rule) -> bool:
    """Whether a simpler rule fits by now."""
    return any(one.cost < rule.cost - SIMPLER for one in investigation.rules())


def _told_apart(investigation: Asking, rule: Rule, rival: Rule) -> Iterator[Trial]:
    """Fresh problems that one rule expects to go wrong, and the other does not; a few on either side."""
    for one, other in ((rule, rival), (rival, rule)):
        drawn = (
            expected_by_one(one, other, investigation.wrong, investigation.rng, investigation.masks)
            for _ in range(DRAWN)
        )
        trials = (investigation.visible(one, trial) for trial in drawn)
        yield from islice((trial for trial in trials if trial is not None and not other.expects(trial)), CONTESTED)
