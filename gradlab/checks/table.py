"""The table of all checks. A new check is a function in one of the modules beside this one, and a row here."""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Iterator

import numpy as np

from gradlab.bounds import probable, widened
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
from gradlab.evaluation.claims import Claims
from gradlab.problems.coefficients import coefficients_of, denominator_of, denominators_of
from gradlab.problems.options import MEANS, REAL_OPTIONS
from gradlab.problems.problem import Problem, moderate_limit
from gradlab.problems.sized import is_repeated, is_sized

Condition = Callable[[Claims, Problem], bool]

FEW = 256  # entries up to which checks that call many times are worth their time
TINY = 24  # entries up to which a call for each entry is


def _every(*conditions: Condition) -> Condition:
    return lambda claims, problem: all(condition(claims, problem) for condition in conditions)


def _finite(claims: Claims, problem: Problem) -> bool:
    return problem.is_finite and problem.n_rows > 0


def _moderate(claims: Claims, problem: Problem) -> bool:
    return problem.is_moderate


def _one_target(claims: Claims, problem: Problem) -> bool:
    """Every row has one class with a share: elsewhere an entry A p_j - t_j may cancel, whatever is done about it."""
    return bool(((coefficients_of(problem) > 0).sum(axis=1) == 1).all())


def _primary(claims: Claims, problem: Problem) -> bool:
    """The objective that is tried on every problem: no option, the first reduction and kind of target claimed."""
    objective = problem.objective
    first = objective.reduction == claims.reduction[0] and objective.targets == claims.targets[0]
    return first and not objective.options


def _small(claims: Claims, problem: Problem) -> bool:
    return problem.logits.size <= FEW


def _index(claims: Claims, problem: Problem) -> bool:
    return problem.objective.targets == "index"


def _without_options(claims: Claims, problem: Problem) -> bool:
    return not problem.objective.options


def _is_masked(claims: Claims, problem: Problem) -> bool:
    return claims.masks and not problem.is_finite and bool(problem.rows_with_value.all())


def _without_value(claims: Claims, problem: Problem) -> bool:
    """A row has no value, and is not ignored either."""
    return not bool((problem.rows_with_value | problem.ignored_rows).all())


def _is_divided(claims: Claims, problem: Problem) -> bool:
    """A mean over nothing has no value that could have a derivative."""
    return denominator_of(problem) != 0


def _alike(claims: Claims, problem: Problem) -> bool:
    """Maps of the logits, terms of the rows and what goes with a row at most: they treat classes all alike."""
    objective = problem.objective
    return objective.options.keys() == {*objective.real_options, *objective.per_row_options}


def _factors_only(claims: Claims, problem: Problem) -> bool:
    """What goes with a row at most; and a mean over the first row alone has a value."""
    objective = problem.objective
    alone = denominator_of(problem.rows(slice(1)))
    return objective.options.keys() == objective.per_row_options.keys() and alone > 0


def _ruled_mean(claims: Claims, problem: Problem) -> bool:
    """A mean that would be another one by another rule of `mean_over`."""
    if not problem.objective.has_ruled_mean or _without_value(claims, problem):
        return False
    return len({float(denominators_of(problem, rule).sum()) for rule in MEANS}) > 1


def _shift_invariant(claims: Claims, problem: Problem) -> bool:
    """Nothing is on that tells logits from the same logits and a constant more."""
    return all(REAL_OPTIONS[name].shift_invariant for name in problem.objective.real_options)


def _coefficients(claims: Claims, problem: Problem) -> bool:
    """The loss is sum_j t_j (lse - x_j): of others no bound on the third derivative is known."""
    return not problem.objective.real_options


def _option(name: str) -> Condition:
    return lambda claims, problem: name in problem.objective.options and not _without_value(claims, problem)


def _random_sums(claims: Claims, problem: Problem) -> bool:
    return problem.objective.is_first_order and probable.has_random_sums(problem)


def _half_precision(claims: Claims, problem: Problem) -> bool:
    known = _primary(claims, problem) and problem.n_rows > 0 and problem.objective.is_first_order
    return known and claims.accumulates_in != "logits" and widened.is_covered(problem)


