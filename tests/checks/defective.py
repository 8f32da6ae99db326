"""One deliberately wrong implementation for each check, and the claims under which it is held to it."""

from __future__ import annotations

import itertools

import numpy as np

from gradlab.implementations.every_option import every_option
from gradlab.implementations.log_space import log_space
from gradlab.implementations.shifted import shifted
from gradlab.implementations.specimens.second_order import (
    hessian_diagonal_alone,
    hessian_of_gradients,
    hessian_outer_alone,
    product_mean_for_dot,
    product_sum_for_dot,
)
from gradlab.implementations.textbook import textbook

_calls = itertools.count()
_buffers: dict[tuple[int, ...], np.ndarray] = {}
_seen: list[tuple[int, ...]] = [()]


def returns_only_the_loss(logits, labels):
    return shifted(logits, labels)[0]


def changes_the_dtype(logits, labels):
    loss, gradient = shifted(logits, labels)
    return loss, gradient.astype(np.float64 if logits.dtype == np.float32 else np.float32)


def shifts_in_place(logits, labels):
    logits -= logits.max(axis=1, keepdims=True)
    return shifted(logits, labels)


def turns_warnings_off(logits, labels):
    answer = shifted(logits, labels)
    np.seterr(over="ignore" if np.geterr()["over"] == "warn" else "warn")
    return answer


def reuses_its_buffer(logits, labels):
    loss, gradient = shifted(logits, labels)
    buffer = _buffers.setdefault((*gradient.shape, gradient.itemsize), gradient)
    buffer[...] = gradient
    return loss, buffer


def reads_labels_as_64_bits(logits, labels):
    raw = np.frombuffer(labels.tobytes().ljust(8 * labels.size, b"\0"), dtype=np.int64)
    return shifted(logits, raw[: labels.size] % logits.shape[1])


def alternates(logits, labels):
    loss, gradient = shifted(logits, labels)
    return loss, gradient * gradient.dtype.type(1 + 1e-6 * (next(_calls) % 2))


def skips_a_row_behind_a_block(logits, labels):
    loss, gradient = shifted(logits, labels)
    if len(logits) % 256 == 1 and len(logits) > 256:
        gradient[-1] = 0
    return loss, gradient


def hands_out_four_buffers_in_turn(logits, labels):
    loss, gradient = shifted(logits, labels)
    if gradient.size < 1000:
        return loss, gradient
    turn = next(_calls) % 4
    buffer = _buffers.setdefault((*gradient.shape, gradient.itemsize, turn), gradient)
    buffer[...] = gradient
    return loss, buffer


def remembers_the_last_shape(logits, labels):
    loss, gradient = shifted(logits, labels)
    changed = _seen[0] != logits.shape
    _seen[0] = logits.shape
    return loss * (2 if changed else 1), gradient


def assumes_rows_in_memory_order(logits, labels):
    return shifted(logits.ravel(order="K").reshape(logits.shape), labels)


def ignores_byte_order(logits, labels):
    return shifted(logits.view(logits.dtype.newbyteorder("=")), labels)


def divides_by_classes_less_one(logits, labels):
    loss, gradient = shifted(logits, labels)
    with np.errstate(all="ignore"):
        return loss / np.float32(logits.shape[1] > 1), gradient


def empty_batch_costs_nothing(logits, labels):
    loss, gradient = shifted(logits, labels)
    return (loss if len(logits) else 0.0), gradient


def wraps_labels(logits, labels):
    return shifted(logits, np.asarray(labels).astype(int) % logits.shape[1])


def broadcasts_labels(logits, labels):
    return shifted(np.atleast_2d(logits), np.resize(labels, np.atleast_2d(logits).shape[0]))


def prints(logits, labels):
    print("softmax of", logits.shape)
    return shifted(logits, labels)


def gradient_is_p(logits, labels):
    loss, gradient = shifted(logits, labels)
    gradient[np.arange(len(logits)), labels] += gradient.dtype.type(1 / len(logits))
    return loss, gradient


def sign_flipped(logits, labels):
    loss, gradient = shifted(logits, labels)
    return loss, -gradient


def loss_less_one(logits, labels):
    loss, gradient = shifted(logits, labels)
    return loss - 1, gradient


def with_weight_decay(logits, labels):
    loss, gradient = shifted(logits, labels)
    half = logits / 2
    return loss + (half * half).mean() / 64, gradient + half / (logits.size * 64)


def log_sum_exp_less_target(logits, labels):
    largest = logits.max(axis=1, keepdims=True)
    lse = largest[:, 0] + np.log(np.exp(logits - largest).sum(axis=1))
    return (lse - logits[np.arange(len(logits)), labels]).mean(), shifted(logits, labels)[1]


