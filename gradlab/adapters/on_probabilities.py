"""`probabilities:file.py:softmax,backward,cross_entropy`: a softmax, its backward pass, and a loss of probabilities.

`softmax(logits)` returns p, (N, K); `cross_entropy(p, targets)` the loss and its gradient by p, (N, K); and
`backward(p, upstream)` the gradient by the logits, from that by p. They are called one after the other. Whatever the
pieces do, p_y may underflow where the loss does not, so that a loss of probabilities alone cannot be stable.
"""

from __future__ import annotations

from typing import Any

from gradlab.adapters.pieces import pieces_at
from gradlab.evaluation.foreign import pair_of
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, standing_for

PIECES = "softmax,backward,cross_entropy"


def resolve(reference: str, target: str) -> Found:
    """What a target `probabilities:reference` stands for. Raises TargetError where that is nothing."""
    softmax, backward, cross_entropy = pieces_at(reference, target, PIECES)

    def call(logits: Array, targets: Array, **options: Any) -> tuple[Any, Any]:
        p = softmax.function(logits)
        pair = pair_of(cross_entropy.function(p, targets, **options))
        if pair is None:
            raise TypeError("a loss of probabilities must return (loss, gradient by the probabilities)")
        return pair[0], backward.function(p, pair[1])

    return standing_for(cross_entropy, call, {})
