"""The table of the checks of the layer. A new check is a function in a module beside this one, and a row here."""

from __future__ import annotations

from gradlab.checks.check import Check
from gradlab.checks.conditions import backward_pass, with_loss_scale
from gradlab.checks.layer import backward, contract, differences, relations
from gradlab.checks.layer.accuracy import check_within_probable_bound, check_within_proved_bound
from gradlab.checks.layer.conditions import (
    all_ignored,
    deterministic,
    divided,
    every,
    finite,
    index,
    judged,
    labels_as_integers,
    moderate,
    penalised,
    primary,
    random_errors,
    returns,
    returns_a_gradient_beside,
    several_classes,
    several_rows,
    small,
    takes_bias,
    with_rows,
    without_options,
    without_real_options,
)
from gradlab.evaluation.claims import Claims
from gradlab.layer.problem import OUTPUTS, LayerProblem

_CALLS = every(moderate, small, primary)
_PLAIN = every(finite, small, primary)
_RELATED = every(finite, without_options)

# fmt: off
LAYER_CHECKS: tuple[Check, ...] = (
    # contract
    Check(contract.returns_what_is_claimed, "contract", with_rows, needs_answer=False),
    Check(contract.leaves_features_weight_and_bias_alone, "contract", every(with_rows, small), makes_calls=True),
    Check(contract.a_layer_leaves_the_process_as_it_was, "contract", with_rows, needs_answer=False),
    Check(contract.outputs_of_a_layer_share_no_memory, "contract", _CALLS, makes_calls=True),
    Check(contract.same_call_of_a_layer_gives_same_bits, "contract", every(_CALLS, deterministic), makes_calls=True),
    Check(contract.calls_of_a_layer_leave_no_state, "contract", _CALLS, makes_calls=True),
    Check(contract.layout_of_the_arrays_does_not_matter, "contract", _CALLS, makes_calls=True),
    Check(contract.refuses_labels_outside_the_classes, "contract", every(_CALLS, labels_as_integers),
          claim="refuses_bad_labels", comes_last=True, makes_calls=True),
    Check(contract.a_label_outside_reaches_no_other_row, "contract",
          every(_CALLS, labels_as_integers, several_rows),
          comes_last=True, makes_calls=True),
    # contract of a backward pass
    Check(backward.upstream_gradient_multiplies_the_gradients_of_a_layer, "contract",
          every(_CALLS, backward_pass("scaled")), makes_calls=True),
    Check(backward.scaled_loss_gives_the_same_gradients_of_a_layer, "contract",
          every(_CALLS, backward_pass("scaled"), with_loss_scale), makes_calls=True),
    Check(backward.second_backward_pass_of_a_layer_gives_the_same_gradients, "contract",
          every(_CALLS, backward_pass("twice")), makes_calls=True),
    Check(backward.gradients_of_a_layer_accumulate, "contract",
          every(_CALLS, backward_pass("accumulated"), deterministic), makes_calls=True),
    Check(backward.instance_of_a_layer_can_be_used_again, "contract",
          every(_CALLS, backward_pass("reused"), deterministic), makes_calls=True),
    Check(backward.backward_pass_of_a_layer_takes_the_gradient_that_arrives, "contract",
          every(_CALLS, backward_pass("ignored")), "advice", makes_calls=True),
    Check(backward.features_and_weight_may_need_no_gradient, "contract",
          every(_CALLS, backward_pass("detached"), returns("loss")), makes_calls=True),
    # accuracy: each output against its enclosure; what fails on a problem that is not moderate is unstable
    *(check_within_proved_bound(output, every(judged, divided, returns(output))) for output in OUTPUTS),
    *(check_within_probable_bound(output, every(finite, divided, random_errors, returns(output)))
      for output in OUTPUTS),
    # invariants: what belongs together
    Check(relations.weight_gradient_sums_to_zero_over_the_classes, "invariants", every(_RELATED, returns("dW"))),
    Check(relations.features_and_weight_have_one_product_with_their_gradients, "invariants",
          every(_RELATED, returns("dX", "dW"))),
    Check(relations.a_feature_of_ones_gets_the_bias_gradient, "invariants",
          every(_PLAIN, takes_bias, returns("dW", "db")), makes_calls=True),
    Check(relations.a_feature_of_zeros_changes_nothing, "invariants", _PLAIN, makes_calls=True),
    Check(relations.scaling_a_feature_scales_its_gradients, "invariants", _PLAIN, makes_calls=True),
    Check(relations.permuting_the_features_permutes_their_gradients, "invariants", _PLAIN, makes_calls=True),
    Check(relations.permuting_the_classes_permutes_their_weights, "invariants", _PLAIN, makes_calls=True),
    Check(relations.permuting_the_rows_permutes_their_gradients, "invariants", _PLAIN, makes_calls=True),
    Check(relations.mixing_the_features_mixes_their_gradients, "invariants", _PLAIN, makes_calls=True),
    Check(relations.rows_of_a_layer_are_independent, "invariants",
          every(_PLAIN, several_rows, returns("dX")), makes_calls=True),
    Check(relations.batch_of_a_layer_is_additive, "invariants", every(_PLAIN, several_rows), makes_calls=True),
    Check(relations.doubled_examples_count_twice, "invariants", _PLAIN, makes_calls=True),
    # calculus
    Check(differences.gradients_are_the_derivatives_of_its_own_loss, "calculus",
          every(moderate, several_classes, divided, without_real_options, returns_a_gradient_beside("loss")),
          makes_calls=True),
    # options
    Check(relations.penalty_is_in_loss_and_gradients_alike, "options",
          every(_PLAIN, penalised, returns("loss", "dW")), makes_calls=True),
    Check(relations.ignored_batch_has_no_gradient, "options", every(all_ignored, index)),
)
# fmt: on


def applicable_to_layer(claims: Claims, problem: LayerProblem) -> list[Check]:
    """The checks that say something about this problem for a layer with these claims, in table order."""
    return [check for check in LAYER_CHECKS if check.applies(claims, problem)]
