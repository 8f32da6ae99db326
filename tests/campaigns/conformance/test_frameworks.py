"""What the frameworks follow, where they are installed: the cases in which they are known to differ."""

from __future__ import annotations

from typing import Any

import pytest

from gradlab.campaigns.conformance.profile import profile_of
from gradlab.targets.load import load

EVERYTHING = {"options": ["label_smoothing", "class_weights", "ignore_index"], "targets": ["index", "probability"]}
PROBABILITIES = {"masks": True, "normalised_targets": False}

# The package, the target, what is claimed besides, and rules that are followed in both dtypes.
FOLLOWED: list[tuple[str, str, dict[str, Any], dict[str, str]]] = [
    (
        "torch",
        "torch:cross_entropy",
        EVERYTHING,
        {
            "weighted_mean": "sum_of_weights",
            "weighted_mean_of_probabilities": "number_of_rows",
            "weights_with_smoothing": "per_class",
            "label_smoothing": "epsilon_over_k",
            "all_rows_ignored": "nan_loss",
            "targets_of_any_sum": "derivative",
            "masked_class_of_probability_0": "nan_loss",
            "label_minus_1": "refused",
            "label_minus_100": "ignored",
            "subnormals": "kept",
        },
    ),
    (
        "optax",
        "jax:optax.softmax_cross_entropy_with_integer_labels",
        {},
        {"label_k": "nan_loss", "label_minus_1": "wraps", "infinite_logit": "nan_there", "subnormals": "flushed"},
    ),
    (
        "optax",
        "jax:optax.softmax_cross_entropy",
        PROBABILITIES,
        {"masked_class_of_probability_0": "nan_loss", "targets_of_any_sum": "derivative", "label_k": "not claimed"},
    ),
    ("optax", "jax:optax.safe_softmax_cross_entropy", PROBABILITIES, {"masked_class_of_probability_0": "zero"}),
    ("sklearn", "sklearn:HalfMultinomialLoss", {}, {"label_k": "no_class", "label_minus_1": "no_class"}),
    ("scipy", "scipy:logsumexp", {}, {"infinite_logit": "nan_gradient", "label_minus_1": "wraps"}),
    ("tensorflow", "tensorflow:softmax_cross_entropy_with_logits", PROBABILITIES, {"targets_of_any_sum": "p_minus_t"}),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("package", "target", "claims", "rules"), FOLLOWED, ids=[one[1] for one in FOLLOWED])
def test_a_framework_follows(package: str, target: str, claims: Any, rules: dict[str, str], dtype: str) -> None:
    pytest.importorskip(package)
    found = profile_of(load(target, claims)[0], dtype)
    assert {case: found[case].name for case in rules} == rules
    assert [case for case, one in found.items() if one.name == "another rule"] == []
