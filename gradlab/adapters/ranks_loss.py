"""`ranks:2:file.py:loss`: a loss whose classes are spread over 2, 3 or 4 processes, as of a vocabulary in parallel.

The loss is a function of (logits, labels, group) in each process: its shard of the logits (N, K / ranks), a tensor; the
labels (N,), of all classes; and the group, of torch.distributed with gloo. It returns the loss, which torch
differentiates by the shard, or (loss, gradient of the shard), as tensors. The first class of a shard is the rank times
its number of classes. Where K does not divide, logits of -inf are added at the end, as vocabularies are padded.

What is judged is the whole: the gradients of the shards beside each other, and the loss that all ranks agree on.
"""

from __future__ import annotations

import inspect
import os
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.adapters.differentiation import KEYWORDS, ONCE, BackwardPass, with_keywords
from gradlab.adapters.rank_processes import Ranked, RankError, RankProcesses
from gradlab.adapters.rank_program import RankAnswer, RankQuestion
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, callable_for, standing_for
from gradlab.targets.importing import TargetError

NEEDS = {"torch": "torch"}
SIZES = (2, 3, 4)
SLACK = 8  # units in the last place: ranks may add the same terms in another order
WAYS = ("scaled", "twice", "accumulated", "detached")
GROUP = 2  # the place of the group among the parameters


def resolve(reference: str, target: str) -> Found:
    """What a target `ranks:N:reference` stands for. Raises TargetError where that is nothing."""
    number, _, place = reference.partition(":")
    if number not in map(str, SIZES) or not place:
        known = ", ".join(map(str, SIZES))
        raise TargetError(f"{target} must be ranks:N:module:callable or ranks:N:file.py:callable, N one of {known}")
    given = replace(callable_for(f"ranks:{number}", (), place), target=target)
    ranks = RankProcesses(Ranked(int(number), place, os.getcwd()))
    is_pair = ranks.returns_a_pair()

    def call(
        logits: Array,
        targets: Array,
        *,  # what is asked of the backward pass, apart from the loss's own options
        upstream: Array | None = None,
        backward: str = ONCE,
        vector: Array | None = None,
        **options: Any,
    ) -> tuple[Array, Array]:
        asked = BackwardPass(upstream, backward, vector)
        return loss_and_gradient(ranks, RankQuestion(logits, targets, options, asked))

    standing = standing_for(given, call, {} if is_pair else {"backward": WAYS})
    with suppress(TypeError, ValueError):  # a callable whose signature is not known
        signature = _without_group(inspect.signature(given.function))
        call.__signature__ = signature if is_pair else with_keywords(signature, KEYWORDS)  # type: ignore[attr-defined]  # of any function
    return standing if is_pair else replace(standing, takes=("upstream",))


def _without_group(signature: inspect.Signature) -> inspect.Signature:
    """The signature of a loss (logits, labels, group, ...) without its third parameter."""
    kept = [one for place, one in enumerate(signature.parameters.values()) if place != GROUP]
    return signature.replace(parameters=kept)


def loss_and_gradient(ranks: RankProcesses, whole: RankQuestion) -> tuple[Array, Array]:
    """The loss, and the gradient (N, K), that the ranks answer to a question of all classes.

    Raises RankError where a rank does not answer, where they disagree on the loss, and where the gradient of a class
    that pads the vocabulary is not 0; ValueError where the logits have no classes in their second axis.
    """
    if whole.logits.ndim != 2:
        raise ValueError(f"logits must have shape (N, K), got {whole.logits.shape}")
    n_classes = whole.logits.shape[1]
    logits = _shards(whole.logits, ranks.size, -np.inf)
    targets = [whole.targets] * ranks.size if whole.targets.ndim == 1 else _shards(whole.targets, ranks.size, 0)
    questions = [replace(whole, logits=shard, targets=theirs) for shard, theirs in zip(logits, targets, strict=True)]
    answers = ranks.ask(questions)
    for rank, (answer, shard) in enumerate(zip(answers, logits, strict=True)):
        if answer.gradient.shape != shard.shape:
            raise RankError(f"rank {rank} must return a gradient of shape {shard.shape}, got {answer.gradient.shape}")
    gradient = np.concatenate([answer.gradient for answer in answers], axis=1)
    if np.any(gradient[:, n_classes:] != 0):
        raise RankError("the gradient of a class whose logits are -inf in all rows must be 0, and is not")
    return _loss_of_all(answers), gradient[:, :n_classes]


def _shards(whole: Array, size: int, padding: float) -> list[Array]:
    """So many shards of equal numbers of classes, each in memory of its own; padding: of the classes that are added."""
    n_classes = -(-whole.shape[1] // size)
    padded = np.full((len(whole), n_classes * size), padding, whole.dtype)
    padded[:, : whole.shape[1]] = whole
    return [padded[:, rank * n_classes : (rank + 1) * n_classes].copy() for rank in range(size)]


def _loss_of_all(answers: list[RankAnswer]) -> Array:
    """The loss of rank 0, which is that of all. Raises RankError where another one has another."""
    first = answers[0].loss
    for rank, answer in enumerate(answers):
        if answer.loss.shape != first.shape:
            raise RankError(f"the losses of ranks 0 and {rank} have shapes {first.shape} and {answer.loss.shape}")
        own, other = (one.astype(np.float64).reshape(-1) for one in (first, answer.loss))
        with np.errstate(invalid="ignore"):
            unit = np.spacing(np.maximum(abs(first), abs(answer.loss))).astype(np.float64).reshape(-1)
            differ = ~((own == other) | (abs(own - other) <= SLACK * unit) | (np.isnan(own) & np.isnan(other)))
        if differ.any():
            row = int(differ.argmax())
            raise RankError(
                f"the ranks must agree on the loss: rank 0 has {own[row]:.9g}, rank {rank} {other[row]:.9g}"
            )
    return first