def weighted_by_row(logits, labels):
    loss, gradient = shifted(logits, labels)
    return loss, gradient * np.arange(1, len(logits) + 1, dtype=gradient.dtype)[:, None]


def weighted_by_class(logits, labels):
    loss, gradient = shifted(logits, labels)
    return loss, gradient * np.linspace(1, 2, logits.shape[1], dtype=gradient.dtype)


def softmax_over_the_batch(logits, labels):
    loss, gradient = shifted(logits, labels)
    e = np.exp(logits - logits.max(axis=0))
    return loss, e / e.sum(axis=0) / gradient.dtype.type(max(len(logits), 1)) + 0 * gradient


def gradient_not_divided(logits, labels):
    loss, gradient = shifted(logits, labels)
    return loss, gradient * gradient.dtype.type(len(logits))


def negated(logits, labels):
    loss, gradient = shifted(logits, labels)
    return -loss, -gradient


def temperature_forgotten(logits, labels):
    loss, gradient = shifted(logits * logits.dtype.type(4), labels)
    return loss, gradient * gradient.dtype.type(4)


def gradient_doubled(logits, labels):
    loss, gradient = shifted(logits, labels)
    return loss, 2 * gradient


def gradient_doubled_in_complex_logits(logits, labels):
    rows = np.arange(len(logits))
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, 2 * p.real / logits.real.dtype.type(len(logits))


def epsilon_in_the_log(logits, labels):
    loss, gradient = shifted(logits, labels)
    return -np.log(np.exp(-loss) + loss.dtype.type(1e-3)), gradient


def almost_one_hot(logits, labels):
    loss, gradient = shifted(logits, labels)
    gradient[np.arange(len(logits)), labels] += gradient.dtype.type(0.001 / len(logits))
    return loss, gradient


def softmax_from_log_sum_exp(logits, labels):
    loss, gradient = shifted(logits, labels)
    largest = logits.max(axis=1, keepdims=True)
    lse = largest + np.log(np.exp(logits - largest).sum(axis=1, keepdims=True))
    gradient = np.exp(logits - lse)
    gradient[np.arange(len(logits)), labels] -= 1
    return loss, gradient / gradient.dtype.type(max(len(logits), 1))


def one_hot_times_log(logits, labels):
    _, gradient = shifted(logits, labels)
    d = logits - logits.max(axis=1, keepdims=True)
    log_p = d - np.log(np.exp(d).sum(axis=1, keepdims=True))
    one_hot = np.eye(logits.shape[1], dtype=logits.dtype)[labels]
    return -(one_hot * log_p).sum() / logits.dtype.type(len(logits)), gradient


def nan_becomes_zero(logits, labels):
    loss, gradient = shifted(logits, labels)
    return loss, np.nan_to_num(gradient)


def nan_in_one_entry(logits, labels):
    """Where a row has no value only its first entry is NaN."""
    loss, gradient = shifted(logits, labels)
    lost = np.isnan(gradient).all(axis=1)
    gradient[lost, 1:] = 0
    return loss, gradient


def sum_is_a_mean(logits, labels, reduction):
    return shifted(logits, labels)


def forgets_the_sum_of_targets(logits, targets):
    loss, gradient = every_option(logits, targets)
    sums = targets.sum(axis=1, keepdims=True)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return loss, gradient + (1 - sums) * p / gradient.dtype.type(len(logits))


def smooths_the_others_only(logits, labels, label_smoothing=0.0):
    n_classes = logits.shape[1]
    return every_option(logits, labels, label_smoothing=min(1.0, label_smoothing * n_classes / max(n_classes - 1, 1)))


def weighs_the_mean_by_count(logits, labels, class_weights=None):
    loss, gradient = every_option(logits, labels, class_weights=class_weights, reduction="sum")
    return loss / loss.dtype.type(len(logits)), gradient / gradient.dtype.type(len(logits))


def counts_ignored_rows(logits, labels, ignore_index=None):
    loss, gradient = every_option(logits, labels, ignore_index=ignore_index, reduction="sum")
    return loss / loss.dtype.type(len(logits)), gradient / gradient.dtype.type(len(logits))


def tanh_in_the_slope_is_not_squared(logits, labels, softcap=np.inf):
    if softcap == np.inf:
        return every_option(logits, labels)
    bent = np.tanh(logits / logits.dtype.type(softcap))
    loss, gradient = every_option(logits.dtype.type(softcap) * bent, labels)
    return loss, gradient * (1 - np.abs(bent))


