"""What a backward pass does with the upstream gradient of a loss that is one number, and what it leaves behind."""

from __future__ import annotations

from ._right import Answer, Array, minus_one_hot, reduced, row_losses, softmax
from ._specimen import Specimen, claims_of


def upstream_of_the_loss_ignored(
    logits: Array, labels: Array, *, upstream: float = 1.0, backward: str = "once", vector: Array | None = None
) -> Answer:
    """The backward pass returns the gradient that the forward pass has kept, whatever arrives."""
    return reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), "mean")


def kept_gradient_scaled_in_place(
    logits: Array, labels: Array, *, upstream: float = 1.0, backward: str = "once", vector: Array | None = None
) -> Answer:
    """The gradient that the forward pass has kept is multiplied where it lies: a second pass finds it multiplied."""
    loss, gradient = reduced(row_losses(logits, labels), minus_one_hot(softmax(logits), labels), "mean")
    for _ in range(2 if backward == "twice" else 1):
        gradient *= logits.dtype.type(upstream)
    return loss, gradient


SPECIMENS = (
    Specimen(
        upstream_of_the_loss_ignored,
        wrong="backward returns g, and not v g, for the upstream gradient v of the loss",
        mend="multiply by the gradient that arrives: it is 1 only where the loss is the last thing computed",
        logits=[[0, 0]],
        labels=[0],
        killed_by="upstream_gradient_multiplies_the_gradient",
        seen="pytorch #94226; NeMo Automodel #3853",
        claims={"backward": ["scaled"]},
    ),
    Specimen(
        kept_gradient_scaled_in_place,
        wrong="a second pass through the same graph returns v v g",
        mend="multiply out of place, or keep the gradient itself as it was",
        logits=[[0, 0]],
        labels=[0],
        killed_by="second_backward_pass_gives_the_same_gradient",
        seen="Liger-Kernel #968",
        claims={"backward": ["scaled", "twice"]},
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
