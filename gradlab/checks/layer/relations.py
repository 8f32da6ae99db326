"""What holds between the outputs of a layer, and between those for problems that belong together; no oracle is needed.

Every tolerance is made of the proved bounds of the outputs that are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gradlab.checks.check import Findings
from gradlab.checks.layer.conditions import frame_of
from gradlab.checks.layer.outputs import GRADIENTS, Outputs, agree_in, bounds_of, data_part, outputs_of
from gradlab.evaluation.call import Implementation
from gradlab.layer.problem import LayerProblem, Penalty
from gradlab.problems.coefficients import denominator_of
from gradlab.problems.families.placing import round_to
from gradlab.problems.problem import Array
from gradlab.result import asking, within

_HALVES = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2  # orthogonal, exactly
_GRID_BITS = 5  # of features and weight that are mixed: sums of four halves of them are exact in every format
_FLOAT64 = 2.0**-50  # of float64's own roundings in sums that are made here, relative to the sums of sizes
Limits = Mapping[str, Array]


def weight_gradient_sums_to_zero_over_the_classes(implementation: Implementation, problem: LayerProblem) -> Findings:
    """Each feature's row of dW sums to what the penalty adds, and db to 0: the rows of p - t sum to 0."""
    given, bounds = outputs_of(implementation, problem), bounds_of(implementation, problem)
    findings: Findings = []
    for name in ("dW", "db"):
        if name in given:
            data = data_part(name, given[name], problem)
            limit = bounds.output(name).error.sum(axis=-1) + _FLOAT64 * np.abs(given[name]).sum(axis=-1)
            where = f"{name}{'[{}]' if data.ndim == 2 else ''} without the penalty, its sum over the classes,"
            findings.append(within(where, data.sum(axis=-1), 0.0, limit, "the sum of the proved bounds"))
    return findings


def features_and_weight_have_one_product_with_their_gradients(
    implementation: Implementation, problem: LayerProblem
) -> Findings:
    """sum X dX = sum W dW without the penalty, as both are the sum of G (X W)."""
    given, bounds = outputs_of(implementation, problem), bounds_of(implementation, problem)
    x, w = problem.features64, problem.weight64
    data = data_part("dW", given["dW"], problem)
    limit = (np.abs(x) * bounds.dX.error).sum() + (np.abs(w) * bounds.dW.error).sum()
    limit += _FLOAT64 * ((np.abs(x * given["dX"])).sum() + np.abs(w * given["dW"]).sum())
    return [
        within("the sum of X dX", (x * given["dX"]).sum(), (w * data).sum(), limit, "the proved bounds of dX and dW")
    ]


def a_feature_of_ones_gets_the_bias_gradient(implementation: Implementation, problem: LayerProblem) -> Findings:
    """A further feature that is 1 in every row, with weights of 0, has db as its row of dW; nothing else changes."""
    wider = _with_feature(problem, np.ones(problem.n_rows), np.zeros(problem.n_classes)).replace(penalty=Penalty())
    given, bounds = outputs_of(implementation, wider), bounds_of(implementation, wider)
    limit = bounds.dW.error[-1] + bounds.db.error
    return asking(
        wider, [within("dW of the ones [{}]", given["dW"][-1], given["db"], limit, "the bounds of dW and db")]
    )


def a_feature_of_zeros_changes_nothing(implementation: Implementation, problem: LayerProblem) -> Findings:
    """A further feature that is 0 in every row changes nothing else, whatever its weights; its row of dW is 0."""
    base = problem.replace(penalty=Penalty())
    weights = np.linspace(-1, 1, problem.n_classes)
    wider = _with_feature(base, np.zeros(problem.n_rows), weights)
    plain, given = outputs_of(implementation, base), outputs_of(implementation, wider)
    limits = _sums(_limits(implementation, base), _cropped(_limits(implementation, wider)))
    findings = agree_in(("loss", *GRADIENTS), _cropped(given), plain, limits)
    if "dW" in given:
        nothing = bounds_of(implementation, wider).dW.error[-1]
        findings.append(within("dW of the zeros [{}]", given["dW"][-1], 0.0, nothing, "the proved bound"))
    return asking(wider, findings)


def scaling_a_feature_scales_its_gradients(implementation: Implementation, problem: LayerProblem) -> Findings:
    """A feature times 8 with its weights by 8: its dX is divided by 8, its dW multiplied, and the rest is the same."""
    base = problem.replace(penalty=Penalty())
    factor = np.ones(problem.n_features)
    factor[0] = 8.0
    scaled = base.replace(
        features=round_to(problem.format, problem.features64 * factor),
        weight=round_to(problem.format, problem.weight64 / factor[:, None]),
    )
    if not _is_scaled(scaled, base, factor):
        return []  # out of the format's range
    plain, given = outputs_of(implementation, base), outputs_of(implementation, scaled)
    back = {"loss": 1.0, "dX": factor[None, :], "dW": 1 / factor[:, None], "db": 1.0}
    seen = {name: array * back[name] for name, array in given.items()}
    own = {name: limit * back[name] for name, limit in _limits(implementation, scaled).items()}
    return asking(scaled, agree_in(("loss", *GRADIENTS), seen, plain, _sums(own, _limits(implementation, base))))