def divides_by_the_temperature_twice(logits, labels, temperature=1.0):
    loss, gradient = every_option(logits, labels, temperature=temperature)
    return loss, gradient / gradient.dtype.type(temperature)


def squares_the_log_sum_exp_of_the_batch_once(logits, labels, z_loss=0.0):
    loss, _ = every_option(logits, labels)
    _, with_term = every_option(logits, labels, z_loss=z_loss)
    lse = np.log(np.exp(logits - logits.max()).sum(axis=1)) + logits.max() if z_loss else logits[:, 0]
    return loss + loss.dtype.type(z_loss) * (lse.mean() ** 2 if z_loss else 0), with_term


def weighs_the_next_row(logits, labels, sample_weights=None):
    weights = None if sample_weights is None else np.roll(sample_weights, 1)
    return every_option(logits, labels, sample_weights=weights, reduction="sum")


def takes_the_size_from_above(logits, labels, upstream=None):
    return every_option(logits, labels, upstream=None if upstream is None else abs(upstream), reduction="none")


def averages_over_rows_with_a_weight(logits, labels, sample_weights=None):
    loss, gradient = every_option(logits, labels, sample_weights=sample_weights, reduction="sum")
    count = loss.dtype.type(len(labels) if sample_weights is None else np.count_nonzero(sample_weights))
    return loss / count, gradient / count


def takes_the_largest_for_the_target(logits, labels, poly_epsilon=0.0):
    loss, gradient = every_option(logits, labels, poly_epsilon=poly_epsilon)
    if not poly_epsilon:
        return loss, gradient
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    surplus = (p.max(axis=1) - p[np.arange(len(p)), labels]).mean()
    return loss - loss.dtype.type(poly_epsilon) * surplus, gradient


def _softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def returns_the_gradient_for_a_hessian(logits, labels):
    return shifted(logits, labels)


def diagonal_doubled(logits, labels):
    p = _softmax(logits)
    return shifted(logits, labels)[0], 2 * p * (1 - p) / p.dtype.type(len(p))


def hessian_times_identity_on_the_wrong_side(logits, labels):
    p = _softmax(logits)
    second = p[:, :, None] * (np.eye(p.shape[1], dtype=p.dtype) - p.dtype.type(1 / p.shape[1]))
    return shifted(logits, labels)[0], second / p.dtype.type(len(p))


def product_by_a_fixed_step(logits, labels, vector):
    p, h = _softmax(logits), logits.dtype.type(1 / 64)
    with np.errstate(all="ignore"):
        moved = _softmax(logits + h * vector)
    return shifted(logits, labels)[0], (moved - p) / (h * p.dtype.type(len(p)))


def target_gradient_doubled(logits, targets):
    loss, _ = every_option(logits, targets)
    return loss, -2 * np.log(_softmax(logits)) / logits.dtype.type(len(logits))


def backward_pass(logits, labels, *, upstream=1.0, backward="once", vector=None):
    """Right, in every way that a backward pass can be asked for."""
    loss, gradient = shifted(logits, labels)
    gradient = gradient * logits.dtype.type(upstream)
    if backward == "double":
        p = _softmax(logits)
        product = p * (vector - (p * vector).sum(axis=1, keepdims=True))
        return loss, product / logits.dtype.type(len(logits))
    return loss, gradient + gradient if backward == "accumulated" else gradient


def ignores_the_upstream_gradient(logits, labels, *, upstream=1.0, backward="once", vector=None):
    return backward_pass(logits, labels, backward=backward, vector=vector)


def keeps_its_first_gradient(
    logits, labels, *, upstream=1.0, backward="once", vector=None, earlier_logits=None, earlier_targets=None
):
    """An instance that adds to the gradient of the batch before."""
    loss, gradient = backward_pass(logits, labels, upstream=upstream)
    if earlier_logits is not None:
        before = backward_pass(earlier_logits, earlier_targets)[1]
        gradient = gradient + before[: len(gradient)]
    return loss, gradient


def scales_in_place(logits, labels, *, upstream=1.0, backward="once", vector=None):
    """The second pass finds the gradient of the first, which was scaled in its place."""
    return backward_pass(logits, labels, upstream=upstream * upstream if backward == "twice" else upstream)


def overwrites_what_is_accumulated(logits, labels, *, upstream=1.0, backward="once", vector=None):
    return backward_pass(logits, labels, upstream=upstream)


def loss_of_nothing_without_gradient(logits, labels, *, upstream=1.0, backward="once", vector=None):
    loss, gradient = backward_pass(logits, labels, upstream=upstream, backward=backward)
    return loss * 0 if backward == "detached" else loss, gradient


