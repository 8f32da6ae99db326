# Generated from the definitions by `python -m gradlab.symbolic.generate`: do not edit.
"""Loss and gradient of every form, and the options' coefficients, for one row in ball arithmetic.

Each answer encloses the exact value at the inputs, whatever the working precision (flint.ctx.prec) is; it costs O(K),
the Hessian O(K^2). Logits must be finite. A reduction takes all rows' losses and denominators.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

from flint import arb

_ZERO = arb(0)


def textbook(logits: list[arb], coefficients: list[arb]) -> tuple[arb, list[arb]]:
    """Loss and gradient: the definition as it stands, without a shift."""
    classes = range(len(logits))
    exponentials = [logits[j].exp() for j in classes]
    total = sum((exponentials[k] for k in classes), _ZERO)
    probabilities = [exponentials[j] / total for j in classes]
    terms = [_ZERO if coefficients[j].is_zero() else coefficients[j] * probabilities[j].log() for j in classes]
    coefficient_sum = sum((coefficients[k] for k in classes), _ZERO)
    loss = -sum((terms[j] for j in classes), _ZERO)
    gradient = [coefficient_sum * probabilities[j] - coefficients[j] for j in classes]
    return loss, gradient


def shifted(logits: list[arb], coefficients: list[arb]) -> tuple[arb, list[arb]]:
    """Loss and gradient: the largest logit is subtracted before exp."""
    classes = range(len(logits))
    largest = max(classes, key=logits.__getitem__)
    shifted_logits = [logits[j] - logits[largest] for j in classes]
    exponentials = [shifted_logits[j].exp() for j in classes]
    total = sum((exponentials[k] for k in classes), _ZERO)
    log_total = total.log()
    probabilities = [exponentials[j] / total for j in classes]
    terms = [_ZERO if coefficients[j].is_zero() else coefficients[j] * (log_total - shifted_logits[j]) for j in classes]
    coefficient_sum = sum((coefficients[k] for k in classes), _ZERO)
    loss = sum((terms[j] for j in classes), _ZERO)
    gradient = [coefficient_sum * probabilities[j] - coefficients[j] for j in classes]
    return loss, gradient


def log_space(logits: list[arb], coefficients: list[arb]) -> tuple[arb, list[arb]]:
    """Loss and gradient: first the logarithms of the probabilities, then the probabilities as their exponentials."""
    classes = range(len(logits))
    largest = max(classes, key=logits.__getitem__)
    shifted_logits = [logits[j] - logits[largest] for j in classes]
    total = sum((shifted_logits[k].exp() for k in classes), _ZERO)
    log_total = total.log()
    log_probabilities = [shifted_logits[j] - log_total for j in classes]
    probabilities = [log_probabilities[j].exp() for j in classes]
    terms = [_ZERO if coefficients[j].is_zero() else log_probabilities[j] * coefficients[j] for j in classes]
    coefficient_sum = sum((coefficients[k] for k in classes), _ZERO)
    loss = -sum((terms[j] for j in classes), _ZERO)
    gradient = [coefficient_sum * probabilities[j] - coefficients[j] for j in classes]
    return loss, gradient


def complement(logits: list[arb], coefficients: list[arb]) -> tuple[arb, list[arb]]:
    """Loss and gradient: the target's entry and the loss are made from the other classes, so that nothing cancels."""
    classes = range(len(logits))
    largest = max(classes, key=logits.__getitem__)
    shifted_logits = [logits[j] - logits[largest] for j in classes]
    exponentials = [shifted_logits[j].exp() for j in classes]
    rest = sum((exponentials[k] for k in classes if k != largest), _ZERO)
    total = 1 + rest
    log_total = rest.log1p()
    probabilities = [exponentials[j] / total for j in classes]
    terms = [_ZERO if coefficients[j].is_zero() else coefficients[j] * (log_total - shifted_logits[j]) for j in classes]
    coefficients_before = list(accumulate((coefficients[k] for k in classes[:-1]), initial=_ZERO))
    coefficients_after = list(accumulate((coefficients[k] for k in classes[:0:-1]), initial=_ZERO))[::-1]
    other_coefficients = [coefficients_before[j] + coefficients_after[j] for j in classes]
    probabilities_before = list(accumulate((probabilities[k] for k in classes[:-1]), initial=_ZERO))
    probabilities_after = list(accumulate((probabilities[k] for k in classes[:0:-1]), initial=_ZERO))[::-1]
    other_probabilities = [probabilities_before[j] + probabilities_after[j] for j in classes]
    loss = sum((terms[j] for j in classes), _ZERO)
    gradient = [other_coefficients[j] * probabilities[j] - other_probabilities[j] * coefficients[j] for j in classes]
    return loss, gradient


