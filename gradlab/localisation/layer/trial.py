"""A layer is asked a problem: what came of it, beside what is right, as long as a call is left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from gradlab.checks.layer.conditions import divided
from gradlab.checks.layer.outputs import bounds_of
from gradlab.diagnosis.layer.observation import is_close
from gradlab.evaluation.call import Implementation
from gradlab.layer.answer import LayerAnswer
from gradlab.layer.call import evaluate_layer
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import OUTPUTS, LayerProblem
from gradlab.localisation.work import Work
from gradlab.problems.problem import Array

MAX_CALLS = 400  # in one localisation
LARGEST = 1 << 17  # numbers of the largest array of one problem
ROOM = 4.0  # times the bound, for what is foretold and for what came out
RELATIVE = 64.0  # units of roundoff of what is foretold


@dataclass(frozen=True, eq=False)
class LayerOutcome:
    """A problem and what came of it.

    seen, truth, bounds: by the name of the output, float64. raised: the exception or fault where there is no answer.
    returned: the outputs that came back, whether they are looked at or not.
    """

    problem: LayerProblem
    seen: Mapping[str, Array]
    truth: Mapping[str, Array]
    bounds: Mapping[str, Array]
    raised: str = ""
    returned: tuple[str, ...] = ()

    def with_output(self, name: str) -> LayerOutcome:
        """The same where this output alone is looked at."""
        return replace(self, seen={name: self.seen[name]} if name in self.seen else {})

    @cached_property
    def wrong(self) -> tuple[str, ...]:
        """The outputs that are beyond their bounds; all that are returned where there is no answer."""
        right, bounds = self.truth, self.bounds
        return tuple(name for name, array in self.seen.items() if not is_close(array, right[name], bounds[name]))

    @property
    def is_wrong(self) -> bool:
        return bool(self.raised or self.wrong)

    @property
    def is_plain(self) -> bool:
        """Whether it is worked out as `Parts` has it: no option of one number, and moderate logits."""
        return not self.problem.objective.real_options and self.problem.is_moderate

    def is_near(self, output: str, foretold: Array) -> bool:
        """Whether an output is what was foretold, by the rounding errors of both."""
        return is_close(self.seen[output], foretold, self._room(output, foretold))

    def shows(self, output: str, foretold: Array) -> bool:
        """Whether what was foretold is so far from what is right that it is seen."""
        return not is_close(self.truth[output], foretold, self._room(output, foretold))

    def deviation(self, output: str) -> float:
        """How far an output is off, over the largest of its entries; inf where that is 0, or not finite."""
        with np.errstate(all="ignore"):
            largest = np.abs(self.truth[output]).max(initial=0.0)
            off = np.abs(self.seen[output] - self.truth[output]).max(initial=0.0) / largest
        return float(np.nan_to_num(off, nan=np.inf))

    def _room(self, output: str, foretold: Array) -> Array:
        bounds, truth, unit = self.bounds[output], self.truth[output], self.problem.format.unit_roundoff
        with np.errstate(all="ignore"):
            largest = float(np.abs(truth).max(initial=0.0))
            sizes = np.nan_to_num(np.abs(foretold), nan=0.0, posinf=0.0)
            grown = max(1.0, float(sizes.max(initial=0.0)) / largest) if largest else 1.0
            return np.asarray(ROOM * grown * bounds + RELATIVE * unit * sizes)


def outcome_of(implementation: Implementation, problem: LayerProblem, given: LayerAnswer) -> LayerOutcome:
    """An answer beside the truth."""
    truth, bounds = enclose_layer(problem), bounds_of(implementation, problem)
    right = {name: truth.output(name).nearest() for name in OUTPUTS}
    errors = {name: bounds.output(name).error for name in OUTPUTS}
    if given.fault is not None:
        return LayerOutcome(problem, {}, right, errors, given.raised or given.fault)
    with np.errstate(invalid="ignore"):
        seen = {name: array.astype(np.float64) for name, array in given.outputs.items()}
    if not divided(implementation.claims, problem):
        seen.pop("loss", None)  # a mean over nothing: 0 is no worse than NaN
    return LayerOutcome(problem, seen, right, errors, returned=tuple(seen))


@dataclass(eq=False)
class LayerLaboratory:
    """Asks a layer, as long as there is a call and a step of work left.

    admits: whether a problem may be put to it. output: which alone is looked at, "" for all.
    """

    implementation: Implementation
    admits: Callable[[LayerProblem], bool]
    output: str = ""
    n_calls: int = 0
    work: Work = field(default_factory=Work)

    @property
    def is_spent(self) -> bool:
        """Whether nothing may be asked any more."""
        return self.work.is_beyond(1.0) or self.n_calls >= MAX_CALLS

    def ask(self, problem: LayerProblem) -> LayerOutcome | None:
        """What comes of a problem; None where it may not be asked."""
        if self.is_spent or not problem.n_rows or problem.n_entries > LARGEST or not self.admits(problem):
            return None
        self.n_calls += 1
        self.work.call(problem.n_entries)
        found = outcome_of(self.implementation, problem, evaluate_layer(self.implementation, problem))
        return found.with_output(self.output) if self.output else found
