"""What is proved of a solver, which looks for the optimum itself: how far what it returns is from there.

A solver stops where no entry of the gradient is above a tolerance: one that it takes, or else TOLERANCE. It may be off
by that, and by what its format's arithmetic may be off by in a gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from gradlab.layer.problem import Penalty
from gradlab.trainer.call import Trained, Trainer, train
from gradlab.trainer.certificate import Point, certify_point
from gradlab.trainer.findings import Examination, Finding, side_effects
from gradlab.trainer.form import forms_of
from gradlab.trainer.gradient import batch_of, proved_arithmetic, step_gradient
from gradlab.trainer.problem import TrainerProblem

TOLERANCE = 1e-4
STRENGTHS = (0.3, 0.02)  # of the penalties of small problems
STEP_LIMIT = 2000


@dataclass(frozen=True, eq=False)
class Solution:
    """What a solver returned. allowed: how large the norm of the whole gradient may be there."""

    problem: TrainerProblem
    trained: Trained
    point: Point
    allowed: float

    @property
    def is_right(self) -> bool:
        """Whether it is where a solver may stop."""
        return self.point.gradient <= self.allowed


def solve(trainer: Trainer, problem: TrainerProblem) -> Solution | str:
    """The solution, or why there is none."""
    problem = problem.replace(tolerance=TOLERANCE)
    trained = train(trainer, problem)
    if trained.fault:
        return trained.fault
    # one column of weights for two classes: as two columns, each minus the other, they have half the square
    problem = problem.replace(penalty=_twice(problem.penalty)) if trained.is_halved else problem
    return Solution(problem, trained, certify_point(problem, trained.parameters), allowed_gradient(problem, trained))


def allowed_gradient(problem: TrainerProblem, trained: Trained) -> float:
    """How large the norm of the whole gradient may be where a solver stops."""
    parameters = trained.parameters
    batch = batch_of(problem.extended64, problem.shares64, slice(None))
    errors = step_gradient(batch, parameters, problem.slopes).bound(proved_arithmetic(problem.format)).entries
    return float(np.linalg.norm(TOLERANCE + errors))


def _twice(penalty: Penalty) -> Penalty:
    return replace(penalty, strength=2 * penalty.strength)


def examine_solver(trainer: Trainer, dtype: str) -> Examination:
    """Small problems, solved: of three seeds, with a strong penalty and with a weak one."""
    trainer, penalty = recognise_solver(trainer, dtype)
    findings: list[Finding] = []
    strengths = STRENGTHS if penalty.is_on else (0.0,)
    for seed, strength in product(range(3), strengths):
        problem = small_problem(dtype, seed).replace(penalty=replace(penalty, strength=strength))
        findings += _findings(trainer, problem)
    return Examination(3 * len(strengths), tuple(findings), trainer, penalty)


def _findings(trainer: Trainer, problem: TrainerProblem) -> Iterator[Finding]:
    found = solve(trainer, problem)
    if isinstance(found, str):
        yield Finding("returns_weights", found, problem)
        return
    if not found.is_right:
        seen = f"the gradient's norm is {found.point.gradient:.3g}, where a solver may stop {found.allowed:.3g}"
        yield Finding("finds_the_optimum", f"{seen}; the optimum is {found.point.to_optimum:.3g} away", found.problem)
    yield from side_effects(trainer, found.problem, found.trained)


def recognise_solver(trainer: Trainer, dtype: str) -> tuple[Trainer, Penalty]:
    """The solver in the first form in which it is right, or else comes nearest; and the form of its penalty."""
    best, nearest = (trainer, Penalty()), np.inf
    for one, penalty in _forms(trainer):
        found = solve(one, small_problem(dtype, 0).replace(penalty=penalty))
        if isinstance(found, str):
            continue
        turned = replace(one, form=replace(one.form, is_turned=found.trained.is_turned))
        if found.is_right:
            return turned, penalty
        if found.point.gradient < nearest:
            best, nearest = (turned, penalty), found.point.gradient
    return best


def _forms(trainer: Trainer) -> list[tuple[Trainer, Penalty]]:
    if not (trainer.takes("l2") or trainer.takes("C")):
        return [(one, Penalty()) for one in _formed(trainer, ("l2",))]
    kinds = ("1/(l2 N)", "1/l2") if trainer.takes("C") else ("l2", "l2 times N")
    penalties = [Penalty(STRENGTHS[0], halved, takes_bias) for takes_bias in (False, True) for halved in (True, False)]
    return [*product(_formed(trainer, kinds), penalties)]


def _formed(trainer: Trainer, strengths: tuple[str, ...]) -> list[Trainer]:
    return [
        replace(trainer, form=replace(form, strength=strength))
        for form, strength in product(forms_of(trainer.taken), strengths)
    ]


def small_problem(dtype: str, seed: int) -> TrainerProblem:
    """40 rows, 4 features and 3 classes that no plane parts, from zeros; as many steps as it may take."""
    generator = np.random.default_rng(seed)
    features, labels = generator.normal(size=(40, 4)).astype(dtype), generator.integers(0, 3, 40)
    zeros = np.zeros((5, 3), dtype)
    return TrainerProblem(features, labels, zeros[:4], zeros[4], 1.0, STEP_LIMIT, family="small")
