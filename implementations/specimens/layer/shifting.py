"""What is done before and after exp: shifts, logarithms, and over what probabilities sum to 1."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._pipeline import TILES, Array, Given, Softmax, logits, losses
from ._specimen import LayerSpecimen


def _largest_of_all(given: Given, z: Array) -> Array:
    return np.asarray(z.max())


def _nothing(given: Given, z: Array) -> Array:
    return np.zeros((1, 1), dtype=z.dtype)


def _largest_of_each_class(given: Given, z: Array) -> Array:
    return np.asarray(z.max(axis=0, keepdims=True))


def _first_of_each_row(given: Given, z: Array) -> Array:
    return z[:, :1]


def _smallest_of_each_row(given: Given, z: Array) -> Array:
    return np.asarray(z.min(axis=1, keepdims=True))


def _mean_of_each_row(given: Given, z: Array) -> Array:
    return np.asarray(z.mean(axis=1, keepdims=True))


def _mean_of_all(given: Given, z: Array) -> Array:
    return np.asarray(z.mean())


def _largest_of_the_first_row(given: Given, z: Array) -> Array:
    return np.asarray(z[0].max())


def _largest_of_the_first_half(given: Given, z: Array) -> Array:
    return np.asarray(z[:, : max(z.shape[1] // 2, 1)].max(axis=1, keepdims=True))


def _largest_of_the_longer_half(given: Given, z: Array) -> Array:
    return np.asarray(z[:, : (z.shape[1] + 1) // 2].max(axis=1, keepdims=True))


def _largest_of_more_than_half(given: Given, z: Array) -> Array:
    return np.asarray(z[:, : z.shape[1] // 2 + 1].max(axis=1, keepdims=True))


def _last_of_each_row(given: Given, z: Array) -> Array:
    return z[:, -1:]


def _largest_size(given: Given, z: Array) -> Array:
    return np.asarray(np.abs(z).max(axis=1, keepdims=True))


def _sums_not_rescaled(tile: int) -> Callable[[Given, Array], Array]:
    """The sum of a tile is of exponentials over the largest logit so far, and stays so when that grows."""

    def stage(given: Given, e: Array) -> Array:
        z = logits(given)
        starts = np.arange(0, z.shape[1], tile)
        so_far = np.maximum.accumulate(np.maximum.reduceat(z, starts, axis=1), axis=1)
        return np.asarray(np.exp(z - np.repeat(so_far, tile, axis=1)[:, : z.shape[1]]).sum(axis=1, keepdims=True))

    return stage


def _shift_not_added_back(given: Given, softmax: Softmax) -> Array:
    return np.asarray(np.log(softmax.totals[:, 0]) - logits(given)[given.rows, given.safe_labels])


def _sum_of_shifted(given: Given, e: Array) -> Array:
    """By which the exponentials of logits as they are would have to be divided: exp(z)/sum exp(z - max z)."""
    return np.asarray(e.sum(axis=1, keepdims=True) * np.exp(-logits(given).max(axis=1, keepdims=True)))


def _sum_of_all(given: Given, e: Array) -> Array:
    return np.full((len(e), 1), e.sum(), dtype=e.dtype)


def _sum_of_each_class(given: Given, e: Array) -> Array:
    return np.broadcast_to(e.sum(axis=0, keepdims=True), e.shape)


def _log_of_probabilities(given: Given, softmax: Softmax) -> Array:
    return np.asarray(-np.log(softmax.probabilities[given.rows, given.safe_labels]))


def _one_hot_times_log(given: Given, softmax: Softmax) -> Array:
    one_hot = (given.safe_labels[:, None] == np.arange(softmax.probabilities.shape[1])).astype(given.X.dtype)
    return np.asarray(-(one_hot * np.log(softmax.probabilities)).sum(axis=1))


def _one_hot_times_log_softmax(given: Given, softmax: Softmax) -> Array:
    """The same of log p worked out well, which is -inf for a class that is masked alone."""
    one_hot = (given.safe_labels[:, None] == np.arange(softmax.probabilities.shape[1])).astype(given.X.dtype)
    return np.asarray(-(one_hot * (softmax.shifted - np.log(softmax.totals))).sum(axis=1))


def _log_beside_epsilon(epsilon: float) -> Callable[[Given, Softmax], Array]:
    def stage(given: Given, softmax: Softmax) -> Array:
        p = softmax.probabilities[given.rows, given.safe_labels]
        return np.asarray(-np.log(p + given.scalar(epsilon)))

    return stage


def _log_to_base(base: float, natural: Callable[[Given, Softmax], Array]) -> Callable[[Given, Softmax], Array]:
    return lambda given, softmax: np.asarray(natural(given, softmax) / given.scalar(np.log(base)))


def _all_classes(given: Given, softmax: Softmax) -> Array:
    """Binary cross-entropy of every class, on the probabilities of the softmax."""
    p = softmax.probabilities
    t = np.zeros_like(p)
    t[given.rows, given.safe_labels] = 1
    one = given.scalar(1)
    return np.asarray(-(t * np.log(p) + (one - t) * np.log(one - p)).sum(axis=1))


_ALL = ("loss", "dX", "dW", "db")

SPECIMENS = (
    LayerSpecimen(
        "global_shift",
        "The largest logit of the batch is subtracted, not that of each row.",
        "exp(z - max over the batch) is 0 in all of a row that lies far below: 0/0",
        "d = z - z.max(axis=1, keepdims=True)",
        {"shift": _largest_of_all},
        _ALL,
        "dw_of_the_layer_is_right",
        "the third of four teaching codes",
    ),
    LayerSpecimen(
        "no_shift",
        "exp of the logits as they are.",
        "exp overflows from 89 on in float32, and inf/inf is NaN",
        "d = z - z.max(axis=1, keepdims=True)",
        {"shift": _nothing},
        _ALL,
        "dw_of_the_layer_is_right",
        "the fourth of four teaching codes",
    ),
    LayerSpecimen(
        "shift_over_the_examples",
        "The largest logit of each class over the batch is subtracted: axis 0 in place of 1.",
        "the shift differs between the classes of a row, and changes its softmax",
        "d = z - z.max(axis=1, keepdims=True)",
        {"shift": _largest_of_each_class},
        _ALL,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "shift_by_another_logit",
        "The mean of a row is subtracted, not its largest logit.",
        "exp(z - mean z) overflows where one logit lies far above the others, and inf/inf is NaN",
        "d = z - z.max(axis=1, keepdims=True)",
        {"shift": _mean_of_each_row},
        _ALL,
        "dw_of_the_layer_is_right",
        variants=tuple(
            {"shift": one}
            for one in (
                _first_of_each_row,
                _last_of_each_row,
                _smallest_of_each_row,
                _mean_of_all,
                _largest_of_the_first_row,
                _largest_of_the_first_half,
                _largest_of_the_longer_half,
                _largest_of_more_than_half,
                _largest_size,
            )
        ),
    ),
    LayerSpecimen(
        "shift_not_added_back",
        "log sum exp of the shifted logits less the label's logit as it is.",
        "l = log sum exp(z - m) - z_y in place of m + log sum exp(z - m) - z_y",
        "subtract the shifted logit of the label",
        {"losses": _shift_not_added_back},
        ("loss",),
        "loss_of_the_layer_is_right",
        variants=({"losses": _shift_not_added_back, "totals": _sum_of_shifted}, {"totals": _sum_of_shifted}),
    ),
    LayerSpecimen(
        "running_sum_not_rescaled",
        "Online softmax: where the largest logit grows, the sum so far is not multiplied by exp(m_old - m_new).",
        "the terms of the sum are relative to different shifts",
        "s = s * exp(m_old - m_new) + exp(z - m_new).sum()",
        {"totals": _sums_not_rescaled(1)},
        _ALL,
        "dw_of_the_layer_is_right",
        variants=tuple({"totals": _sums_not_rescaled(tile)} for tile in TILES),
        at_sizes=(lambda size: {"totals": _sums_not_rescaled(size)},),
        cut="classes",
    ),
    LayerSpecimen(
        "normalised_over_the_batch",
        "The exponentials are divided by their sum over the whole batch.",
        "p_ij = exp z_ij / sum over i and j in place of the sum over j",
        "e / e.sum(axis=1, keepdims=True)",
        {"shift": _largest_of_all, "totals": _sum_of_all},
        _ALL,
        "dw_of_the_layer_is_right",
        "the second of four teaching codes",
    ),
    LayerSpecimen(
        "normalised_over_the_batch_unshifted",
        "The same, and exp of the logits as they are.",
        "p_ij = exp z_ij / sum over i and j, which overflows",
        "e / e.sum(axis=1, keepdims=True)",
        {"shift": _nothing, "totals": _sum_of_all},
        _ALL,
        "dw_of_the_layer_is_right",
    ),
    LayerSpecimen(
        "normalised_over_the_examples",
        "The exponentials are divided by their sum over the examples: axis 0 in place of 1.",
        "p_ij = exp z_ij / sum_i exp z_ij",
        "e / e.sum(axis=1, keepdims=True)",
        {"totals": _sum_of_each_class, "losses": _log_of_probabilities},
        _ALL,
        "dw_of_the_layer_is_right",
        variants=tuple(
            {"shift": shift, "totals": _sum_of_each_class, "losses": losses}
            for shift in (_largest_of_each_class, _largest_of_all, _nothing)
            for losses in (_log_of_probabilities, _log_beside_epsilon(1e-12), _log_beside_epsilon(1e-7))
        ),
    ),
    LayerSpecimen(
        "unprotected_log",
        "The logarithm of the label's probability, which may be 0.",
        "-log p_y is inf from a margin of 104 on in float32, and loses digits where p_y is near 1",
        "losses = log(exp(d).sum(axis=1)) - d[range(N), y]; the loss is their mean, or sum, without a minus",
        {"losses": _log_of_probabilities},
        ("loss",),
        "loss_of_the_layer_is_right",
        "the third of four teaching codes; CS231n solutions",
    ),
    LayerSpecimen(
        "one_hot_times_log",
        "The one-hot rows times the logarithm of every probability.",
        "0 log 0 is NaN: a class whose log p is -inf makes the loss NaN, also where the label is the sure winner",
        "losses = log(exp(d).sum(axis=1)) - d[range(N), y]; the loss is their mean, or sum, without a minus",
        {"losses": _one_hot_times_log},
        ("loss",),
        "loss_of_the_layer_is_right",
        "the third and the fourth of four teaching codes",
        variants=({"losses": _one_hot_times_log_softmax},),
    ),
    LayerSpecimen(
        "epsilon_in_log",
        "-log(p_y + 1e-12).",
        "the loss is at most -log epsilon, 27.6 for 1e-12, and its gradient is another one",
        "losses = log(exp(d).sum(axis=1)) - d[range(N), y]; the loss is their mean, or sum, without a minus",
        {"losses": _log_beside_epsilon(1e-12)},
        ("loss",),
        "loss_of_the_layer_is_right",
        variants=tuple({"losses": _log_beside_epsilon(one)} for one in (1e-30, 1e-20, 1e-16, 1e-15, 1e-10, 1e-9)),
    ),
    LayerSpecimen(
        "large_epsilon_in_log",
        "-log(p_y + 1e-7).",
        "the loss is at most -log epsilon, 16.1 for 1e-7, and its gradient is another one",
        "losses = log(exp(d).sum(axis=1)) - d[range(N), y]; the loss is their mean, or sum, without a minus",
        {"losses": _log_beside_epsilon(1e-7)},
        ("loss",),
        "loss_of_the_layer_is_right",
        "textbooks that write layers from scratch",
        variants=tuple({"losses": _log_beside_epsilon(one)} for one in (1e-8, 1e-6, 1e-5, 1e-4, 1e-3)),
    ),
    LayerSpecimen(
        "loss_in_bits",
        "The logarithm to base 2, or 10, in the loss, and the gradients of the natural one.",
        "loss/log 2, or loss/log 10",
        "np.log in place of np.log2",
        {"losses": _log_to_base(2, losses)},
        ("loss",),
        "loss_of_the_layer_is_right",
        variants=(
            {"losses": _log_to_base(10, losses)},
            {"losses": _log_to_base(2, _log_of_probabilities)},
            {"losses": _log_to_base(10, _log_of_probabilities)},
        ),
    ),
    LayerSpecimen(
        "binary_loss_of_every_class",
        "The binary cross-entropy of every class on a softmax, with the gradient p - t.",
        "loss = -sum_j t_j log p_j + (1 - t_j) log(1 - p_j)",
        "the label's term alone",
        {"losses": _all_classes},
        ("loss",),
        "loss_of_the_layer_is_right",
    ),
)
