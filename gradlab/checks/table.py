"""The table of all checks. A new check is a function in one of the modules beside this one, and a row here."""

from __future__ import annotations

from collections.abc import Iterator

from gradlab.checks import (
    accuracy,
    backward,
    calculus,
    contract,
    differences,
    domain,
    invariants,
    options,
    precision,
    second_order,
    sizes,
)
from gradlab.checks.check import Check
from gradlab.checks.conditions import (
    alike,
    backward_pass,
    big_endian,
    coefficients,
    derivative,
    deterministic,
    double_backward,
    every,
    factors_only,
    finite,
    first_order,
    half_precision,
    has_complex,
    has_option,
    index,
    is_divided,
    is_masked,
    moderate,
    one_class,
    one_target,
    other_derivative,
    other_reduction,
    primary,
    probability,
    random_sums,
    repeated,
    ruled_mean,
    second_derivative,
    several_classes,
    shift_invariant,
    sized,
    small,
    tiny,
    with_loss_scale,
    with_rows,
    without_options,
    without_rows,
    without_value,
)
from gradlab.evaluation.claims import Claims
from gradlab.problems.options import REAL_OPTIONS
from gradlab.problems.problem import Problem
from gradlab.problems.sized import is_sized


def checks_of_real_options() -> Iterator[Check]:
    """A check for each option that is one number."""
    for name, option in REAL_OPTIONS.items():
        yield Check(options.real_option_is_as_defined(name, option), "options", has_option(name))


_CORE = every(finite, without_options)
_ALIKE = every(finite, alike)
_CALM = every(moderate, without_options)
_OF_GRADIENT, _CALM_GRADIENT = every(_CORE, first_order), every(_CALM, first_order)
_CALLS = every(moderate, primary, small)
_ANY_CALL = every(moderate, small)
_SHARP = every(_OF_GRADIENT, one_target)
_LABELS = every(_ANY_CALL, index)
_PASS = every(_CALLS, first_order)

