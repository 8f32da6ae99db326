"""The table of all checks. A new check is a function in one of the modules beside this one, and a row here."""

from __future__ import annotations

from collections.abc import Callable

from gradlab.checks import accuracy, calculus, contract, differences, invariants
from gradlab.checks.check import Check
from gradlab.claims import Claims
from gradlab.problems.problem import Problem

Condition = Callable[[Claims, Problem], bool]

FEW = 256  # entries up to which checks that call many times are worth their time
TINY = 24  # entries up to which a call for each entry is


def _every(*conditions: Condition) -> Condition:
    return lambda claims, problem: all(condition(claims, problem) for condition in conditions)


def _finite(claims: Claims, problem: Problem) -> bool:
    return problem.is_finite and problem.n_rows > 0


def _moderate(claims: Claims, problem: Problem) -> bool:
    return problem.is_moderate


def _plain(claims: Claims, problem: Problem) -> bool:
    return not problem.objective.options() and problem.objective.targets == "index"


def _primary(claims: Claims, problem: Problem) -> bool:
    """The objective that is tried on every problem: no option, the first reduction and kind of target claimed."""
    objective = problem.objective
    first = objective.reduction == claims.reduction[0] and objective.targets == claims.targets[0]
    return first and not objective.options()


def _small(claims: Claims, problem: Problem) -> bool:
    return problem.logits.size <= FEW


def _index(claims: Claims, problem: Problem) -> bool:
    return problem.objective.targets == "index"


def _without_options(claims: Claims, problem: Problem) -> bool:
    return not problem.objective.options()


def _masked(claims: Claims, problem: Problem) -> bool:
    return claims.masks and not problem.is_finite and bool(problem.rows_with_value.all())


def _without_value(claims: Claims, problem: Problem) -> bool:
    return not bool(problem.rows_with_value.all())


def _option(name: str) -> Condition:
    return lambda claims, problem: name in problem.objective.options() and not _without_value(claims, problem)


def _probability(claims: Claims, problem: Problem) -> bool:
    return problem.objective.targets == "probability" and problem.is_finite and not problem.objective.options()


def _other_reduction(claims: Claims, problem: Problem) -> bool:
    objective = problem.objective
    return objective.reduction != claims.reduction[0] and not objective.options() and _finite(claims, problem)


def _several_classes(claims: Claims, problem: Problem) -> bool:
    return problem.n_classes > 1


def _one_class(claims: Claims, problem: Problem) -> bool:
    return problem.n_classes == 1


def _with_rows(claims: Claims, problem: Problem) -> bool:
    return problem.n_rows > 0


def _without_rows(claims: Claims, problem: Problem) -> bool:
    return problem.n_rows == 0 and _primary(claims, problem)


def _deterministic(claims: Claims, problem: Problem) -> bool:
    return claims.deterministic


def _big_endian(claims: Claims, problem: Problem) -> bool:
    return claims.big_endian and problem.format.name != "bfloat16"


def _tiny(claims: Claims, problem: Problem) -> bool:
    return problem.logits.size <= TINY


def _has_complex(claims: Claims, problem: Problem) -> bool:
    return problem.format.name in calculus.COMPLEX


_CORE = _every(_finite, _without_options)
_CALM = _every(_moderate, _without_options)
_CALLS = _every(_moderate, _primary, _small)
_LABELS = _every(_CALLS, _index)

