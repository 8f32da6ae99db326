"""Laws of gradient descent with steps of at most 1/L, on a small problem.

V_n is what the trainer returns for n steps, r how far a step of sound code may be from the exact one at the same place.

    each step        |V_{n+1} - (V_n - eta g(V_n))| <= r: no state is carried from step to step, and none is left out
    descent          f(V_{n+1}) <= f(V_n) - eta (1 - eta L/2) |g(V_n)|^2, and |g| r + L r^2/2 more
    towards          |V_{n+1} - V*| <= (1 - eta mu) |V_n - V*| + r, V* being the optimum (Hardt, Recht, Singer, 2016)
    rate             f(V_n) - f(V*) <= |V_0 - V*|^2/(2 eta n), and what n steps of sound code may be off by

Where a plane parts the classes and there is no penalty there is no optimum: the loss falls to 0, no slower than
|v|^2/(2 eta n) + f(v) for any v; the smallest margin grows; and the direction of W comes nearer to that of the largest
margin, slowly (D. Soudry et al., The implicit bias of gradient descent on separable data, JMLR 19, 2018, 70).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradlab.layer.problem import Penalty
from gradlab.problems.problem import Array
from gradlab.trainer.call import Trainer, train, with_start_of
from gradlab.trainer.curvature import Curvature, curvature_of
from gradlab.trainer.descent import Iterate, descend, distance_to, end_of_descent
from gradlab.trainer.gradient import UPWARDS, batch_of, step_gradient
from gradlab.trainer.optimum import Optimum, optimum_of
from gradlab.trainer.problem import TrainerProblem

COUNTS = (0, 2, 7, 20, 60)
SEPARABLE = (10, 100, 1000)

Broken = tuple[str, str, TrainerProblem]  # the law, what was seen, and the problem


def laws_broken(trainer: Trainer, dtype: str, penalty: Penalty) -> Iterator[Broken]:
    """The laws that a trainer breaks, each once."""
    found: dict[str, Broken] = {}
    for problem in _problems(trainer, dtype, penalty):
        for one in _broken(trainer, problem):
            found.setdefault(one[0], one)
    for one in _separable_laws(trainer, dtype):
        found.setdefault(one[0], one)
    yield from found.values()


def flat_problem(trainer: Trainer, dtype: str) -> TrainerProblem:
    """A training of no step whose optimum is near: 24 rows, 3 features and 3 classes that no plane parts."""
    generator = np.random.default_rng(7)
    return _problem(trainer, generator.normal(size=(24, 3)).astype(dtype), generator.integers(0, 3, 24))


def _problems(trainer: Trainer, dtype: str, penalty: Penalty) -> Iterator[TrainerProblem]:
    problem = flat_problem(trainer, dtype)
    yield problem
    if penalty.is_on:
        yield problem.replace(penalty=penalty)


def _problem(trainer: Trainer, features: Array, labels: Array) -> TrainerProblem:
    """From zeros, or from where the trainer starts."""
    n_classes, dtype = int(labels.max()) + 1, features.dtype
    weight = np.zeros((features.shape[1], n_classes), dtype)
    bias = np.zeros(n_classes, dtype) if trainer.has_bias else None
    problem = TrainerProblem(features, labels, weight, bias, 1.0, 0, family="small")
    rate = float(f"{0.95 / curvature_of(problem).smoothness:.2g}")
    return with_start_of(trainer, problem.replace(learning_rate=rate))


@dataclass(frozen=True, eq=False)
class _Place:
    """What a trainer returned, with the objective and its gradient there, worked out in float64."""

    parameters: Array
    objective: float
    gradient: Array

    @property
    def slope(self) -> float:
        return float(np.linalg.norm(self.gradient))


def _place(problem: TrainerProblem, parameters: Array) -> _Place:
    batch = batch_of(problem.extended64, problem.shares64, slice(None))
    found = step_gradient(batch, parameters, problem.slopes)
    with np.errstate(divide="ignore"):
        loss = -np.log((found.probabilities * batch.shares).sum(axis=1)).mean()
    penalty = (problem.slopes * np.square(parameters)).sum() / 2
    return _Place(parameters, float(loss + penalty), found.value)


def _broken(trainer: Trainer, problem: TrainerProblem) -> Iterator[Broken]:
    optimum = optimum_of(problem, problem.start64)
    iterates = list(descend(problem.replace(n_steps=max(COUNTS) + 1)))
    for count in COUNTS:
        pair = [train(trainer, problem.replace(n_steps=n)) for n in (count, count + 1)]
        if any(one.fault for one in pair):
            continue
        here, there = (_place(problem, one.parameters) for one in pair)
        step = _Step(problem, here, there, _exact_step(problem, here))
        broken = [*_step_laws(step), *(_optimum_laws(step, optimum, iterates[count + 1]) if optimum else ())]
        yield from ((law, seen, problem.replace(n_steps=count + 1)) for law, seen in broken)


@dataclass(frozen=True, eq=False)
class _Step:
    """One step of a trainer, from here to there; exact: where exact descent goes from here."""

    problem: TrainerProblem
    here: _Place
    there: _Place
    exact: Iterate

    @cached_property
    def curvature(self) -> Curvature:
        return curvature_of(self.problem)

    @property
    def room(self) -> float:
        """How far a step of sound code may be from the exact one."""
        return self.exact.proved + self.exact.radius


def _exact_step(problem: TrainerProblem, here: _Place) -> Iterate:
    dtype, split = problem.features.dtype, problem.n_features
    bias = None if problem.bias is None else here.parameters[-1].astype(dtype)
    return end_of_descent(problem.replace(weight=here.parameters[:split].astype(dtype), bias=bias, n_steps=1))


def _step_laws(step: _Step) -> Iterator[tuple[str, str]]:
    here, there, rate, smoothness = step.here, step.there, step.problem.learning_rate, step.curvature.smoothness
    rounded = np.linalg.norm(step.here.parameters) * step.problem.format.unit_roundoff  # where it keeps more digits
    at_least, _ = distance_to(step.exact, there.parameters)
    if at_least > step.exact.proved + rounded:
        said = f"a step ends at least {at_least:.3g} from that of descent, sound code within {step.exact.proved:.3g}"
        yield "each_step_is_one_of_descent", said
    most = here.objective - rate * (1 - rate * smoothness / 2) * here.slope**2
    most += (there.slope + smoothness * step.room) * step.room + 1e-12 * (1 + abs(here.objective))
    if there.objective > most:
        yield "each_step_goes_down", f"the loss is {there.objective:.9g} after it, has to be at most {most:.9g}"


def _optimum_laws(step: _Step, optimum: Optimum, iterate: Iterate) -> Iterator[tuple[str, str]]:
    problem, there, rate = step.problem, step.there, step.problem.learning_rate
    before, after = optimum.distance_to(step.here.parameters)[1], optimum.distance_to(there.parameters)[0]
    most = (before * step.curvature.expansion(rate) + step.room) * UPWARDS
    if after > most:
        yield "each_step_goes_towards_the_optimum", f"the optimum is {after:.9g} away after it, at most {most:.9g}"
    start = optimum.distance_to(problem.start64)[1]
    off = iterate.proved + iterate.radius
    highest = optimum.most + start**2 / (2 * rate * iterate.n_steps) * UPWARDS
    highest += (there.slope + step.curvature.smoothness * off) * off + 1e-12
    if there.objective > highest:
        seen = f"after {iterate.n_steps} steps the loss is {there.objective:.9g}, has to be at most {highest:.9g}"
        yield "goes_down_fast_enough", seen


def _separable_laws(trainer: Trainer, dtype: str) -> Iterator[Broken]:
    """Three classes that W = I - 1/3 parts with the largest margin; a row of each is nearest to its planes."""
    unit, turned = np.eye(3), np.roll(np.eye(3), 1, axis=1)
    features = np.concatenate([unit, 3 * unit + turned]).astype(dtype)
    problem = _problem(trainer, features, np.tile(np.arange(3), 2))
    widest = unit - 1 / 3
    before = (np.inf, -np.inf, -np.inf)
    for count in SEPARABLE:
        asked = problem.replace(n_steps=count)
        trained = train(trainer, asked)
        if trained.fault or trained.weight is None:
            return
        place = _place(problem, trained.parameters)
        weight = trained.parameters[:3] - trained.parameters[:3].mean(axis=1, keepdims=True)
        margin = float(_margin(problem, trained.parameters))
        nearness = float((weight * widest).sum() / np.linalg.norm(weight) / np.linalg.norm(widest))
        most = _slowest(problem, widest, count)
        if place.objective > most:
            yield (
                "the_loss_falls_to_0",
                f"{place.objective:.6g} after {count} steps, has to be at most {most:.6g}",
                asked,
            )
        if not margin > before[1]:
            yield "the_margin_grows", f"{margin:.6g} after {count} steps, was {before[1]:.6g}", asked
        if not nearness > before[2] - 1e-6:
            yield "the_direction_nears_the_largest_margin", f"cosine {nearness:.6g}, was {before[2]:.6g}", asked
        before = (place.objective, margin, nearness)


def _margin(problem: TrainerProblem, parameters: Array) -> float:
    logits = problem.extended64 @ parameters
    rows = np.arange(problem.n_rows)
    own = logits[rows, problem.targets]
    logits[rows, problem.targets] = -np.inf
    return float((own - logits.max(axis=1)).min())


def _slowest(problem: TrainerProblem, widest: Array, count: int) -> float:
    """The least of |v - V_0|^2/(2 eta n) + f(v) over some multiples v of the widest margin's W, and 0.1% more."""
    found = []
    for size in np.geomspace(0.1, 20, 40):
        other = problem.start64.copy()
        other[:3] = size * widest
        apart = float(np.linalg.norm(other - problem.start64))
        found.append(apart**2 / (2 * problem.learning_rate * count) + _place(problem, other).objective)
    return min(found) * (1 + 1e-3)