# fmt: off
CHECKS: tuple[Check, ...] = (
    # contract
    Check(contract.returns_loss_and_gradient, "contract", every(with_rows, first_order),
          needs_answer=False),
    Check(second_order.returns_loss_and_derivative, "contract", every(with_rows, other_derivative),
          needs_answer=False),
    Check(contract.keeps_the_dtype, "contract", _ANY_CALL, claim="keeps_dtype", makes_calls=True),
    Check(contract.leaves_its_inputs_alone, "contract", every(with_rows, small)),
    Check(contract.leaves_the_process_as_it_was, "contract", with_rows, needs_answer=False),
    Check(contract.outputs_share_no_memory, "contract", _ANY_CALL, makes_calls=True),
    Check(contract.same_call_gives_same_bits, "contract",
          every(moderate, primary, deterministic), makes_calls=True),
    Check(contract.calls_leave_no_state, "contract", _CALLS, makes_calls=True),
    Check(contract.layout_does_not_matter, "contract", _CALLS, makes_calls=True),
    Check(contract.integer_type_of_the_labels_does_not_matter, "contract", _LABELS, makes_calls=True),
    Check(contract.byte_order_does_not_matter, "contract", every(_CALLS, big_endian), makes_calls=True),
    Check(contract.empty_batch_is_answered, "contract", without_rows,
          claim="empty_batch", needs_answer=False),
    Check(contract.refuses_bad_labels, "contract",
          _LABELS, claim="refuses_bad_labels", comes_last=True, makes_calls=True),
    Check(contract.refuses_bad_shapes, "contract",
          _LABELS, claim="refuses_bad_labels", comes_last=True, makes_calls=True),
    Check(contract.is_quiet, "contract", finite, "advice"),
    # contract of a backward pass
    Check(backward.upstream_gradient_multiplies_the_gradient, "contract",
          every(_PASS, backward_pass("scaled")), makes_calls=True),
    Check(backward.scaled_loss_gives_the_same_gradient, "contract",
          every(_PASS, backward_pass("scaled"), with_loss_scale), makes_calls=True),
    Check(backward.second_backward_pass_gives_the_same_gradient, "contract",
          every(_PASS, backward_pass("twice")), makes_calls=True),
    Check(backward.gradients_accumulate, "contract",
          every(_PASS, backward_pass("accumulated"), deterministic), makes_calls=True),
    Check(backward.logits_may_need_no_gradient, "contract",
          every(_PASS, backward_pass("detached")), makes_calls=True),
    Check(backward.gradient_can_be_differentiated_again, "contract",
          every(_PASS, backward_pass("double"), double_backward), makes_calls=True),
    Check(backward.instance_can_be_used_again, "contract",
          every(_PASS, backward_pass("reused"), deterministic), makes_calls=True),
    Check(backward.backward_pass_takes_the_gradient_that_arrives, "contract",
          every(_PASS, backward_pass("ignored")), "advice", makes_calls=True),
    # invariants
    Check(invariants.rows_sum_to_zero, "invariants", every(_ALIKE, shift_invariant, first_order)),
    Check(invariants.rows_sum_to_zero_relative_to_largest, "invariants", _SHARP, "inaccurate"),
    Check(invariants.entries_have_the_right_sign_and_size, "invariants", _OF_GRADIENT),
    Check(invariants.loss_is_not_negative, "invariants", _CORE),
    Check(invariants.adding_a_constant_changes_nothing, "invariants", _CALM, makes_calls=True),
    Check(invariants.adding_2_to_30_exactly_changes_nothing, "invariants", _CALM, "unstable", makes_calls=True),
    Check(invariants.permuting_rows_permutes_the_gradient, "invariants", _ALIKE, makes_calls=True),
    Check(invariants.permuting_classes_permutes_the_gradient, "invariants", _ALIKE, makes_calls=True),
    Check(invariants.rows_are_independent, "invariants", _CORE, makes_calls=True),
    Check(invariants.batch_is_additive, "invariants", every(moderate, factors_only), makes_calls=True),
    Check(invariants.loss_is_convex, "invariants", _CALM_GRADIENT, makes_calls=True),
    Check(invariants.gradient_is_lipschitz, "invariants", _CALM_GRADIENT, makes_calls=True),
    # calculus
    Check(differences.gradient_is_the_derivative_of_its_own_loss, "calculus",
          every(moderate, several_classes, is_divided, coefficients, first_order), makes_calls=True),
    Check(calculus.complex_step_gives_the_gradient, "calculus",
          every(_CALLS, tiny, has_complex, first_order), makes_calls=True),
    Check(calculus.gradient_integrates_to_the_loss, "calculus", every(_CALM_GRADIENT, small), makes_calls=True),
    Check(calculus.gradient_is_monotone, "calculus", _CALM_GRADIENT, makes_calls=True),
    # accuracy
    Check(accuracy.loss_is_right, "accuracy", _CALM),
    Check(accuracy.gradient_is_right, "accuracy", _CALM_GRADIENT),
    Check(precision.loss_is_as_accurate_as_the_gradient, "accuracy", half_precision, "unstable"),
    Check(precision.gradient_is_as_accurate_as_the_loss, "accuracy", half_precision, "unstable"),
    Check(accuracy.loss_within_probable_error, "accuracy", random_sums, "improbable"),
    Check(accuracy.gradient_within_probable_error, "accuracy", random_sums, "improbable"),
    Check(accuracy.loss_within_a_few_ulp, "accuracy", _SHARP, "inaccurate"),
    Check(accuracy.target_entry_within_a_few_ulp, "accuracy", _SHARP, "inaccurate"),
    Check(accuracy.other_entries_within_a_few_ulp, "accuracy", _SHARP, "inaccurate"),
    # stability: every family
    Check(accuracy.loss_within_forward_error, "stability", _CORE, "unstable"),
    Check(accuracy.gradient_within_forward_error, "stability", _OF_GRADIENT, "unstable"),
    # domain
    Check(domain.one_class_costs_nothing, "domain", every(_CORE, one_class)),
    Check(domain.masked_class_has_probability_zero, "domain", every(is_masked, without_options), "unstable"),
    Check(domain.rows_without_value_are_not_hidden, "domain", without_value, "unstable"),
    Check(domain.rows_without_value_are_nan, "domain", without_value, "unstable", claim="nan_rows"),
    # options
    Check(options.other_reduction_is_as_defined, "options", other_reduction),
    Check(options.probability_targets_are_as_defined, "options", probability),
    Check(options.label_smoothing_is_as_defined, "options", has_option("label_smoothing")),
    Check(options.class_weights_are_as_defined, "options", has_option("class_weights")),
    Check(options.ignore_index_is_as_defined, "options", has_option("ignore_index")),
    *checks_of_real_options(),
    Check(options.sample_weights_are_as_defined, "options", has_option("sample_weights")),
    Check(options.upstream_is_as_defined, "options", has_option("upstream")),
    Check(options.mean_is_over_what_is_claimed, "options", ruled_mean),
    # sizes: of problems that no other check is asked on
    Check(sizes.answer_is_right_at_this_size, "sizes", sized, needs_answer=False),
    Check(sizes.earlier_answers_stay_as_they_were, "sizes", repeated, needs_answer=False),
    # other derivatives than the gradient
    Check(second_order.derivative_is_right, "accuracy", every(_CORE, other_derivative)),
    Check(second_order.derivative_is_the_slope_of_the_exact_gradient, "calculus",
          every(moderate, tiny, is_divided, second_derivative)),
    Check(second_order.hessian_is_symmetric, "invariants", every(finite, derivative("hessian"))),
    Check(second_order.hessian_rows_sum_to_zero, "invariants", every(finite, derivative("hessian"))),
    Check(second_order.hessian_is_not_negative, "invariants",
          every(finite, derivative("hessian", "hessian_diagonal"))),
    Check(second_order.product_is_linear, "invariants",
          every(_CORE, derivative("hessian_vector_product")), makes_calls=True),
    Check(second_order.product_is_symmetric, "invariants",
          every(_CORE, derivative("hessian_vector_product")), makes_calls=True),
    Check(second_order.product_of_a_constant_vector_is_zero, "invariants",
          every(_CORE, derivative("hessian_vector_product")), makes_calls=True),
    Check(second_order.loss_is_linear_in_the_targets, "calculus",
          every(moderate, derivative("target_gradient")), makes_calls=True),
)
# fmt: on


_OF_SIZES = tuple(check for check in CHECKS if check.group == "sizes")
_NAMED = {check.name: check for check in CHECKS}


def check_named(name: str) -> Check:
    """The check of this name. Raises KeyError where there is none."""
    return _NAMED[name]


def applicable(claims: Claims, problem: Problem) -> list[Check]:
    """The checks that say something about this problem for an implementation with these claims, in table order.

    Of a problem of the family of sizes these are its own: it may be large, and what other checks need of it larger.
    """
    asked = _OF_SIZES if is_sized(problem) else CHECKS
    return [check for check in asked if check.applies(claims, problem)]