def _probability(claims: Claims, problem: Problem) -> bool:
    return problem.objective.targets == "probability" and problem.is_finite and not problem.objective.options


def _other_reduction(claims: Claims, problem: Problem) -> bool:
    objective = problem.objective
    return objective.reduction != claims.reduction[0] and not objective.options and _finite(claims, problem)


def _several_classes(claims: Claims, problem: Problem) -> bool:
    return problem.n_classes > 1


def _one_class(claims: Claims, problem: Problem) -> bool:
    return problem.n_classes == 1


def _with_rows(claims: Claims, problem: Problem) -> bool:
    return problem.n_rows > 0


def _without_rows(claims: Claims, problem: Problem) -> bool:
    return problem.n_rows == 0 and not problem.objective.options


def _deterministic(claims: Claims, problem: Problem) -> bool:
    return claims.deterministic


def _big_endian(claims: Claims, problem: Problem) -> bool:
    return claims.big_endian and problem.format.name != "bfloat16"


def _tiny(claims: Claims, problem: Problem) -> bool:
    return problem.logits.size <= TINY


def _has_complex(claims: Claims, problem: Problem) -> bool:
    half = moderate_limit(problem.format, problem.n_classes) / 2
    known = claims.complex_step and problem.format.name in calculus.COMPLEX
    return known and float(np.abs(problem.logits64).max()) <= half


def checks_of_real_options() -> Iterator[Check]:
    """A check for each option that is one number."""
    for name, option in REAL_OPTIONS.items():
        yield Check(options.real_option_is_as_defined(name, option), "options", _option(name))


def _first_order(claims: Claims, problem: Problem) -> bool:
    return problem.objective.is_first_order


def _other_derivative(claims: Claims, problem: Problem) -> bool:
    return not problem.objective.is_first_order


def _second_order(claims: Claims, problem: Problem) -> bool:
    return problem.objective.derivative in ("hessian", "hessian_diagonal", "hessian_vector_product")


def _sized(claims: Claims, problem: Problem) -> bool:
    return is_sized(problem) and not is_repeated(problem)


def _repeated(claims: Claims, problem: Problem) -> bool:
    return is_repeated(problem)


def _derivative(*names: str) -> Condition:
    return lambda claims, problem: problem.objective.derivative in names


def _backward(way: str) -> Condition:
    return lambda claims, problem: way in claims.backward


def _double(claims: Claims, problem: Problem) -> bool:
    return claims.double_backward


def _half(claims: Claims, problem: Problem) -> bool:
    return problem.format.name in backward.LOSS_SCALES


_CORE = _every(_finite, _without_options)
_ALIKE = _every(_finite, _alike)
_CALM = _every(_moderate, _without_options)
_OF_GRADIENT, _CALM_GRADIENT = _every(_CORE, _first_order), _every(_CALM, _first_order)
_CALLS = _every(_moderate, _primary, _small)
_ANY_CALL = _every(_moderate, _small)
_SHARP = _every(_OF_GRADIENT, _one_target)
_LABELS = _every(_ANY_CALL, _index)
_PASS = _every(_CALLS, _first_order)

