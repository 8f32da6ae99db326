"""Sample weights, the upstream gradient, and the mean over weighted rows: forgotten, doubled, or in another place."""

from __future__ import annotations

from ..every_option import every_option
from ._right import Answer, Array
from ._specimen import Specimen, claims_of


def sample_weights_missing_in_gradient(
    logits: Array, labels: Array, reduction: str = "mean", sample_weights: Array | None = None
) -> Answer:
    """The losses are weighted, and the gradient is not."""
    loss, _ = every_option(logits, labels, reduction=reduction, sample_weights=sample_weights)
    return loss, every_option(logits, labels, reduction=reduction)[1]


def sample_weights_ignored(
    logits: Array, labels: Array, reduction: str = "mean", sample_weights: Array | None = None
) -> Answer:
    """The weights are accepted, and ignored."""
    return every_option(logits, labels, reduction=reduction)


def sample_weighted_by_count(logits: Array, labels: Array, sample_weights: Array | None = None) -> Answer:
    """The mean of weighted losses divides by N, where the sum of the weights is claimed."""
    return every_option(logits, labels, sample_weights=sample_weights, mean_over="number_of_rows")


def sample_weights_divided_out(logits: Array, labels: Array, sample_weights: Array | None = None) -> Answer:
    """The mean of weighted losses divides by the sum of the weights, where N is claimed."""
    return every_option(logits, labels, sample_weights=sample_weights, mean_over="sum_of_weights")


def sample_weights_squared(
    logits: Array, labels: Array, reduction: str = "mean", sample_weights: Array | None = None
) -> Answer:
    """Each row is multiplied by its weight twice, in the coefficients and again in the reduction."""
    if sample_weights is None:
        return every_option(logits, labels, reduction=reduction)
    total = sample_weights.sum() if reduction == "mean" else logits.dtype.type(1)
    own = sample_weights * sample_weights / total
    reduced = "sum" if reduction == "mean" else reduction
    return every_option(logits, labels, reduction=reduced, sample_weights=own)


def sample_weights_after_the_mean(logits: Array, labels: Array, sample_weights: Array | None = None) -> Answer:
    """The mean of the losses is taken first, and then weighted: times the mean of the weights."""
    loss, gradient = every_option(logits, labels)
    if sample_weights is None:
        return loss, gradient
    return loss * sample_weights.mean(), gradient * sample_weights.mean()


def epsilon_in_denominator(logits: Array, labels: Array, sample_weights: Array | None = None) -> Answer:
    """1e-8 is added to the sum of the weights, against a division by 0: it counts where all weights are small."""
    if sample_weights is None:
        return every_option(logits, labels)
    loss, gradient = every_option(logits, labels, reduction="sum", sample_weights=sample_weights)
    total = sample_weights.sum() + logits.dtype.type(1e-8)
    return loss / total, gradient / total


def upstream_in_loss(logits: Array, labels: Array, upstream: Array | None = None) -> Answer:
    """The losses are multiplied by the upstream gradient too."""
    losses, gradient = every_option(logits, labels, reduction="none", upstream=upstream)
    return (losses if upstream is None else losses * upstream), gradient


def upstream_ignored(logits: Array, labels: Array, upstream: Array | None = None) -> Answer:
    """The gradient is that of the losses, whatever the upstream gradient is."""
    return every_option(logits, labels, reduction="none")


def upstream_summed(logits: Array, labels: Array, upstream: Array | None = None) -> Answer:
    """Every row is multiplied by the sum of the upstream gradients of all rows."""
    losses, gradient = every_option(logits, labels, reduction="none")
    return losses, gradient if upstream is None else gradient * upstream.sum()


def upstream_first_for_all(logits: Array, labels: Array, upstream: Array | None = None) -> Answer:
    """Every row is multiplied by the upstream gradient of the first row, as if it were the same for all."""
    losses, gradient = every_option(logits, labels, reduction="none")
    return losses, gradient if upstream is None or not len(upstream) else gradient * upstream[0]


WEIGHTS = {"options": ["sample_weights"]}
ABOVE = {"reduction": ["none"], "options": ["upstream"]}