def hessian(logits: list[arb], coefficients: list[arb]) -> list[list[arb]]:
    """Second derivatives of the row's loss, K lists of K."""
    classes = range(len(logits))
    largest = max(classes, key=logits.__getitem__)
    shifted_logits = [logits[j] - logits[largest] for j in classes]
    exponentials = [shifted_logits[j].exp() for j in classes]
    total = sum((exponentials[k] for k in classes), _ZERO)
    probabilities = [exponentials[j] / total for j in classes]
    coefficient_sum = sum((coefficients[k] for k in classes), _ZERO)
    covariances = [[probabilities[i] * (int(i == j) - probabilities[j]) for j in classes] for i in classes]
    return [[coefficient_sum * covariances[i][j] for j in classes] for i in classes]


def hessian_diagonal(logits: list[arb], coefficients: list[arb]) -> list[arb]:
    """The diagonal of the Hessian."""
    classes = range(len(logits))
    largest = max(classes, key=logits.__getitem__)
    shifted_logits = [logits[j] - logits[largest] for j in classes]
    exponentials = [shifted_logits[j].exp() for j in classes]
    total = sum((exponentials[k] for k in classes), _ZERO)
    probabilities = [exponentials[j] / total for j in classes]
    coefficient_sum = sum((coefficients[k] for k in classes), _ZERO)
    return [coefficient_sum * probabilities[j] * (1 - probabilities[j]) for j in classes]


def hessian_vector_product(logits: list[arb], coefficients: list[arb], vector: list[arb]) -> list[arb]:
    """The product of the Hessian and a vector."""
    classes = range(len(logits))
    largest = max(classes, key=logits.__getitem__)
    shifted_logits = [logits[j] - logits[largest] for j in classes]
    exponentials = [shifted_logits[j].exp() for j in classes]
    total = sum((exponentials[k] for k in classes), _ZERO)
    probabilities = [exponentials[j] / total for j in classes]
    coefficient_sum = sum((coefficients[k] for k in classes), _ZERO)
    mean = sum((vector[k] * probabilities[k] for k in classes), _ZERO)
    return [coefficient_sum * probabilities[j] * (vector[j] - mean) for j in classes]


def target_gradient(logits: list[arb], label_smoothing: arb, class_weights: list[arb]) -> list[arb]:
    """The derivative of the row's loss along each target probability."""
    classes = range(len(logits))
    largest = max(classes, key=logits.__getitem__)
    shifted_logits = [logits[j] - logits[largest] for j in classes]
    exponentials = [shifted_logits[j].exp() for j in classes]
    total = sum((exponentials[k] for k in classes), _ZERO)
    log_total = total.log()
    return [class_weights[j] * (1 - label_smoothing) * (log_total - shifted_logits[j]) for j in classes]


def coefficients_index(label: int, n_classes: int, label_smoothing: arb, class_weights: list[arb]) -> list[arb]:
    """Coefficients of an index target."""
    classes = range(n_classes)
    return [class_weights[j] * (int(j == label) * (1 - label_smoothing) + label_smoothing / n_classes) for j in classes]


def coefficients_probability(targets: list[arb], label_smoothing: arb, class_weights: list[arb]) -> list[arb]:
    """Coefficients of probability targets."""
    n_classes = len(targets)
    classes = range(n_classes)
    return [class_weights[j] * (targets[j] * (1 - label_smoothing) + label_smoothing / n_classes) for j in classes]


def map_softcap(logits: arb, softcap: arb) -> tuple[arb, arb]:
    """Each logit x becomes c tanh(x/c), c being the softcap, before the softmax; and its slope."""
    return softcap * (logits / softcap).tanh(), 1 - (logits / softcap).tanh() * (logits / softcap).tanh()


def map_temperature(logits: arb, temperature: arb) -> tuple[arb, arb]:
    """Each logit is divided by the temperature before the softmax, after any softcap; and its slope."""
    return logits / temperature, 1 / temperature


def term_z_loss(log_sum_exp: arb, target_probability: arb, coefficient_sum: arb, z_loss: arb) -> tuple[arb, arb, arb]:
    """Z_loss times the square of the log-sum-exp is added to each row's loss; and its slopes along the first two."""
    return (log_sum_exp * log_sum_exp) * z_loss, 2 * log_sum_exp * z_loss, arb(0)


