"""`pair:file.py:loss,gradient`: a function for the loss and another for its gradient, both of (logits, targets)."""

from __future__ import annotations

from typing import Any

from gradlab.adapters.pieces import pieces_at
from gradlab.problems.problem import Array
from gradlab.targets.callables import Found, standing_for


def resolve(reference: str, target: str) -> Found:
    """What a target `pair:reference` stands for; both get the same arrays and options. Raises TargetError."""
    loss, gradient = pieces_at(reference, target, "loss,gradient")

    def call(logits: Array, targets: Array, **options: Any) -> tuple[Any, Any]:
        return loss.function(logits, targets, **options), gradient.function(logits, targets, **options)

    return standing_for(loss, call, {})