SPECIMENS = (
    Specimen(
        sample_weights_missing_in_gradient,
        wrong="loss_i = s_i (-log p_y), and g_i = p - one_hot(y) without s_i",
        mend="multiply row i of the gradient by s_i",
        logits=[[0, 0], [0, 0]],
        labels=[0, 1],
        options={"sample_weights": (0.5, 2.0)},
        killed_by="sample_weights_are_as_defined",
        claims=WEIGHTS,
    ),
    Specimen(
        sample_weights_ignored,
        wrong="loss_i = -log p_y and g_i = p - one_hot(y), both without s_i, also in the mean's denominator",
        mend="multiply the loss and the gradient of row i by s_i",
        logits=[[0, 0], [0, 0]],
        labels=[0, 1],
        options={"sample_weights": (0.5, 2.0)},
        killed_by="sample_weights_are_as_defined",
        claims=WEIGHTS,
    ),
    Specimen(
        sample_weighted_by_count,
        wrong="loss = (1/N) sum_i s_i loss_i; as claimed it is sum_i s_i loss_i / sum_i s_i",
        mend="divide by the sum of the weights, or claim mean_over number_of_rows",
        logits=[[0, 0]],
        labels=[0],
        options={"sample_weights": (2.0,)},
        killed_by="mean_is_over_what_is_claimed",
        claims=WEIGHTS,
    ),
    Specimen(
        sample_weights_divided_out,
        wrong="loss = sum_i s_i loss_i / sum_i s_i; as claimed it is (1/N) sum_i s_i loss_i",
        mend="divide by the number of rows, or claim mean_over sum_of_weights",
        logits=[[0, 0]],
        labels=[0],
        options={"sample_weights": (2.0,), "mean_over": "number_of_rows"},
        killed_by="mean_is_over_what_is_claimed",
        claims={**WEIGHTS, "mean_over": "number_of_rows"},
    ),
    Specimen(
        sample_weights_squared,
        wrong="loss_i = s_i^2 (-log p_y)",
        mend="multiply each row by its weight once",
        logits=[[0, 0], [0, 0]],
        labels=[0, 1],
        options={"sample_weights": (0.5, 2.0)},
        killed_by="sample_weights_are_as_defined",
        claims=WEIGHTS,
    ),
    Specimen(
        sample_weights_after_the_mean,
        wrong="loss = mean(s) mean_i(loss_i): each row counts alike",
        mend="multiply the rows' own losses, from reduction none, and reduce after that",
        logits=[[0, 0], [1, 0]],
        labels=[0, 0],
        options={"sample_weights": (0.5, 2.0)},
        killed_by="sample_weights_are_as_defined",
        claims=WEIGHTS,
    ),
    Specimen(
        epsilon_in_denominator,
        wrong="loss = sum_i s_i loss_i / (sum_i s_i + 1e-8)",
        mend="divide by the sum itself; where it is 0 the mean is 0/0, to be told apart from a mean of 0",
        logits=[[0, 0]],
        labels=[0],
        options={"sample_weights": (2.0**-20,)},
        killed_by="mean_is_over_what_is_claimed",
        claims=WEIGHTS,
    ),
    Specimen(
        upstream_in_loss,
        wrong="loss_i = v_i (-log p_y); the upstream gradient is for the gradient alone",
        mend="multiply row i of the gradient by v_i, and return the losses as they are",
        logits=[[0, 0]],
        labels=[0],
        options={"reduction": "none", "upstream": (2.0,)},
        killed_by="upstream_is_as_defined",
        claims=ABOVE,
    ),
    Specimen(
        upstream_ignored,
        wrong="g_i = p - one_hot(y); the derivative of sum_i v_i loss_i has v_i in row i",
        mend="multiply row i of the gradient by v_i",
        logits=[[0, 0]],
        labels=[0],
        options={"reduction": "none", "upstream": (2.0,)},
        killed_by="upstream_is_as_defined",
        claims=ABOVE,
    ),
    Specimen(
        upstream_summed,
        wrong="g_i = (sum_k v_k) (p - one_hot(y)), for every row alike",
        mend="multiply row i of the gradient by v_i, its own number",
        logits=[[0, 0], [0, 0]],
        labels=[0, 1],
        options={"reduction": "none", "upstream": (2.0, -1.0)},
        killed_by="upstream_is_as_defined",
        claims=ABOVE,
    ),
    Specimen(
        upstream_first_for_all,
        wrong="g_i = v_0 (p - one_hot(y)), for every row alike",
        mend="multiply row i of the gradient by v_i; only after a mean or a sum all v_i are the same",
        logits=[[0, 0], [0, 0]],
        labels=[0, 1],
        options={"reduction": "none", "upstream": (2.0, -1.0)},
        killed_by="upstream_is_as_defined",
        claims=ABOVE,
    ),
)

CLAIMS = claims_of(SPECIMENS)
__all__ = list(CLAIMS)
