"""The oracle of the layer: certified enclosures of the exact loss, dX, dW and db of a problem.

Large problems go through sliced products in float64 (`fast`), small ones and whatever these cannot decide through balls
(`balls`). An entry is enclosed to 2^-20 u of the sum of the sizes of its terms, |X|^T |G| for dW, by balls to
2^-20 ULP.

Rules of the domain, on top of those of the logits (`oracle.enclosure`): a NaN or an infinity in the features takes the
row's loss and dX away, one in the weight, or a NaN or +inf in the bias, those of all rows that count. Where a row that
counts has no gradient, dW and db are NaN; the gradients of a mean over nothing are NaN in the rows that count, if any.
-inf in the bias masks a class. Ignored rows have loss and gradient 0, whatever is in them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flint import ctx

from gradlab.layer.oracle.answers import Answers, Skeleton
from gradlab.layer.oracle.balls import answer_by_balls
from gradlab.layer.oracle.fast import answer_by_slices
from gradlab.layer.problem import LayerProblem
from gradlab.oracle.exact.canonical import reduce_losses
from gradlab.oracle.exact.conversion import to_enclosures
from gradlab.oracle.intervals import Enclosures, constant, fill
from gradlab.problems.caching import remember

CROSSOVER = 1024  # logits and entries of the gradients from which the slices are the faster way: 800 to 1200
_PRECISION = 640  # bits of the reduced loss


@dataclass(frozen=True, eq=False)
class LayerTruth:
    """The exact answers to a problem of the layer, enclosed; the shapes are those of `LayerProblem.shape_of`.

    The loss is the reduced one, with the penalty; db is there also for a problem without a bias, as of one that is 0.
    """

    problem: LayerProblem
    loss: Enclosures
    dX: Enclosures
    dW: Enclosures
    db: Enclosures

    def output(self, name: str) -> Enclosures:
        """What is enclosed of one of `problem.OUTPUTS`."""
        return {"loss": self.loss, "dX": self.dX, "dW": self.dW, "db": self.db}[name]


@remember(256)
def enclose_layer(problem: LayerProblem) -> LayerTruth:
    """The exact answers, enclosed; remembered for the latest problems. Every problem that can be made has them."""
    small = problem.n_rows * problem.n_classes + problem.features.size + problem.weight.size < CROSSOVER
    return _assemble(problem, [answer_by_balls] if small else [answer_by_slices, answer_by_balls])


def enclose_layer_by_balls(problem: LayerProblem) -> LayerTruth:
    """The exact answers, enclosed by ball arithmetic alone."""
    return _assemble(problem, [answer_by_balls])


def _assemble(problem: LayerProblem, ways: Sequence[Callable[[Skeleton], Answers | None]]) -> LayerTruth:
    """The truth by the first way that can decide, and the domain rules."""
    skeleton = Skeleton(problem)
    answers = next(found for found in (solve(skeleton) for solve in ways) if found is not None)
    dX, dW, db = answers.dX, answers.dW, answers.db
    fill(dX, skeleton.rows_without_gradient, math.nan)
    if skeleton.rows_without_gradient.any() or skeleton.penalty_is_lost:
        dW, db = constant(math.nan, dW.shape), constant(math.nan, db.shape)
    return LayerTruth(problem, _loss(skeleton, answers), dX, dW, db)


def _loss(skeleton: Skeleton, answers: Answers) -> Enclosures:
    kinds, frame = skeleton.kinds, skeleton.frame
    if frame.objective.reduction == "none":
        losses = constant(0.0, (frame.n_rows,))
        fill(losses, kinds.regular, to_enclosures(answers.losses))
        fill(losses, kinds.infinite, math.inf)
        fill(losses, kinds.undefined, math.nan)
        return losses
    if skeleton.rows_without_gradient.any() or not skeleton.has_mean or skeleton.penalty_is_lost:
        return constant(math.nan, ())
    if kinds.infinite.size:
        return constant(math.inf, ())
    with ctx.workprec(_PRECISION):
        return to_enclosures([reduce_losses(frame, answers.losses) + answers.penalty])[0]
