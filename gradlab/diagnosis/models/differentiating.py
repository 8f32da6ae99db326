"""Models of a gradient that is the derivative of something else, and of a loss that is something else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from gradlab.diagnosis.matching import Observation
from gradlab.diagnosis.models.model import Defect, fixed, single_rows
from gradlab.diagnosis.pipeline import (
    Changes,
    View,
    log_sum_less_logit,
    mass_times_probabilities,
    probabilities_less_targets,
    sound_gradient,
)
from gradlab.problems.coefficients import denominator_of
from gradlab.problems.problem import Array, Problem


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def probabilities_as_logits(problem: Problem) -> Array:
    return softmax(problem.logits)


def through_both_softmaxes(view: View) -> Array:
    inner, outer = view.x, probabilities_less_targets(view)
    return np.asarray(inner * (outer - (outer * inner).sum(axis=1, keepdims=True)))


def softmax_once_more(view: View) -> Array:
    return np.asarray(view.t.sum(axis=1, keepdims=True) * softmax(view.p) - view.t)


def only_the_target(view: View) -> Array:
    return np.where(view.t > 0, probabilities_less_targets(view), 0)


def times_slope_of_sigmoid(view: View) -> Array:
    return np.asarray(probabilities_less_targets(view) * view.p * (1 - view.p))


def negative(view: View) -> Array:
    return -probabilities_less_targets(view)


def minus_all(gradient: Array, problem: Problem) -> Array:
    """What terms and weights have added is negative too."""
    return -sound_gradient(gradient, problem)


def labels_of_all_rows(view: View) -> Array:
    return np.asarray(mass_times_probabilities(view) - (view.t > 0).any(axis=0) * view.t.max(axis=1, keepdims=True))


def half_at_ties(view: View) -> Array:
    gradient = probabilities_less_targets(view)
    tied = (view.x == view.x.max(axis=1, keepdims=True)).sum(axis=1) > 1
    return np.where(tied[:, None] & (view.x.shape[1] == 2), 0, gradient)


def sum_of_squares(view: View) -> Array:
    return np.asarray((probabilities_less_targets(view) ** 2).sum(axis=1))


def filtered(threshold: float) -> Changes:
    def gradient(view: View) -> Array:
        full = probabilities_less_targets(view)
        return np.where(np.abs(full) < threshold, 0, full)

    return {"gradient": gradient}


def smallest_that_is_kept(observations: Sequence[Observation]) -> Iterable[float]:
    """Between the largest entry that came back as 0 and the smallest that did not: a power of two or of ten."""
    rows = [_sizes(seen) for seen in observations if not seen.faulty and seen.problem.is_finite]
    lost = max((float(sizes[zero].max(initial=0.0)) for sizes, zero in rows), default=0.0)
    kept = min((float(sizes[~zero & (sizes > lost)].min(initial=np.inf)) for sizes, zero in rows), default=np.inf)
    if lost == 0.0 or not np.isfinite(kept):
        return []
    powers = [2.0**k for k in range(-40, 0)] + [10.0**k for k in range(-12, 0)]
    return [power for power in powers if lost < power <= kept] or [float(np.sqrt(lost * kept))]


def _sizes(seen: Observation) -> tuple[Array, Array]:
    """The true sizes of the entries before the reduction, and which came back as 0 though they are no rounding."""
    divisor = denominator_of(seen.problem) or 1.0
    sizes = np.abs(seen.true_gradient) * divisor
    return sizes, np.equal(seen.gradient, 0) & (np.abs(seen.true_gradient) > seen.gradient_bound)


def quotient_times_probability(view: View) -> Array:
    along = np.where(view.t > 0, -view.t / view.p, 0)
    return np.asarray(view.p * (along - (along * view.p).sum(axis=1, keepdims=True)))


COOLED = "loss(x/{0}) and its gradient (softmax(x/{0}) - one_hot(y))/{0}"


def cooled(temperature: float) -> Changes:
    return {
        "logits": lambda problem: problem.logits / problem.logits.dtype.type(temperature),
        "gradient": lambda view: probabilities_less_targets(view) / view.dtype.type(temperature),
    }


def cooled_only(temperature: float) -> Changes:
    return {"logits": lambda problem: problem.logits / problem.logits.dtype.type(temperature)}


def temperatures(observations: Sequence[Observation]) -> Iterable[float]:
    """T from the loss log1p(exp(-h/T)) of a single row of two classes, h the margin."""
    for seen in single_rows(observations):
        x, y = seen.problem.logits64[0], int(seen.problem.targets[0])
        loss = float(np.sum(seen.loss))
        if len(x) == 2 and x[0] != x[1] and 1e-3 < loss < 30 and abs(np.expm1(loss) - 1) > 1e-6:
            yield float(-(x[y] - x[1 - y]) / np.log(np.expm1(loss)))
            return


def with_z_loss(factor: float) -> Changes:
    """factor lse^2 in loss and gradient."""

    def lse(view: View) -> Array:
        return np.asarray(view.m + np.log(view.s))

    def gradient(view: View) -> Array:
        return np.asarray(probabilities_less_targets(view) + view.dtype.type(2 * factor) * lse(view) * view.p)

    def losses(view: View) -> Array:
        return np.asarray(log_sum_less_logit(view) + view.dtype.type(factor) * lse(view)[:, 0] ** 2)

    return {"losses": losses, "gradient": gradient}


def with_penalty(factor: float) -> Changes:
    """factor/2 times the sum of the squared logits, in loss and gradient."""

    def gradient(view: View) -> Array:
        return np.asarray(probabilities_less_targets(view) + view.dtype.type(factor) * view.x)

    def losses(view: View) -> Array:
        return np.asarray(log_sum_less_logit(view) + view.dtype.type(factor) / 2 * (view.x * view.x).sum(axis=1))

    return {"losses": losses, "gradient": gradient}


def factors_of_z_loss(observations: Sequence[Observation]) -> Iterable[float]:
    """What is added to the loss, over lse^2, on a moderate single row."""
    for seen in single_rows(observations):
        x = seen.problem.logits64[0]
        if 0.5 < np.abs(x).max() < 50:
            lse = x.max() + np.log(np.exp(x - x.max()).sum())
            yield float((seen.loss.sum() - seen.true_loss.sum()) / lse**2)
            return


def factors_of_penalty(observations: Sequence[Observation]) -> Iterable[float]:
    """What is added to the gradient, over the largest logit, on a moderate single row."""
    for seen in single_rows(observations):
        x = seen.problem.logits64[0]
        if 0.5 < np.abs(x).max() < 50:
            at = int(np.abs(x).argmax())
            yield float((seen.gradient - seen.true_gradient)[0, at] / x[at])
            return


def sigmoids(view: View) -> Array:
    return np.asarray(1 / (1 + np.exp(-view.x)) - view.t)


def binary_losses(view: View) -> Array:
    return np.asarray((np.logaddexp(0, view.x) - view.t * view.x).sum(axis=1))


DEFECTS = (
    fixed("double_softmax", logits=probabilities_as_logits, gradient=through_both_softmaxes),
    fixed("double_softmax", logits=probabilities_as_logits),
    fixed("double_softmax_in_gradient", gradient=softmax_once_more),
    fixed("diagonal_jacobian", gradient=only_the_target),
    fixed("sigmoid_chain", gradient=times_slope_of_sigmoid),
    fixed("sign_flipped", gradient=negative),
    fixed("sign_flipped", scaled=minus_all),
    fixed("one_hot_forgotten", gradient=mass_times_probabilities),
    fixed("broadcast_index", gradient=labels_of_all_rows),
    fixed("kink_at_ties", gradient=half_at_ties),
    fixed("squared_error", losses=sum_of_squares),
    Defect("small_entries_skipped", filtered, "below", smallest_that_is_kept, said="g_j = 0 where |g_j| < {}"),
    fixed("quotient_through_softmax", gradient=quotient_times_probability),
    Defect("temperature_left_in", cooled, "T", temperatures, neutral=1.0, said=COOLED),
    Defect("temperature_not_differentiated", cooled_only, "T", temperatures, neutral=1.0),
    Defect("z_loss_left_in", with_z_loss, "factor", factors_of_z_loss, said="loss = -log p_y + {} lse^2"),
    Defect("penalty_left_in", with_penalty, "factor", factors_of_penalty, said="loss = -log p_y + {}/2 sum_j x_j^2"),
    fixed("sigmoid_for_softmax", losses=binary_losses, gradient=sigmoids),
)
