"""Models of what is summed: along which axis, over how many classes, in how many bits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from gradlab.diagnosis.matching import Observation
from gradlab.diagnosis.models.model import Defect, coarse, fixed, listed, single_rows
from gradlab.diagnosis.pipeline import Changes, View, probabilities_less_targets, row_sums
from gradlab.problems.problem import Array, Problem

BLOCKS = (2, 3, 4, 5, 6, 8, 10, 16, 32, 64, 128, 256, 512, 1024)


def sum_of_all(view: View) -> Array:
    return np.full((len(view.e), 1), view.e.sum(), dtype=view.dtype)


def sums_of_columns(view: View) -> Array:
    return np.asarray(view.e.sum(axis=0, keepdims=True))


def largest_of_columns(x: Array) -> Array:
    return np.asarray(x.max(axis=0, keepdims=True, initial=-np.inf))


def multiplied(factor: float) -> Changes:
    return {"sums": lambda view: row_sums(view) * view.dtype.type(factor)}


def increased(epsilon: float) -> Changes:
    return {"sums": lambda view: row_sums(view) + view.dtype.type(epsilon)}


def factors(observations: Sequence[Observation]) -> Iterable[float]:
    """By how much S is too large, from a loss that is log of it too large; single rows, or equal ones."""
    return [float(np.exp(excess)) for excess in _excesses(observations)]


def epsilons(observations: Sequence[Observation]) -> Iterable[float]:
    """What is added to S = exp(loss) where the target is a largest logit."""
    found = []
    for seen in single_rows(observations):
        x, true = seen.problem.logits64[0], float(seen.true_loss.sum())
        if x[seen.problem.targets[0]] == x.max():
            found.append(float(np.exp(float(seen.loss.sum())) - np.exp(true)))
    return found[:3]


def padded(block: int, value: float) -> Changes:
    def logits(problem: Problem) -> Array:
        x = problem.logits
        return np.pad(x, ((0, 0), (0, -x.shape[1] % block)), constant_values=x.dtype.type(value))

    return {"logits": logits}


LANES = "S = sum_j exp(x_j - m) + r exp({} - m) for r lanes of padding"


def contents_of_lanes(block: int) -> Defect:
    def guesses(observations: Sequence[Observation]) -> Iterable[float]:
        for seen in single_rows(observations)[:1]:
            n_lanes = -seen.problem.n_classes % block
            x = seen.problem.logits64[0]
            excess = np.expm1(float(np.sum(seen.loss)) - float(seen.true_loss.sum()))
            if n_lanes and excess > 0:
                with np.errstate(over="ignore"):
                    yield float(x.max() + np.log(excess * np.exp(x - x.max()).sum() / n_lanes))

    return Defect(
        "finite_padded_lanes", lambda value: padded(block, value), f"blocks of {block}, value", guesses, said=LANES
    )


DROPPED = "S = sum of exp(d_j) over j < {0} floor(K/{0}): the last classes have no share in it"


def only_whole_blocks(size: float) -> Changes:
    def sums(view: View) -> Array:
        n_classes = view.e.shape[1]
        whole = n_classes - n_classes % int(size) if n_classes >= size else n_classes
        return np.asarray(view.e[:, :whole].sum(axis=1, keepdims=True))

    return {"sums": sums}


def not_rescaled(view: View) -> Array:
    largest = np.maximum.accumulate(view.x, axis=1)
    return np.asarray(np.exp(view.x - largest).sum(axis=1, keepdims=True))


def not_guarded(view: View) -> Array:
    return np.where(view.x[:, :1] == -np.inf, view.dtype.type(np.nan), row_sums(view))


def one_by_one_in_half_precision(view: View) -> Array:
    return np.cumsum(view.e.astype(np.float16), axis=1, dtype=np.float16)[:, -1:].astype(view.dtype)


def one_by_one(view: View) -> Array:
    return np.cumsum(view.e, axis=1, dtype=view.dtype)[:, -1:]


def only_the_owner(shards: float) -> Changes:
    def gradient(view: View) -> Array:
        n_classes = view.problem.n_classes
        worker = np.arange(n_classes) // -(-n_classes // int(shards))
        owner = worker[view.t[:, :n_classes].argmax(axis=1)][:, None] == worker
        return np.where(owner, probabilities_less_targets(view)[:, :n_classes], 0)

    return {"gradient": gradient}


def _excesses(observations: Sequence[Observation]) -> list[float]:
    rows = single_rows(observations)[:3]
    return [float(seen.loss.sum() - seen.true_loss.sum()) for seen in rows]


DEFECTS = (
    fixed("whole_matrix_sum", sums=sum_of_all),
    fixed("softmax_over_the_batch", shift=largest_of_columns, sums=sums_of_columns),
    Defect(
        "reduced_twice",
        multiplied,
        "factor",
        factors,
        neutral=1.0,
        said="S = {0} sum_j exp(d_j), and every p_j is 1/{0} of what it is",
    ),
    Defect("epsilon_in_sum", increased, "epsilon", epsilons, said="p_j = exp(d_j)/(S + {0}), whose sum is S/(S + {0})"),
    listed("zero_padded_lanes", "block", BLOCKS, lambda block: padded(int(block), 0.0)),
    *(contents_of_lanes(block) for block in BLOCKS),
    listed("last_block_dropped", "block", BLOCKS, only_whole_blocks, DROPPED),
    fixed("online_without_rescaling", sums=not_rescaled),
    fixed("online_without_guard", sums=not_guarded),
    coarse("half_precision_sum", "float16", sums=one_by_one_in_half_precision),
    fixed("half_precision_sum", sums=one_by_one),
    listed("sharded_gradient", "workers", (2, 4, 8), only_the_owner),
)