# fmt: off
CHECKS: tuple[Check, ...] = (
    # contract
    Check("returns_loss_and_gradient", "contract", contract.returns_loss_and_gradient, _with_rows,
          needs_answer=False),
    Check("keeps_the_dtype", "contract", contract.keeps_the_dtype, _CALLS, claim="keeps_dtype"),
    Check("leaves_its_inputs_alone", "contract", contract.leaves_its_inputs_alone, _every(_finite, _small)),
    Check("outputs_share_no_memory", "contract", contract.outputs_share_no_memory, _CALLS),
    Check("same_call_gives_same_bits", "contract", contract.same_call_gives_same_bits,
          _every(_moderate, _primary, _deterministic)),
    Check("calls_leave_no_state", "contract", contract.calls_leave_no_state, _CALLS),
    Check("layout_does_not_matter", "contract", contract.layout_does_not_matter, _CALLS),
    Check("byte_order_does_not_matter", "contract", contract.byte_order_does_not_matter,
          _every(_CALLS, _big_endian)),
    Check("one_class_costs_nothing", "contract", accuracy.values_within_bound,
          _every(_CORE, _one_class)),
    Check("empty_batch_is_answered", "contract", contract.empty_batch_is_answered, _without_rows,
          claim="empty_batch", needs_answer=False),
    Check("refuses_bad_labels", "contract", contract.refuses_bad_labels, _LABELS, claim="refuses_bad_labels"),
    Check("refuses_bad_shapes", "contract", contract.refuses_bad_shapes, _LABELS, claim="refuses_bad_labels"),
    Check("is_quiet", "contract", contract.is_quiet, _finite, "advice"),
    # invariants
    Check("rows_sum_to_zero", "invariants", invariants.rows_sum_to_zero, _CORE),
    Check("rows_sum_to_zero_relative_to_largest", "invariants", invariants.rows_sum_to_zero_relative_to_largest,
          _every(_CORE, _plain), "inaccurate"),
    Check("entries_have_the_right_sign_and_size", "invariants", invariants.entries_have_the_right_sign_and_size, _CORE),
    Check("loss_is_not_negative", "invariants", invariants.loss_is_not_negative, _CORE),
    Check("adding_a_constant_changes_nothing", "invariants", invariants.adding_a_constant_changes_nothing, _CALM),
    Check("adding_2_to_30_exactly_changes_nothing", "invariants", invariants.adding_2_to_30_exactly_changes_nothing,
          _CALM, "unstable"),
    Check("permuting_rows_permutes_the_gradient", "invariants", invariants.permuting_rows_permutes_the_gradient, _CORE),
    Check("permuting_classes_permutes_the_gradient", "invariants", invariants.permuting_classes_permutes_the_gradient,
          _CORE),
    Check("rows_are_independent", "invariants", invariants.rows_are_independent, _CORE),
    Check("batch_is_additive", "invariants", invariants.batch_is_additive, _CALM),
    Check("loss_is_convex", "invariants", invariants.loss_is_convex, _CALM),
    Check("gradient_is_lipschitz", "invariants", invariants.gradient_is_lipschitz, _CALM),
    # calculus
    Check("gradient_is_the_derivative_of_its_own_loss", "calculus",
          differences.gradient_is_the_derivative_of_its_own_loss, _every(_moderate, _several_classes)),
    Check("complex_step_gives_the_gradient", "calculus", calculus.complex_step_gives_the_gradient,
          _every(_CALLS, _tiny, _has_complex), claim="complex_step"),
    Check("gradient_integrates_to_the_loss", "calculus", calculus.gradient_integrates_to_the_loss,
          _every(_CALM, _small)),
    Check("gradient_is_monotone", "calculus", calculus.gradient_is_monotone, _CALM),
    # accuracy
    Check("loss_is_right", "accuracy", accuracy.loss_within_bound, _CALM),
    Check("gradient_is_right", "accuracy", accuracy.gradient_within_bound, _CALM),
    Check("loss_within_a_few_ulp", "accuracy", accuracy.loss_within_a_few_ulp, _every(_CORE, _plain), "inaccurate"),
    Check("target_entry_within_a_few_ulp", "accuracy", accuracy.target_entry_within_a_few_ulp,
          _every(_CORE, _plain), "inaccurate"),
    Check("other_entries_within_a_few_ulp", "accuracy", accuracy.other_entries_within_a_few_ulp,
          _every(_CORE, _plain), "inaccurate"),
    # stability: every family
    Check("loss_within_forward_error", "stability", accuracy.loss_within_forward_error, _CORE, "unstable"),
    Check("gradient_within_forward_error", "stability", accuracy.gradient_within_forward_error, _CORE, "unstable"),
    # domain
    Check("masked_class_has_probability_zero", "domain", accuracy.values_within_bound,
          _every(_masked, _without_options), "unstable"),
    Check("rows_without_value_are_nan", "domain", accuracy.rows_without_value_are_nan,
          _every(_without_value, _without_options), "unstable"),
    # options
    Check("other_reduction_is_as_defined", "options", accuracy.values_within_bound, _other_reduction),
    Check("probability_targets_are_as_defined", "options", accuracy.values_within_bound, _probability),
    Check("label_smoothing_is_as_defined", "options", accuracy.values_within_bound, _option("label_smoothing")),
    Check("class_weights_are_as_defined", "options", accuracy.values_within_bound, _option("class_weights")),
    Check("ignore_index_is_as_defined", "options", accuracy.values_within_bound, _option("ignore_index")),
)
# fmt: on


def applicable(claims: Claims, problem: Problem) -> list[Check]:
    """The checks that say something about this problem for an implementation with these claims, in table order."""
    return [check for check in CHECKS if check.applies(claims, problem)]