def term_poly_epsilon(
    log_sum_exp: arb, target_probability: arb, coefficient_sum: arb, poly_epsilon: arb
) -> tuple[arb, arb, arb]:
    """Poly_epsilon times the sum of t_j (1 - p_j) is added to each row's loss; and its slopes along the first two."""
    return poly_epsilon * (coefficient_sum - target_probability), arb(0), -poly_epsilon


def factor_sample_weights(sample_weights: arb) -> tuple[arb, arb]:
    """The factors of a row's loss and of its gradient for sample_weights."""
    return sample_weights, sample_weights


def factor_upstream(upstream: arb) -> tuple[arb, arb]:
    """The factors of a row's loss and of its gradient for upstream."""
    return arb(1), upstream


def index_sum_of_weights(label: int, class_weights: list[arb], sample_weights: arb, ignore_index: int) -> arb:
    """What a row adds to the denominator of a mean over sum_of_weights, with index targets."""
    classes = range(len(class_weights))
    own: Any = sample_weights
    own = own * (1 - int(label == ignore_index))
    own = own * (class_weights[label] if label in classes else _ZERO)
    return arb(own)


def index_number_of_rows(label: int, class_weights: list[arb], sample_weights: arb, ignore_index: int) -> arb:
    """What a row adds to the denominator of a mean over number_of_rows, with index targets."""
    own: Any = 1 - int(label == ignore_index)
    return arb(own)


def index_all_rows(label: int, class_weights: list[arb], sample_weights: arb, ignore_index: int) -> arb:
    """What a row adds to the denominator of a mean over all_rows, with index targets."""
    own: Any = 1
    return arb(own)


def probability_sum_of_weights(sample_weights: arb) -> arb:
    """What a row adds to the denominator of a mean over sum_of_weights, with probability targets."""
    own: Any = sample_weights
    return arb(own)


def probability_number_of_rows(sample_weights: arb) -> arb:
    """What a row adds to the denominator of a mean over number_of_rows, with probability targets."""
    own: Any = 1
    return arb(own)


def probability_all_rows(sample_weights: arb) -> arb:
    """What a row adds to the denominator of a mean over all_rows, with probability targets."""
    own: Any = 1
    return arb(own)


def reduce_none(losses: list[arb], denominators: list[arb]) -> tuple[Any, Any]:
    """The reduced loss, and what each row's own gradient is multiplied by."""
    return losses, 1


def reduce_sum(losses: list[arb], denominators: list[arb]) -> tuple[Any, Any]:
    """The reduced loss, and what each row's own gradient is multiplied by."""
    return sum(losses, _ZERO), 1


def reduce_mean(losses: list[arb], denominators: list[arb]) -> tuple[Any, Any]:
    """The reduced loss, and what each row's own gradient is multiplied by."""
    return sum(losses, _ZERO) / sum(denominators, _ZERO), 1 / sum(denominators, _ZERO)


FORMS: dict[str, Callable[[list[arb], list[arb]], tuple[arb, list[arb]]]] = {
    "textbook": textbook,
    "shifted": shifted,
    "log-space": log_space,
    "complement": complement,
}

REDUCTIONS: dict[str, Callable[[list[arb], list[arb]], tuple[Any, Any]]] = {
    "none": reduce_none,
    "sum": reduce_sum,
    "mean": reduce_mean,
}

LOGIT_MAPS: dict[str, Callable[[arb, arb], tuple[arb, arb]]] = {
    "softcap": map_softcap,
    "temperature": map_temperature,
}

ROW_TERMS: dict[str, Callable[[arb, arb, arb, arb], tuple[arb, arb, arb]]] = {
    "z_loss": term_z_loss,
    "poly_epsilon": term_poly_epsilon,
}

ROW_FACTORS: dict[str, Callable[[arb], tuple[arb, arb]]] = {
    "sample_weights": factor_sample_weights,
    "upstream": factor_upstream,
}

INDEX_DENOMINATORS: dict[str, Callable[[int, list[arb], arb, int], arb]] = {
    "sum_of_weights": index_sum_of_weights,
    "number_of_rows": index_number_of_rows,
    "all_rows": index_all_rows,
}

PROBABILITY_DENOMINATORS: dict[str, Callable[[arb], arb]] = {
    "sum_of_weights": probability_sum_of_weights,
    "number_of_rows": probability_number_of_rows,
    "all_rows": probability_all_rows,
}