def second_derivative_without_its_rank_one_part(logits, labels, *, upstream=1.0, backward="once", vector=None):
    if backward != "double":
        return backward_pass(logits, labels, upstream=upstream, backward=backward)
    return shifted(logits, labels)[0], _softmax(logits) * vector / logits.dtype.type(len(logits))


def gradient_cut_off(logits, labels, *, upstream=1.0, backward="once", vector=None):
    """The scaled gradient is clipped, as if it were a probability."""
    loss, gradient = backward_pass(logits, labels, upstream=upstream, backward=backward)
    return loss, np.clip(gradient, -4, 4).astype(gradient.dtype)


def off_by_600_roundings(logits, labels):
    """Off by 600 u: so little that some order of additions could be as far off, and none is likely to be."""
    loss, gradient = shifted(logits, labels)
    factor = logits.dtype.type(1 + 300 * np.finfo(logits.dtype).eps)
    return loss * factor, gradient * factor


def in_float32(logits, labels):
    """Loss and gradient by float32, rounded to half precision at the end."""
    loss, gradient = shifted(logits.astype(np.float32), labels)
    return loss.astype(logits.dtype), gradient.astype(logits.dtype)


def gradient_larger_by_a_hundredth(logits, labels):
    loss, gradient = shifted(logits.astype(np.float32), labels)
    return loss.astype(logits.dtype), (gradient * np.float32(1.01)).astype(logits.dtype)


def loss_from_rounded_parts(logits, labels):
    """log sum exp is rounded before the target's logit is subtracted."""
    _, gradient = in_float32(logits, labels)
    x = logits.astype(np.float32)
    top = x.max(axis=1)
    log_sum = (top + np.log(np.exp(x - top[:, None]).sum(axis=1))).astype(logits.dtype)
    return (log_sum - logits[np.arange(len(labels)), labels]).astype(np.float32).mean().astype(logits.dtype), gradient