def permuting_the_features_permutes_their_gradients(implementation: Implementation, problem: LayerProblem) -> Findings:
    """Features in another order, with their weights, have the same gradients in that order."""
    order = np.random.default_rng(int(problem.digest, 16)).permutation(problem.n_features)
    other = problem.replace(features=problem.features[:, order], weight=problem.weight[order])
    back = np.argsort(order)
    given = outputs_of(implementation, other)
    seen = _indexed(given, {"dX": (slice(None), back), "dW": (back,)})
    return _agree_with(implementation, problem, other, seen)


def permuting_the_classes_permutes_their_weights(implementation: Implementation, problem: LayerProblem) -> Findings:
    """Classes in another order have the same gradients by their weights and bias in that order, and the same dX."""
    order = np.random.default_rng(int(problem.digest, 16)).permutation(problem.n_classes)
    back = np.argsort(order)
    soft = problem.objective.targets == "probability"
    targets = problem.targets[:, order] if soft else back[problem.targets]
    bias = None if problem.bias is None else problem.bias[order]
    other = problem.replace(weight=problem.weight[:, order], bias=bias, targets=targets)
    given = outputs_of(implementation, other)
    return _agree_with(implementation, problem, other, _indexed(given, {"dW": (slice(None), back), "db": (back,)}))


def permuting_the_rows_permutes_their_gradients(implementation: Implementation, problem: LayerProblem) -> Findings:
    """Examples in another order have the same dX in that order, and the same loss, dW and db."""
    order = np.random.default_rng(int(problem.digest, 16)).permutation(problem.n_rows)
    other, back = problem.rows(order), np.argsort(order)
    loss = {"loss": (back,)} if problem.objective.reduction == "none" else {}
    given = outputs_of(implementation, other)
    return _agree_with(implementation, problem, other, _indexed(given, {"dX": (back,), **loss}))


def mixing_the_features_mixes_their_gradients(implementation: Implementation, problem: LayerProblem) -> Findings:
    """Four features mixed orthogonally, and their weights alike: the gradients are mixed alike."""
    if problem.n_features < 4:
        return []
    base = _on_grid(problem)
    mix = np.eye(problem.n_features)
    mix[:4, :4] = _HALVES
    features, weight = base.features64 @ mix, mix.T @ base.weight64
    other = base.replace(features=features.astype(base.features.dtype), weight=weight.astype(base.weight.dtype))
    if not (np.array_equal(other.features64, features) and np.array_equal(other.weight64, weight)):
        return []  # not exact in the format
    plain, given = outputs_of(implementation, base), outputs_of(implementation, other)
    seen = _mixed(given, mix, mix)
    limits = _sums(_limits(implementation, base), _mixed(_limits(implementation, other), np.abs(mix), np.abs(mix)))
    return asking(other, agree_in(("loss", *GRADIENTS), seen, plain, limits))


def rows_of_a_layer_are_independent(implementation: Implementation, problem: LayerProblem) -> Findings:
    """With other features in all rows but the first, the first row of dX stays as it is."""
    features = -problem.features
    features[0] = problem.features[0]
    other = problem.replace(features=features)
    plain, given = outputs_of(implementation, problem), outputs_of(implementation, other)
    bounds = bounds_of(implementation, problem).dX.error[0] + bounds_of(implementation, other).dX.error[0]
    found = within("dX[0, {}]", given["dX"][0], plain["dX"][0], bounds, "the proved bounds of both answers")
    return asking(other, [found])


