"""What a model of a defect is: the stages it replaces, for a parameter that is estimated where it has one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradlab.diagnosis.matching import Observation
from gradlab.diagnosis.pipeline import GRADIENT_STAGES, LOSS_STAGES, Changes
from gradlab.problems.problem import Array

Guesses = Callable[[Sequence[Observation]], Iterable[float]]


@dataclass(frozen=True, eq=False)
class Model:
    """A defect as changes of the sound stages.

    defect: its identifier, that of its specimen. changes: the stages that are replaced. parameter: such as
    "epsilon = 1e-07", or "". freedom: how many numbers were fitted. inside: the dtype in which all is computed, if that
    is the defect. coarse: the dtype in which something is rounded on the way: no prediction is better than that.
    """

    defect: str
    changes: Changes
    parameter: str = ""
    freedom: int = 0
    inside: str = ""
    coarse: str = ""
    said: str = ""

    def __getstate__(self) -> dict[str, Any]:
        """All but the stages themselves, of which pickle takes the names: what it says stays, it predicts no more."""
        return {**vars(self), "changes": dict.fromkeys(self.changes)}

    @property
    def only_in_loss(self) -> bool:
        return set(self.changes) <= LOSS_STAGES and not self.inside

    @property
    def only_in_gradient(self) -> bool:
        return set(self.changes) <= GRADIENT_STAGES and not self.inside

    @property
    def place(self) -> str:
        """Which of the two alone is wrong, "loss" or "gradient"; "" where both are, and where no stage is named."""
        if not self.changes:  # as of a defect of a layer, whose stages are the specimen's
            return ""
        return "loss" if self.only_in_loss else "gradient" if self.only_in_gradient else ""


@dataclass(frozen=True, eq=False)
class Defect:
    """A row of the table of models.

    make: parameter -> changes. guesses: values of the parameter to try, from what was observed; (0.0,) where there
    is none. symbol: what the parameter is called, neutral: its value for which nothing is wrong. coarse, said: as in
    `Model`, the latter with {} for the value. option: the option of the objective, or the kind of targets, that it is
    a defect of.
    """

    name: str
    make: Callable[[float], Changes]
    symbol: str = ""
    guesses: Guesses = field(default=lambda observations: (0.0,))
    coarse: str = ""
    neutral: float = 0.0
    said: str = ""
    option: str = ""

    @property
    def freedom(self) -> int:
        """How many numbers are fitted."""
        return self.symbol.count(",") + bool(self.symbol)

    def models(self, observations: Sequence[Observation]) -> list[Model]:
        """The models to try on these observations, one for each value of the parameter."""
        with np.errstate(all="ignore"):
            guesses = list(self.guesses(observations))
        found = []
        for value in dict.fromkeys(snapped for guess in guesses for snapped in _snapped(guess)):
            if self.symbol and float(f"{value:.3g}") == self.neutral:
                continue
            said = f"{self.symbol} = {value:.4g}" if self.symbol else f"in {self.coarse}" if self.coarse else ""
            text = self.said.format(f"{value:.4g}")
            found.append(Model(self.name, self.make(value), said, self.freedom, coarse=self.coarse, said=text))
        return found


def fixed(name: str, **changes: Callable[..., Array]) -> Defect:
    """A defect without a parameter."""
    return stated(name, "", changes)


def stated(name: str, said: str, changes: Changes) -> Defect:
    """A defect without a parameter; said: what it computes, where the text of the specimen is not true of it."""
    return Defect(name, lambda value: changes, said=said)


def option_defect(option: str, name: str, **changes: Callable[..., Array]) -> Defect:
    """A defect without a parameter in an option of the objective, or in a kind of target."""
    return Defect(name, lambda value: changes, guesses=if_asked_for(option), option=option)


def if_asked_for(option: str) -> Guesses:
    """(0.0,) where some problem has the option or the kind of target, else nothing."""

    def guesses(observations: Sequence[Observation]) -> Iterable[float]:
        objectives = {seen.problem.objective for seen in observations}
        return (0.0,) if any(option in one.options or option == one.targets for one in objectives) else ()

    return guesses


def coarse(name: str, dtype: str, *, said: str = "", **changes: Callable[..., Array]) -> Defect:
    """A defect without a parameter that rounds something to a narrower dtype. said: as in `fixed`."""
    return Defect(name, lambda value: changes, coarse=dtype, said=said)


def listed(name: str, symbol: str, values: Sequence[float], make: Callable[[float], Changes], said: str = "") -> Defect:
    """A defect whose parameter is one of a few values."""
    return Defect(name, make, symbol, lambda observations: values, said=said)


def single_rows(observations: Sequence[Observation]) -> list[Observation]:
    """The wrong answers on one finite row without options: where a parameter can be read off, simplest first."""
    return _single_rows_of("index", observations)


def single_one_hot_rows(observations: Sequence[Observation]) -> list[Observation]:
    """The same for one-hot rows of probabilities."""
    return [
        seen
        for seen in _single_rows_of("probability", observations)
        if (np.sort(seen.problem.targets.astype(np.float64), axis=1)[:, -2:].sum(axis=1) == 1).all()
        and seen.problem.targets.max() == 1
    ]


def _single_rows_of(targets: str, observations: Sequence[Observation]) -> list[Observation]:
    return [
        seen
        for seen in observations
        if seen.problem.n_rows == 1
        and seen.problem.is_finite
        and np.isfinite(seen.loss).all()
        and not seen.problem.objective.options
        and seen.problem.objective.targets == targets
        and seen.is_wrong
    ]


def _snapped(guess: float) -> Iterable[float]:
    """The round numbers near a guess, and the guess itself: two digits, whole, a power of two."""
    if guess == 0:
        yield 0.0
    if not 1e-30 < abs(guess) < 1e30:
        return
    power = math.copysign(2.0 ** round(math.log2(abs(guess))), guess)
    near = [float(f"{guess:.0e}"), float(f"{guess:.1e}"), float(round(guess)), power]
    yield from (value for value in near if value and abs(value - guess) <= 0.02 * abs(guess))
    yield guess