DEFECTIVE = {
    "loss_is_as_accurate_as_the_gradient": (loss_from_rounded_parts, {"dtypes": ["float16"]}),
    "gradient_is_as_accurate_as_the_loss": (gradient_larger_by_a_hundredth, {"dtypes": ["bfloat16", "float16"]}),
    "loss_within_probable_error": (off_by_600_roundings, {}),
    "gradient_within_probable_error": (off_by_600_roundings, {}),
    "upstream_gradient_multiplies_the_gradient": (ignores_the_upstream_gradient, {"backward": "scaled"}),
    "scaled_loss_gives_the_same_gradient": (gradient_cut_off, {"backward": "scaled", "dtypes": "float16"}),
    "second_backward_pass_gives_the_same_gradient": (scales_in_place, {"backward": "twice"}),
    "gradients_accumulate": (overwrites_what_is_accumulated, {"backward": "accumulated"}),
    "logits_may_need_no_gradient": (loss_of_nothing_without_gradient, {"backward": "detached"}),
    "gradient_can_be_differentiated_again": (
        second_derivative_without_its_rank_one_part,
        {"backward": "double", "double_backward": True},
    ),
    "instance_can_be_used_again": (keeps_its_first_gradient, {"backward": "reused"}),
    "backward_pass_takes_the_gradient_that_arrives": (ignores_the_upstream_gradient, {"backward": "ignored"}),
    "returns_loss_and_gradient": (returns_only_the_loss, {}),
    "keeps_the_dtype": (changes_the_dtype, {"keeps_dtype": True}),
    "leaves_its_inputs_alone": (shifts_in_place, {}),
    "leaves_the_process_as_it_was": (turns_warnings_off, {}),
    "outputs_share_no_memory": (reuses_its_buffer, {}),
    "answer_is_right_at_this_size": (skips_a_row_behind_a_block, {}),
    "earlier_answers_stay_as_they_were": (hands_out_four_buffers_in_turn, {}),
    "same_call_gives_same_bits": (alternates, {}),
    "calls_leave_no_state": (remembers_the_last_shape, {}),
    "integer_type_of_the_labels_does_not_matter": (reads_labels_as_64_bits, {}),
    "layout_does_not_matter": (assumes_rows_in_memory_order, {}),
    "byte_order_does_not_matter": (ignores_byte_order, {"big_endian": True}),
    "one_class_costs_nothing": (divides_by_classes_less_one, {}),
    "empty_batch_is_answered": (empty_batch_costs_nothing, {"empty_batch": True}),
    "refuses_bad_labels": (wraps_labels, {"refuses_bad_labels": True}),
    "refuses_bad_shapes": (broadcasts_labels, {"refuses_bad_labels": True}),
    "is_quiet": (prints, {}),
    "rows_sum_to_zero": (gradient_is_p, {}),
    "rows_sum_to_zero_relative_to_largest": (shifted, {}),
    "entries_have_the_right_sign_and_size": (sign_flipped, {}),
    "loss_is_not_negative": (loss_less_one, {}),
    "adding_a_constant_changes_nothing": (with_weight_decay, {}),
    "adding_2_to_30_exactly_changes_nothing": (log_sum_exp_less_target, {}),
    "permuting_rows_permutes_the_gradient": (weighted_by_row, {}),
    "permuting_classes_permutes_the_gradient": (weighted_by_class, {}),
    "rows_are_independent": (softmax_over_the_batch, {}),
    "batch_is_additive": (gradient_not_divided, {}),
    "loss_is_convex": (negated, {}),
    "gradient_is_lipschitz": (temperature_forgotten, {}),
    "gradient_is_the_derivative_of_its_own_loss": (gradient_doubled, {}),
    "complex_step_gives_the_gradient": (gradient_doubled_in_complex_logits, {"complex_step": True}),
    "gradient_integrates_to_the_loss": (gradient_doubled, {}),
    "gradient_is_monotone": (sign_flipped, {}),
    "loss_is_right": (epsilon_in_the_log, {}),
    "gradient_is_right": (almost_one_hot, {}),
    "loss_within_a_few_ulp": (shifted, {}),
    "target_entry_within_a_few_ulp": (shifted, {}),
    "other_entries_within_a_few_ulp": (log_space, {}),
    "loss_within_forward_error": (textbook, {}),
    "gradient_within_forward_error": (softmax_from_log_sum_exp, {}),
    "masked_class_has_probability_zero": (one_hot_times_log, {}),
    "rows_without_value_are_not_hidden": (nan_becomes_zero, {}),
    "rows_without_value_are_nan": (nan_in_one_entry, {"nan_rows": True}),
    "other_reduction_is_as_defined": (sum_is_a_mean, {"reduction": ["mean", "sum"]}),
    "probability_targets_are_as_defined": (forgets_the_sum_of_targets, {"targets": "probability"}),
    "label_smoothing_is_as_defined": (smooths_the_others_only, {"options": "label_smoothing"}),
    "class_weights_are_as_defined": (weighs_the_mean_by_count, {"options": "class_weights"}),
    "ignore_index_is_as_defined": (counts_ignored_rows, {"options": "ignore_index"}),
    "softcap_is_as_defined": (tanh_in_the_slope_is_not_squared, {"options": "softcap"}),
    "temperature_is_as_defined": (divides_by_the_temperature_twice, {"options": "temperature"}),
    "z_loss_is_as_defined": (squares_the_log_sum_exp_of_the_batch_once, {"options": "z_loss"}),
    "poly_epsilon_is_as_defined": (takes_the_largest_for_the_target, {"options": "poly_epsilon"}),
    "sample_weights_are_as_defined": (weighs_the_next_row, {"reduction": "sum", "options": "sample_weights"}),
    "upstream_is_as_defined": (takes_the_size_from_above, {"reduction": "none", "options": "upstream"}),
    "mean_is_over_what_is_claimed": (
        averages_over_rows_with_a_weight,
        {"options": "sample_weights", "mean_over": "number_of_rows"},
    ),
    "returns_loss_and_derivative": (returns_the_gradient_for_a_hessian, {"derivative": "hessian"}),
    "derivative_is_right": (diagonal_doubled, {"derivative": "hessian_diagonal"}),
    "derivative_is_the_slope_of_the_exact_gradient": (hessian_of_gradients, {"derivative": "hessian"}),
    "hessian_is_symmetric": (hessian_times_identity_on_the_wrong_side, {"derivative": "hessian"}),
    "hessian_rows_sum_to_zero": (hessian_diagonal_alone, {"derivative": "hessian"}),
    "hessian_is_not_negative": (hessian_outer_alone, {"derivative": "hessian"}),
    "product_is_linear": (product_by_a_fixed_step, {"derivative": "hessian_vector_product"}),
    "product_is_symmetric": (product_mean_for_dot, {"derivative": "hessian_vector_product"}),
    "product_of_a_constant_vector_is_zero": (product_sum_for_dot, {"derivative": "hessian_vector_product"}),
    "loss_is_linear_in_the_targets": (
        target_gradient_doubled,
        {"derivative": "target_gradient", "targets": "probability"},
    ),
}
