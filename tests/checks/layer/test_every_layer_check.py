"""Every check of the layer rejects the implementation made for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.checks.check import Check
from gradlab.checks.layer.table import LAYER_CHECKS
from gradlab.checks.table import CHECKS
from gradlab.evaluation.call import Implementation
from gradlab.harness.tally import findings_of
from gradlab.implementations.strangers.layer.numpy_layers import two_passes
from gradlab.result import largest_ratio
from tests.layer_claims import claims_of_all, questions, specimen

Layer = Callable[..., Any]
_kept: dict[Any, Any] = {}


def raises(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    raise RuntimeError("not today")


def sets_the_error_state(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    np.seterr(over="raise")
    return two_passes(X, W, b, labels, l2)


def returns_one_buffer(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    loss, d_x, d_w, d_b = two_passes(X, W, b, labels, l2)
    kept = _kept.setdefault((W.shape, W.dtype.name), np.empty_like(W))
    kept[...] = d_w
    return loss, d_x, kept, d_b


def adds_noise(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    loss, d_x, d_w, d_b = two_passes(X, W, b, labels, l2)
    return loss, d_x, d_w * d_w.dtype.type(1 + np.random.default_rng().normal() / 100), d_b


def keeps_adding(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    loss, d_x, d_w, d_b = two_passes(X, W, b, labels, l2)
    total = _kept.get(("sum", W.shape, W.dtype.name), np.zeros_like(d_w)) + d_w
    _kept["sum", W.shape, W.dtype.name] = total
    return loss, d_x, total, d_b


def reads_memory_in_order(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    return two_passes(X.ravel(order="K").reshape(X.shape), W, b, labels, l2)


def is_slightly_off(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    loss, d_x, d_w, d_b = two_passes(X, W, b, labels, l2)
    return tuple(np.asarray(one) * np.asarray(one).dtype.type(1.0001) for one in (loss, d_x, d_w, d_b))


def adds_one_to_the_features(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    return two_passes(X + X.dtype.type(1), W, b, labels, l2)


def doubles_the_first_feature(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    wide = X.copy()
    wide[:, 0] *= 2
    return two_passes(wide, W, b, labels, l2)


def prefers_the_first_class(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    raised = b.copy()
    raised[0] += 1
    return two_passes(X, W, raised, labels, l2)


def finds_labels_in_a_flat_array(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    """As kernels do: label K of one row is label 0 of the next."""
    n_rows, n_classes = len(X), W.shape[1]
    z = X @ W + b
    z = z - z.max(axis=1, keepdims=True)
    sums = np.exp(z).sum(axis=1, keepdims=True)
    places = (np.arange(n_rows) * n_classes + labels) % z.size
    g = np.exp(z) / sums
    g.reshape(-1)[places] -= 1
    g /= g.dtype.type(n_rows)
    loss = (np.log(sums[:, 0]) - z.reshape(-1)[places]).mean()
    return loss, g @ W.T, X.T @ g + W.dtype.type(l2) * W, g.sum(axis=0)


def differentiated(
    X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0, *, upstream: Any = None, backward: str = "once"
) -> Any:
    """As what a framework differentiates: with an upstream gradient, and in all the ways of asking for a pass."""
    factor = (2 if backward == "accumulated" else 1) * X.dtype.type(1 if upstream is None else upstream)
    loss, *gradients = two_passes(X, W, b, labels, l2)
    return (loss, *((one * factor).astype(X.dtype) for one in gradients))


def ignores_the_upstream_gradient(*given: Any, upstream: Any = None, backward: str = "once") -> Any:
    return differentiated(*given, backward=backward)


def frees_its_graph(*given: Any, upstream: Any = None, backward: str = "once") -> Any:
    loss, *gradients = differentiated(*given, upstream=upstream, backward=backward)
    return (loss, *(0 * one if backward == "twice" else one for one in gradients))


def overwrites_gradients(*given: Any, upstream: Any = None, backward: str = "once") -> Any:
    return differentiated(*given, upstream=upstream)


def needs_gradients(*given: Any, upstream: Any = None, backward: str = "once") -> Any:
    loss, *gradients = differentiated(*given, upstream=upstream, backward=backward)
    return (0 * loss if backward == "detached" else loss, *gradients)


def adds_to_the_gradients_of_the_batch_before(
    *given: Any, earlier_features: Any = None, earlier_targets: Any = None, **keywords: Any
) -> Any:
    loss, d_x, *of_parameters = differentiated(*given, **keywords)
    if earlier_features is not None:
        _, _, *before = differentiated(earlier_features, given[1], given[2], earlier_targets)
        of_parameters = [one + more for one, more in zip(of_parameters, before, strict=True)]
    return (loss, d_x, *of_parameters)


def used_again(*given: Any, earlier_features: Any = None, earlier_targets: Any = None, **keywords: Any) -> Any:
    """As a class whose instance keeps nothing of an earlier batch."""
    return differentiated(*given, **keywords)


WAYS = ("scaled", "twice", "accumulated", "detached", "reused", "ignored")
BACKWARD: dict[str, Layer] = {
    "upstream_gradient_multiplies_the_gradients_of_a_layer": ignores_the_upstream_gradient,
    "scaled_loss_gives_the_same_gradients_of_a_layer": ignores_the_upstream_gradient,
    "second_backward_pass_of_a_layer_gives_the_same_gradients": frees_its_graph,
    "gradients_of_a_layer_accumulate": overwrites_gradients,
    "features_and_weight_may_need_no_gradient": needs_gradients,
    "instance_of_a_layer_can_be_used_again": adds_to_the_gradients_of_the_batch_before,
    "backward_pass_of_a_layer_takes_the_gradient_that_arrives": ignores_the_upstream_gradient,
}

# The implementation that each check must reject: a function of this module, or the name of a specimen.
DEFECTIVE: dict[str, Layer | str] = {
    "returns_what_is_claimed": raises,
    "leaves_features_weight_and_bias_alone": "features_overwritten",
    "a_layer_leaves_the_process_as_it_was": sets_the_error_state,
    "outputs_of_a_layer_share_no_memory": returns_one_buffer,
    "same_call_of_a_layer_gives_same_bits": adds_noise,
    "calls_of_a_layer_leave_no_state": keeps_adding,
    "layout_of_the_arrays_does_not_matter": reads_memory_in_order,
    "refuses_labels_outside_the_classes": two_passes,
    "a_label_outside_reaches_no_other_row": finds_labels_in_a_flat_array,
    "loss_of_the_layer_is_right": "loss_is_a_sum",
    "dx_of_the_layer_is_right": "features_gradient_not_averaged",
    "dw_of_the_layer_is_right": "weight_gradient_not_averaged",
    "db_of_the_layer_is_right": "bias_gradient_not_averaged",
    "loss_of_the_layer_is_within_probable_error": is_slightly_off,
    "dx_of_the_layer_is_within_probable_error": is_slightly_off,
    "dw_of_the_layer_is_within_probable_error": is_slightly_off,
    "db_of_the_layer_is_within_probable_error": is_slightly_off,
    "weight_gradient_sums_to_zero_over_the_classes": "label_not_subtracted",
    "features_and_weight_have_one_product_with_their_gradients": "weight_gradient_not_averaged",
    "a_feature_of_ones_gets_the_bias_gradient": "bias_gradient_not_averaged",
    "a_feature_of_zeros_changes_nothing": adds_one_to_the_features,
    "scaling_a_feature_scales_its_gradients": "features_of_unit_length",
    "permuting_the_features_permutes_their_gradients": doubles_the_first_feature,
    "permuting_the_classes_permutes_their_weights": prefers_the_first_class,
    "permuting_the_rows_permutes_their_gradients": "label_of_the_first_row",
    "mixing_the_features_mixes_their_gradients": "weight_gradient_of_absolute_features",
    "rows_of_a_layer_are_independent": "features_centred",
    "batch_of_a_layer_is_additive": "normalised_over_the_batch",
    "doubled_examples_count_twice": "gradients_not_averaged",
    "gradients_are_the_derivatives_of_its_own_loss": "gradients_twice_too_large",
    "penalty_is_in_loss_and_gradients_alike": "penalty_gradient_doubled",
    "ignored_batch_has_no_gradient": "nothing_divided_by_nothing",
}


def test_every_check_of_the_layer_has_an_implementation_that_it_must_reject() -> None:
    assert {*DEFECTIVE, *BACKWARD} == {check.name for check in LAYER_CHECKS}


def test_no_check_has_the_name_of_another_at_either_scope() -> None:
    names = [check.name for check in (*CHECKS, *LAYER_CHECKS)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.more)])
@pytest.mark.parametrize("check", [one for one in LAYER_CHECKS if one.name in DEFECTIVE], ids=lambda check: check.name)
def test_a_check_of_the_layer_rejects_the_implementation_made_for_it(check: Check, dtype: str) -> None:
    made = DEFECTIVE[check.name]
    if isinstance(made, str):
        implementation = specimen(made, dtype)
    else:
        implementation = Implementation(made.__name__, made, claims_of_all(dtype))
    asked = [one for one in questions(dtype, ("ignore_index",) if isinstance(made, str) else ()) if check in one.checks]
    assert asked
    assert any(
        largest_ratio(findings) > 1
        for question in asked
        for _, findings in findings_of((check,), implementation, question.problem)
    )


def without_labels_outside(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    """Rows of such labels are left out, of the mean too."""
    counts = (labels >= 0) & (labels < W.shape[1])
    loss, d_x, d_w, d_b = two_passes(X[counts], W, b, labels[counts], l2)
    whole = np.zeros_like(X)
    whole[counts] = d_x
    return loss, whole, d_w, d_b


def compares_labels(X: Any, W: Any, b: Any, labels: Any, l2: float = 0.0) -> Any:
    """A label outside is no class, and its row has p as its gradient."""
    one_hot = (labels[:, None] == np.arange(W.shape[1])).astype(X.dtype)
    z = X @ W + b
    p = np.exp(z - z.max(axis=1, keepdims=True))
    g = (p / p.sum(axis=1, keepdims=True) - one_hot) / X.dtype.type(len(X))
    return two_passes(X, W, b, np.clip(labels, 0, W.shape[1] - 1), l2)[0], g @ W.T, X.T @ g, g.sum(axis=0)


@pytest.mark.parametrize("check", [one for one in LAYER_CHECKS if one.name in BACKWARD], ids=lambda check: check.name)
def test_a_check_of_a_backward_pass_rejects_the_layer_made_for_it_and_no_sound_one(check: Check) -> None:
    claims = claims_of_all("float16", backward=WAYS)
    asked = [one.problem for one in questions("float16", ()) if check.applies(claims, one.problem)][:6]
    assert asked
    for function, is_sound in ((BACKWARD[check.name], False), (used_again, True)):
        own = Implementation("own", function, claims)
        ratios = [largest_ratio(findings) for one in asked for _, findings in findings_of((check,), own, one)]
        assert (max(ratios) <= 1) is is_sound


@pytest.mark.parametrize(
    "function", [two_passes, without_labels_outside, compares_labels, specimen("label_of_the_first_row").function]
)
def test_a_label_outside_that_stays_in_its_row_is_no_harm_to_others(function: Layer) -> None:
    (check,) = (one for one in LAYER_CHECKS if one.name == "a_label_outside_reaches_no_other_row")
    own = Implementation("own", function, claims_of_all())
    asked = [one for one in questions("float32", ()) if check in one.checks]
    assert asked
    for question in asked:
        for _, findings in findings_of((check,), own, question.problem):
            assert largest_ratio(findings) <= 1
