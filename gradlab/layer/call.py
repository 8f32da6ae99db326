"""Calling a layer: from a problem to arguments in the function's own order, and from what came back to an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradlab.evaluation.call import CallFaultError, Implementation, Outcome, perform, real_array
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.foreign import Leaves, describe_error, kind_of, leaves_of
from gradlab.evaluation.keywords import keywords_for
from gradlab.evaluation.layer_claims import LayerClaims
from gradlab.evaluation.one_hot import one_hot_rows
from gradlab.layer.answer import LayerAnswer
from gradlab.layer.problem import LayerProblem, Penalty
from gradlab.problems.caching import remember
from gradlab.problems.problem import Array

Spell = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class LayerCall:
    """The arguments of one call, to be handed over as they are.

    arrays: those among them, by what they are: X, W, b, targets; in the layout that is claimed.
    """

    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    arrays: Mapping[str, Array]


def layer_claims(claims: Claims) -> LayerClaims:
    """How a layer is called. Raises ValueError where it is not known what it takes."""
    if claims.layer is None or not claims.layer.is_taken_claimed:
        raise ValueError("a layer must claim what it takes")
    return claims.layer


def adapt_layer_to_claims(claims: Claims, problem: LayerProblem) -> LayerProblem:
    """The problem with the reduction and rule of the mean claimed first, and the bias and the penalty that are taken.

    A bias of zeros is added where one is taken, and one is left out where none is.
    """
    layer = layer_claims(claims)
    objective = replace(problem.objective, reduction=claims.reduction[0], mean_over=claims.mean_over[0])
    bias = problem.bias if problem.bias is not None else np.zeros(problem.n_classes, problem.weight.dtype)
    strength = problem.penalty.strength if "l2" in layer.taken and objective.reduction != "none" else 0.0
    takes_bias = bool(layer.l2_takes_bias)
    penalty = Penalty(strength, layer.halves_l2, takes_bias) if strength else Penalty()
    return problem.replace(objective=objective, bias=bias if "b" in layer.taken else None, penalty=penalty)


def admits_layer(claims: Claims, problem: LayerProblem) -> bool:
    """Whether a problem is one that a layer with these claims can be asked: as `adapt_layer_to_claims` makes them."""
    layer, objective, penalty = layer_claims(claims), problem.objective, problem.penalty
    known = objective.reduction in claims.reduction and objective.targets in claims.targets
    known &= objective.mean_over in claims.mean_over or not objective.has_ruled_mean
    known &= set(objective.options) <= set(claims.options) and ("b" in layer.taken) == (problem.bias is not None)
    if not penalty.is_on:
        return known
    same = penalty.halved == layer.halves_l2 and penalty.takes_bias == bool(layer.l2_takes_bias)
    return known and "l2" in layer.taken and same


def layer_call_for(
    implementation: Implementation,
    problem: LayerProblem,
    instead: Mapping[str, Array] | None = None,
    spell: Spell = np.ascontiguousarray,
) -> LayerCall:
    """A call with fresh, writable copies of the problem's arrays, in the order and the layouts that are claimed.

    instead: other arrays in their place, by what they are (X, W, b, targets), in the problem's layout. spell: how each
    lies in memory. Raises ValueError where the problem has no bias and one is taken, and for labels that are to be
    handed over as one-hot rows and have none.
    """
    claims, layer = implementation.claims, layer_claims(implementation.claims)
    plain = {"X": problem.features, "W": problem.weight, "b": problem.bias, "targets": problem.targets}
    given = {**plain, **(instead or {})}
    arrays = {name: _arrange(name, given[name], claims, problem) for name in layer.taken if name in given}
    arrays = {name: spell(array) for name, array in arrays.items()}
    l2 = layer.l2_handed_over(problem.penalty.strength, problem.n_rows)
    values: dict[str, Any] = {**arrays, "l2": l2, "n_classes": problem.n_classes}
    values["n_features"] = problem.n_features
    keywords = {keyword: values[name] for name, keyword in layer.taken.items() if keyword}
    keywords |= keywords_for(claims, problem.objective, problem.features.dtype, (problem.n_rows, problem.n_classes))
    return LayerCall(tuple(values[name] for name, keyword in layer.taken.items() if not keyword), keywords, arrays)


def layer_call_in(
    implementation: Implementation, arrays: Mapping[str, Array], keywords: Mapping[str, Any]
) -> LayerCall:
    """A call on these arrays themselves, not on copies, without a penalty; keywords: those of the objective.

    arrays: X (N, D), W (D, K), b (K,) and the targets as they are handed over, by what they are.
    """
    layer = layer_claims(implementation.claims)
    turned = {name: _turned(name, arrays[name], layer) for name in layer.taken if name in arrays}
    values: dict[str, Any] = {**turned, "l2": 0.0, "n_classes": arrays["W"].shape[1], "n_features": len(arrays["W"])}
    named = {keyword: values[name] for name, keyword in layer.taken.items() if keyword}
    in_order = tuple(values[name] for name, keyword in layer.taken.items() if not keyword)
    return LayerCall(in_order, {**named, **keywords}, turned)


def problem_as_left(claims: Claims, problem: LayerProblem, arrays: Mapping[str, Array]) -> LayerProblem:
    """The problem with features, weight and bias as a call leaves them; arrays: those of the call."""
    layer = layer_claims(claims)
    bias = None if problem.bias is None else arrays["b"].reshape(problem.bias.shape)
    return problem.replace(
        features=_turned("X", arrays["X"], layer), weight=_turned("W", arrays["W"], layer), bias=bias
    )


def evaluate_layer(implementation: Implementation, problem: LayerProblem) -> LayerAnswer:
    """The answer to one problem, from a fresh call."""
    return answer_to_layer_call(implementation, layer_call_for(implementation, problem), problem)


@remember(512)
def layer_answer(implementation: Implementation, problem: LayerProblem) -> LayerAnswer:
    """The answer to one problem, remembered; its arrays are copies, and read-only."""
    fresh = evaluate_layer(implementation, problem)
    kept: dict[str, Any] = {name: array.copy() for name, array in fresh.outputs.items()}
    for array in kept.values():
        array.flags.writeable = False
    return replace(fresh, **kept)


def answer_to_layer_call(implementation: Implementation, call: LayerCall, problem: LayerProblem) -> LayerAnswer:
    """The answer from a call with arrays of the caller's choice; problem: whose shapes the outputs must have."""
    outcome = perform(implementation.function, call, implementation.capture, leaves_of)
    error = outcome.error
    if isinstance(error, CallFaultError):
        return _faulty(str(error), outcome)
    if error is not None:
        raised = f"raised {describe_error(error)}"
        return LayerAnswer(fault=raised, raised=kind_of(error), noise=outcome.noise, changed=outcome.changed)
    found: dict[str, Any] = {}
    for name, place in layer_claims(implementation.claims).places.items():
        array, fault = _output(outcome.value, name, place, implementation.claims, problem)
        if array is None:
            return _faulty(str(fault), outcome)
        found[name] = array
    return LayerAnswer(**found, noise=outcome.noise, changed=outcome.changed)


