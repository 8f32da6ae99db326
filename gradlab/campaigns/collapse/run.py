"""The whole experiment: every seed with every gradient, a part of each at a time, kept after each part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from gradlab.campaigns.collapse import KEPT
from gradlab.campaigns.collapse.keeping import keep, kept_or_new, place_of
from gradlab.campaigns.collapse.network import Gradient, Setting
from gradlab.campaigns.collapse.training import Training, advance
from gradlab.campaigns.runner import HERE, Where, over_pieces
from gradlab.evaluation.keywords import keywords_for
from gradlab.harness.plan import Progress
from gradlab.problems.objective import Objective
from gradlab.targets.importing import TargetError
from gradlab.targets.load import load

# The first is that of arXiv 2605.06152, section 5; the second the one of arXiv 2501.04697, without weight decay. There
# Adam's second moment forgets ten times as fast, and so all of it goes ten times as fast.
SETTINGS = {
    31: Setting(31, (128,), 0.6, 30_000, 1e-3, 100),
    113: Setting(113, (200, 200), 0.4, 4_000, 5e-4, 50, 0.99),
}
TARGETS = ("shifted", "accurate")  # as every framework does it, and right to a few ULP
PARTS = 60  # of a training, after each of which it is kept


@dataclass(frozen=True)
class Experiment:
    """What is trained, with which gradients, from which seeds; and where it is kept as it goes on."""

    setting: Setting
    targets: Sequence[str] = TARGETS
    seeds: Sequence[int] = tuple(range(5))
    kept: Path = KEPT


@dataclass(frozen=True)
class Piece:
    """The next part of one training."""

    setting: Setting
    target: str
    seed: int
    n_steps: int
    place: Path


def train_all(experiment: Experiment, where: Where = HERE) -> dict[tuple[str, int], Training]:
    """Every training at its end, by target and seed; what experiment.kept holds of them is not done again.

    where: how many processes share the trainings, none of them isolated. Raises TargetError where a target does not
    load, or gives no loss and gradient of the mean over labels.
    """
    setting, kept = experiment.setting, experiment.kept.resolve()
    for target in experiment.targets:
        gradient_of(target)
    step = -(-setting.n_steps // PARTS)
    pieces = [
        Piece(setting, target, seed, step, place_of(kept, setting, target, seed))
        for seed in experiment.seeds
        for target in experiment.targets
    ]
    done = {(one.target, one.seed): kept_or_new(one.place, setting, one.seed) for one in pieces}
    total = setting.n_steps * len(pieces)
    with where.progress(f"p = {setting.modulus}") as watch:
        while left := [one for one in pieces if not done[one.target, one.seed].ended]:
            for piece, training in over_pieces(next_part, left, where.jobs):
                done[piece.target, piece.seed] = training
                n_done = sum(setting.n_steps if one.ended else one.n_done for one in done.values())
                phase = f"{piece.target}, seed {piece.seed}, step {training.n_done:,}"
                watch(Progress(f"p = {setting.modulus}", "float32", phase, n_done, total, 0))
    return done


def next_part(piece: Piece) -> Training:
    """The training after its next part, which is kept. Raises TargetError where the gradient is of the wrong kind."""
    training = kept_or_new(piece.place, piece.setting, piece.seed)
    try:
        training = advance(training, piece.setting, gradient_of(piece.target), piece.n_steps)
    except ValueError as error:
        raise TargetError(f"{piece.target}: {error}") from error
    keep(training, piece.place)
    return training


@lru_cache(maxsize=16)
def gradient_of(target: str) -> Gradient:
    """What gives loss and gradient of the mean over labels. Raises TargetError where the target has none in float32."""
    found = load(target, {}, ("float32",))
    if len(found) != 1:
        raise TargetError(f"a training needs one implementation, got {len(found)} of {target}")
    claims = found[0].claims
    usual = "mean" in claims.reduction and "index" in claims.targets and claims.derivative == "gradient"
    if not usual or "float32" not in claims.dtypes:
        raise TargetError(f"a training needs the gradient of the mean over labels in float32, {target} claims others")
    keywords = keywords_for(claims, Objective(), np.dtype(np.float32))
    return partial(found[0].function, **keywords)