def batch_of_a_layer_is_additive(implementation: Implementation, problem: LayerProblem) -> Findings:
    """A batch, less the penalty, is made of its parts: loss, dW and db are their sums, or means by their rows."""
    cut = max(1, problem.n_rows // 3)
    parts = [problem.rows(slice(cut)), problem.rows(slice(cut, None))]
    whole = outputs_of(implementation, problem)
    names = ("dW", "db") if problem.objective.reduction == "none" else ("loss", "dW", "db")
    shares = [_share(part, problem) for part in parts]
    given = [outputs_of(implementation, part) for part in parts]
    wanted, limits = {}, dict(_limits(implementation, problem))
    own = [_limits(implementation, part) for part in parts]
    for name in names:
        if name in whole:
            data = (data_part(name, one[name], part) for one, part in zip(given, parts, strict=True))
            wanted[name] = np.asarray(sum(share * one for share, one in zip(shares, data, strict=True)))
            limits[name] = limits[name] + sum(share * one[name] for share, one in zip(shares, own, strict=True))
            limits[name] = limits[name] + _FLOAT64 * np.abs(whole[name])
    seen = {name: data_part(name, whole[name], problem) for name in wanted}
    return agree_in(names, seen, wanted, limits)


def doubled_examples_count_twice(implementation: Implementation, problem: LayerProblem) -> Findings:
    """With every example twice a mean and its gradients by the parameters stay as they are, and a sum is doubled."""
    twice = problem.rows(np.repeat(np.arange(problem.n_rows), 2))
    factor = 1.0 if problem.objective.reduction == "mean" else 2.0
    plain, given = outputs_of(implementation, problem), outputs_of(implementation, twice)
    names = tuple(name for name in ("loss", "dW", "db") if name != "loss" or problem.objective.reduction != "none")
    wanted = {n: factor * data_part(n, plain[n], problem) for n in names if n in plain}
    seen = {n: data_part(n, given[n], twice) for n in names if n in given}
    own, other = _limits(implementation, problem), _limits(implementation, twice)
    limits = {name: factor * own[name] + other[name] for name in names}
    return asking(twice, agree_in(names, seen, wanted, limits))


def penalty_is_in_loss_and_gradients_alike(implementation: Implementation, problem: LayerProblem) -> Findings:
    """What the penalty adds to the loss has what it adds to dW and db as its derivatives: (dW . W + db . b)/2."""
    base = problem.replace(penalty=replace(problem.penalty, strength=0.0))
    plain, given = outputs_of(implementation, base), outputs_of(implementation, problem)
    own, other = _limits(implementation, problem), _limits(implementation, base)
    added, slopes, limit = given["loss"] - plain["loss"], 0.0, float(own["loss"] + other["loss"])
    for name, values in (("dW", problem.weight64), ("db", problem.bias64)):
        if name in given and (name == "dW" or problem.penalty.takes_bias):
            slopes += float((values * (given[name] - plain[name])).sum()) / 2
            limit += float((np.abs(values) * (own[name] + other[name])).sum()) / 2
    return [within("what the penalty adds to the loss", added, slopes, limit, "the proved bounds of both answers")]


def ignored_batch_has_no_gradient(implementation: Implementation, problem: LayerProblem) -> Findings:
    """Where every row is ignored dX is 0, and dW and db are what the penalty adds."""
    given, bounds = outputs_of(implementation, problem), bounds_of(implementation, problem)
    return [
        within(
            f"{name}[{', '.join(['{}'] * given[name].ndim)}] of ignored rows",
            data_part(name, given[name], problem),
            0.0,
            np.where(problem.penalty.is_on, bounds.output(name).error, 0.0),
            "no row counts",
        )
        for name in GRADIENTS
        if name in given
    ]


def _agree_with(implementation: Implementation, problem: LayerProblem, other: LayerProblem, seen: Outputs) -> Findings:
    """The findings that the other problem's outputs, put back in order, are those of the problem."""
    limits = {name: 2 * limit for name, limit in _limits(implementation, problem).items()}  # the same in any order
    return asking(other, agree_in(("loss", *GRADIENTS), seen, outputs_of(implementation, problem), limits))


def _limits(implementation: Implementation, problem: LayerProblem) -> Limits:
    bounds = bounds_of(implementation, problem)
    return {name: bounds.output(name).error for name in ("loss", *GRADIENTS)}


def _sums(first: Limits, second: Limits) -> Limits:
    return {name: first[name] + second[name] for name in first}


def _with_feature(problem: LayerProblem, values: Array, weights: Array) -> LayerProblem:
    dtype = problem.features.dtype
    features = np.hstack([problem.features, values[:, None].astype(dtype)])
    return problem.replace(features=features, weight=np.vstack([problem.weight, weights[None, :].astype(dtype)]))


def _cropped(given: Outputs) -> Outputs:
    """Outputs without those of the last feature."""
    places = {"dX": (slice(None), slice(-1)), "dW": (slice(-1),)}
    return _indexed(given, places)


def _indexed(given: Outputs, places: Mapping[str, tuple[slice | Array, ...]]) -> Outputs:
    return {name: array[places[name]] if name in places else array for name, array in given.items()}


def _mixed(given: Outputs, features: Array, weight: Array) -> Outputs:
    """The gradients of mixed features as those of the features: X Q has dX Q, Q^T W has Q^T dW."""
    turned = {"dX": lambda array: array @ features.T, "dW": lambda array: weight @ array}
    return {name: turned[name](array) if name in turned else array for name, array in given.items()}


def _on_grid(problem: LayerProblem) -> LayerProblem:
    """The problem with features and weight of few bits, without a penalty."""

    def rounded(values: Array) -> Array:
        largest = float(np.abs(values).max())
        step = 2.0 ** (np.ceil(np.log2(largest)) - _GRID_BITS) if largest else 1.0
        return np.rint(values / step) * step

    dtype = problem.features.dtype
    features, weight = (rounded(one).astype(dtype) for one in (problem.features64, problem.weight64))
    return problem.replace(features=features, weight=weight, penalty=Penalty())


def _is_scaled(scaled: LayerProblem, base: LayerProblem, factor: Array) -> bool:
    exact = np.array_equal(scaled.features64, base.features64 * factor)
    return exact and np.array_equal(scaled.weight64 * factor[:, None], base.weight64)


def _share(part: LayerProblem, whole: LayerProblem) -> float:
    """How much a part counts in the reduction of the whole."""
    if whole.objective.reduction != "mean":
        return 1.0
    return float(denominator_of(frame_of(part)) / denominator_of(frame_of(whole)))