def _faulty(fault: str, outcome: Outcome) -> LayerAnswer:
    return LayerAnswer(fault=fault, noise=outcome.noise, changed=outcome.changed)


def _arrange(name: str, array: Array | None, claims: Claims, problem: LayerProblem) -> Array:
    """A fresh copy of one array of the problem in the layout that is claimed."""
    layer = layer_claims(claims)
    if array is None:
        raise ValueError(f"a layer that takes {name} needs a problem that has it")
    if name == "targets" and claims.one_hot:
        shape = (problem.n_rows, problem.n_classes)
        array = one_hot_rows(array, shape, problem.features.dtype)
    return np.array(_turned(name, np.array(array), layer))


def claimed_shape(output: str, layer: LayerClaims, problem: LayerProblem) -> tuple[int, ...]:
    """The shape in which an output is to come back, in the layout that is claimed."""
    shape: tuple[int, ...] = _turned(output, np.empty(problem.shape_of(output)), layer).shape
    return shape


def _turned(name: str, array: Array, layer: LayerClaims) -> Array:
    """An array in the layout that is claimed, out of the problem's; and, but for a bias, the other way round."""
    if name in ("W", "dW") and layer.weight_layout == "KD":
        return array.T
    if name in ("X", "dX", "targets") and layer.feature_layout == "DN" and array.ndim == 2:
        return array.T
    if name in ("b", "db") and layer.bias_layout in ("1K", "K1"):
        return array[None, :] if layer.bias_layout == "1K" else array[:, None]
    return array


def _output(
    value: Leaves, name: str, place: str, claims: Claims, problem: LayerProblem
) -> tuple[Array | None, str | None]:
    """One of the outputs, in the problem's layout, out of what came back; or why there is none."""
    layer = layer_claims(claims)
    if place not in value.parts:
        return None, f"returned {value.text}, must return {', '.join(layer.returns)}"
    array, fault = real_array(value.parts[place], name, claimed_shape(name, layer, problem))
    if array is None:
        return None, fault
    own = array.reshape(problem.shape_of(name)) if name == "db" else _turned(name, array, layer)
    return own, None
