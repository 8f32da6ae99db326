"""One mistake, two names: what a known defect of a layer is called where it is one of a loss of logits."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

AS_A_LOSS: Mapping[str, str] = MappingProxyType(
    {
        "every_label_in_every_row": "broadcast_index",
        "gradients_averaged_twice": "divided_twice",
        "gradients_not_averaged": "gradient_not_divided",
        "gradients_of_the_wrong_sign": "sign_flipped",
        "gradients_twice_too_large": "wrong_factor",
        "label_not_subtracted": "one_hot_forgotten",
        "labels_counted_from_one": "label_counted_from_one",
        "labels_in_eight_bits": "label_in_eight_bits",
        "labels_subtracted_as_numbers": "label_numbers_subtracted",
        "large_epsilon_in_log": "epsilon_in_log",
        "loss_is_a_sum": "loss_not_divided",
        "one_hot_times_log": "zero_times_infinity",
        "probabilities_clipped": "clipped_loss",
        "probabilities_stored_in_float16": "stored_before_subtracting",
        "running_sum_not_rescaled": "online_without_rescaling",
        "sigmoids_in_place_of_the_softmax": "sigmoid_for_softmax",
        "slope_of_a_sigmoid_in_the_gradients": "sigmoid_chain",
        "smoothing_in_the_gradient": "smoothing_unasked",
        "unprotected_log": "log_of_softmax",
    }
)


def other_names(name: str, scope: str) -> list[str]:
    """What a defect of a scope, "logits" or "layer", is called in the other; none where it has no other name there."""
    if scope == "layer":
        return [AS_A_LOSS[name]] if name in AS_A_LOSS else []
    return [layer for layer, loss in AS_A_LOSS.items() if loss == name]