# fmt: off
CHECKS: tuple[Check, ...] = (
    # contract
    Check(contract.returns_loss_and_gradient, "contract", _every(_with_rows, _first_order),
          needs_answer=False),
    Check(second_order.returns_loss_and_derivative, "contract", _every(_with_rows, _other_derivative),
          needs_answer=False),
    Check(contract.keeps_the_dtype, "contract", _ANY_CALL, claim="keeps_dtype", makes_calls=True),
    Check(contract.leaves_its_inputs_alone, "contract", _every(_with_rows, _small), makes_calls=True),
    Check(contract.leaves_the_process_as_it_was, "contract", _with_rows, needs_answer=False),
    Check(contract.outputs_share_no_memory, "contract", _ANY_CALL, makes_calls=True),
    Check(contract.same_call_gives_same_bits, "contract",
          _every(_moderate, _primary, _deterministic), makes_calls=True),
    Check(contract.calls_leave_no_state, "contract", _CALLS, makes_calls=True),
    Check(contract.layout_does_not_matter, "contract", _CALLS, makes_calls=True),
    Check(contract.integer_type_of_the_labels_does_not_matter, "contract", _LABELS, makes_calls=True),
    Check(contract.byte_order_does_not_matter, "contract", _every(_CALLS, _big_endian), makes_calls=True),
    Check(contract.empty_batch_is_answered, "contract", _without_rows,
          claim="empty_batch", needs_answer=False),
    Check(contract.refuses_bad_labels, "contract",
          _LABELS, claim="refuses_bad_labels", comes_last=True, makes_calls=True),
    Check(contract.refuses_bad_shapes, "contract",
          _LABELS, claim="refuses_bad_labels", comes_last=True, makes_calls=True),
    Check(contract.is_quiet, "contract", _finite, "advice"),
    # contract of a backward pass
    Check(backward.upstream_gradient_multiplies_the_gradient, "contract",
          _every(_PASS, _backward("scaled")), makes_calls=True),
    Check(backward.scaled_loss_gives_the_same_gradient, "contract",
          _every(_PASS, _backward("scaled"), _half), makes_calls=True),
    Check(backward.second_backward_pass_gives_the_same_gradient, "contract",
          _every(_PASS, _backward("twice")), makes_calls=True),
    Check(backward.gradients_accumulate, "contract",
          _every(_PASS, _backward("accumulated"), _deterministic), makes_calls=True),
    Check(backward.logits_may_need_no_gradient, "contract",
          _every(_PASS, _backward("detached")), makes_calls=True),
    Check(backward.gradient_can_be_differentiated_again, "contract",
          _every(_PASS, _backward("double"), _double), makes_calls=True),
    # invariants
    Check(invariants.rows_sum_to_zero, "invariants", _every(_ALIKE, _shift_invariant, _first_order)),
    Check(invariants.rows_sum_to_zero_relative_to_largest, "invariants", _SHARP, "inaccurate"),
    Check(invariants.entries_have_the_right_sign_and_size, "invariants", _OF_GRADIENT),
    Check(invariants.loss_is_not_negative, "invariants", _CORE),
    Check(invariants.adding_a_constant_changes_nothing, "invariants", _CALM, makes_calls=True),
    Check(invariants.adding_2_to_30_exactly_changes_nothing, "invariants", _CALM, "unstable", makes_calls=True),
    Check(invariants.permuting_rows_permutes_the_gradient, "invariants", _ALIKE, makes_calls=True),
    Check(invariants.permuting_classes_permutes_the_gradient, "invariants", _ALIKE, makes_calls=True),
    Check(invariants.rows_are_independent, "invariants", _CORE, makes_calls=True),
    Check(invariants.batch_is_additive, "invariants", _every(_moderate, _factors_only), makes_calls=True),
    Check(invariants.loss_is_convex, "invariants", _CALM_GRADIENT, makes_calls=True),
    Check(invariants.gradient_is_lipschitz, "invariants", _CALM_GRADIENT, makes_calls=True),
    # calculus
    Check(differences.gradient_is_the_derivative_of_its_own_loss, "calculus",
          _every(_moderate, _several_classes, _is_divided, _coefficients, _first_order), makes_calls=True),
    Check(calculus.complex_step_gives_the_gradient, "calculus",
          _every(_CALLS, _tiny, _has_complex, _first_order), makes_calls=True),
    Check(calculus.gradient_integrates_to_the_loss, "calculus", _every(_CALM_GRADIENT, _small), makes_calls=True),
    Check(calculus.gradient_is_monotone, "calculus", _CALM_GRADIENT, makes_calls=True),
    # accuracy
    Check(accuracy.loss_is_right, "accuracy", _CALM),
    Check(accuracy.gradient_is_right, "accuracy", _CALM_GRADIENT),
    Check(precision.loss_is_as_accurate_as_the_gradient, "accuracy", _half_precision, "unstable"),
    Check(precision.gradient_is_as_accurate_as_the_loss, "accuracy", _half_precision, "unstable"),
    Check(accuracy.loss_within_probable_error, "accuracy", _random_sums, "improbable"),
    Check(accuracy.gradient_within_probable_error, "accuracy", _random_sums, "improbable"),
    Check(accuracy.loss_within_a_few_ulp, "accuracy", _SHARP, "inaccurate"),
    Check(accuracy.target_entry_within_a_few_ulp, "accuracy", _SHARP, "inaccurate"),
    Check(accuracy.other_entries_within_a_few_ulp, "accuracy", _SHARP, "inaccurate"),
    # stability: every family
    Check(accuracy.loss_within_forward_error, "stability", _CORE, "unstable"),
    Check(accuracy.gradient_within_forward_error, "stability", _OF_GRADIENT, "unstable"),
    # domain
    Check(domain.one_class_costs_nothing, "domain", _every(_CORE, _one_class)),
    Check(domain.masked_class_has_probability_zero, "domain", _every(_is_masked, _without_options), "unstable"),
    Check(domain.rows_without_value_are_not_hidden, "domain", _without_value, "unstable"),
    Check(domain.rows_without_value_are_nan, "domain", _without_value, "unstable", claim="nan_rows"),
    # options
    Check(options.other_reduction_is_as_defined, "options", _other_reduction),
    Check(options.probability_targets_are_as_defined, "options", _probability),
    Check(options.label_smoothing_is_as_defined, "options", _option("label_smoothing")),
    Check(options.class_weights_are_as_defined, "options", _option("class_weights")),
    Check(options.ignore_index_is_as_defined, "options", _option("ignore_index")),
    *checks_of_real_options(),
    Check(options.sample_weights_are_as_defined, "options", _option("sample_weights")),
    Check(options.upstream_is_as_defined, "options", _option("upstream")),
    Check(options.mean_is_over_what_is_claimed, "options", _ruled_mean),
    # sizes: of problems that no other check is asked on
    Check(sizes.answer_is_right_at_this_size, "sizes", _sized, needs_answer=False),
    Check(sizes.earlier_answers_stay_as_they_were, "sizes", _repeated, needs_answer=False),
    # other derivatives than the gradient
    Check(second_order.derivative_is_right, "accuracy", _every(_CORE, _other_derivative)),
    Check(second_order.derivative_is_the_slope_of_the_exact_gradient, "calculus",
          _every(_moderate, _tiny, _is_divided, _second_order)),
    Check(second_order.hessian_is_symmetric, "invariants", _every(_finite, _derivative("hessian"))),
    Check(second_order.hessian_rows_sum_to_zero, "invariants", _every(_finite, _derivative("hessian"))),
    Check(second_order.hessian_is_not_negative, "invariants",
          _every(_finite, _derivative("hessian", "hessian_diagonal"))),
    Check(second_order.product_is_linear, "invariants",
          _every(_CORE, _derivative("hessian_vector_product")), makes_calls=True),
    Check(second_order.product_is_symmetric, "invariants",
          _every(_CORE, _derivative("hessian_vector_product")), makes_calls=True),
    Check(second_order.product_of_a_constant_vector_is_zero, "invariants",
          _every(_CORE, _derivative("hessian_vector_product")), makes_calls=True),
    Check(second_order.loss_is_linear_in_the_targets, "calculus",
          _every(_moderate, _derivative("target_gradient")), makes_calls=True),
)
# fmt: on


_OF_SIZES = tuple(check for check in CHECKS if check.group == "sizes")
_NAMED = {check.name: check for check in CHECKS}


def check_named(name: str) -> Check:
    """The check of this name. Raises KeyError where there is none."""
    return _NAMED[name]


copyreg.pickle(Check, lambda check: (check_named, (check.name,)))  # its conditions are closures, which do not travel


def applicable(claims: Claims, problem: Problem) -> list[Check]:
    """The checks that say something about this problem for an implementation with these claims, in table order.

    Of a problem of the family of sizes these are its own: it may be large, and what other checks need of it larger.
    """
    asked = _OF_SIZES if is_sized(problem) else CHECKS
    return [check for check in asked if check.applies(claims, problem)]
