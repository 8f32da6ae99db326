"""By which rule a trainer stops that takes fewer steps than it is asked for: found by asking with several rates.

With each rate it stops somewhere else along exact descent. A rule is one of `MEASURES`, which has to be below a
threshold, and a number of steps that are taken after that. It explains the trainer where one threshold and one number
of steps explain where it stops with every rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gradlab.problems.problem import Array
from gradlab.trainer.call import Trainer, train
from gradlab.trainer.descent import descend
from gradlab.trainer.gradient import batch_of, step_gradient
from gradlab.trainer.laws import flat_problem
from gradlab.trainer.mistakes import Named
from gradlab.trainer.problem import TrainerProblem

LONG = 300
RATES = (1.0, 0.7, 0.5, 0.35, 0.25)  # times that of the flat problem
LONGEST_WAIT = 50  # steps after what a rule waits for
NAME = "stops_early"

# What a rule may look at, at each iterate from the second on; f: the losses, g: the gradient's entries, a row each.
MEASURES: Mapping[str, Callable[[Array, Array, float], Array]] = {
    "the loss falls by less than {} in a step": lambda f, g, rate: f[:-1] - f[1:],
    "the loss falls by less than {} of itself in a step": lambda f, g, rate: (f[:-1] - f[1:]) / f[:-1],
    "no entry of the gradient is above {}": lambda f, g, rate: np.abs(g[1:]).max(axis=1),
    "the gradient's norm is below {}": lambda f, g, rate: np.linalg.norm(g[1:], axis=1),
    "no parameter moves by more than {}": lambda f, g, rate: rate * np.abs(g[1:]).max(axis=1),
    "the parameters move by less than {}": lambda f, g, rate: rate * np.linalg.norm(g[1:], axis=1),
    "the loss is below {}": lambda f, g, rate: f[1:],
}


@dataclass(frozen=True, eq=False)
class _Stop:
    """How many steps a trainer took, at most LONG, and what each measure is at the iterates from the second on."""

    n_steps: int
    measured: Mapping[str, Array]


def stopping_rule(trainer: Trainer, dtype: str) -> Named:
    """The rule by which it stops, as a mistake."""
    stops = _stops(trainer, "float64") or _stops(trainer, dtype)  # of which the first has hardly any rounding in it
    numbers = [stop.n_steps for stop in stops]
    if len(stops) > 1 and len(set(numbers)) == 1:
        return Named(NAME, f"it never takes more than {numbers[0]} steps")
    rules = sorted(_rules(stops), key=lambda one: (one.n_digits, one.later))
    if rules:
        return Named(NAME, f"it stops, though that was not asked for, {rules[0].sentence}")
    return Named(NAME, f"it stops by itself, by a rule that is not known: with 5 rates after {numbers} of {LONG} steps")


@dataclass(frozen=True)
class _Rule:
    """sentence: when it stops. n_digits: of the threshold. later: how many steps are taken after that."""

    sentence: str
    n_digits: float
    later: int


def _stops(trainer: Trainer, dtype: str) -> list[_Stop]:
    problem = flat_problem(trainer, dtype)
    return [stop for rate in RATES if (stop := _stop(trainer, problem, rate))]


def _stop(trainer: Trainer, problem: TrainerProblem, factor: float) -> _Stop | None:
    """None where what comes back is on no iterate of exact descent."""
    problem = problem.replace(n_steps=LONG, learning_rate=factor * problem.learning_rate)
    trained = train(trainer, problem)
    if trained.fault:
        return None
    iterates = list(descend(problem))
    apart = [float(np.linalg.norm(one.parameters - trained.parameters)) for one in iterates]
    nearest = iterates[int(np.argmin(apart))]
    if min(apart) > nearest.proved + nearest.radius:
        return None
    batch = batch_of(problem.extended64, problem.shares64, slice(None))
    found = [step_gradient(batch, one.parameters, problem.slopes) for one in iterates]
    losses = np.array([-np.log((one.probabilities * batch.shares).sum(axis=1)).mean() for one in found])
    gradients = np.array([one.value.ravel() for one in found])
    measured = {name: of(losses, gradients, problem.learning_rate) for name, of in MEASURES.items()}
    return _Stop(nearest.n_steps, measured)


def _rules(stops: list[_Stop]) -> Iterator[_Rule]:
    """All rules that explain where it stops; at least two of the stops have to be before the end."""
    if sum(stop.n_steps < LONG for stop in stops) <= 1:
        return
    for name in MEASURES:
        for later in range(LONGEST_WAIT + 1):
            ends = [_threshold(stop, name, later) for stop in stops]
            low, high = max(end[0] for end in ends), min(end[1] for end in ends)
            if low < high:
                value, n_digits = _shortest(low, high)
                after = f", and {later} steps after that" if later > 1 else ""
                yield _Rule(f"where {name.format(f'{value:g}')}{after}", n_digits, later)


def _threshold(stop: _Stop, name: str, later: int) -> tuple[float, float]:
    """Between what the threshold must lie, where so many steps are taken after the measure is below it."""
    values = stop.measured[name]
    place = stop.n_steps - later - 1  # among the iterates from the second on
    if stop.n_steps >= LONG:
        return 0.0, float(values[: max(LONG - later - 1, 1)].min())
    if place < 1:
        return np.inf, 0.0
    return float(values[place]), float(values[:place].min())


def _shortest(low: float, high: float) -> tuple[float, float]:
    """The number between two with the fewest digits, and how many it has; a power of ten has half of one."""
    power = 10.0 ** np.floor(np.log10(high))
    if low < power <= high:
        return float(power), 0.5
    for digits in range(1, 6):
        value = float(f"{(low + high) / 2:.{digits - 1}e}")
        if low < value <= high:
            return value, digits
    return (low + high) / 2, 6
