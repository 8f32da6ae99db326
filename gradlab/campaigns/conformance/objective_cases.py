"""Disputed cases of what is computed: what the loss is, what a mean divides by, what options do."""

from __future__ import annotations

from gradlab.campaigns.conformance import queries, weighting
from gradlab.campaigns.conformance.case import Case, Rule
from gradlab.campaigns.conformance.domain_cases import SPREADS
from gradlab.campaigns.conformance.predictions import (
    answers,
    both,
    by_objective,
    by_row,
    definition,
    everywhere,
    less_log_sum,
    squared_gradient,
    weighing,
)
from gradlab.campaigns.conformance.queries import IGNORED, NAN
from gradlab.problems.coefficients import coefficients_of
from gradlab.problems.options import MEANS

SUM_OF_WEIGHTS, NUMBER_OF_ROWS, ALL_ROWS = (by_objective(mean_over=one) for one in MEANS)
MEAN, SUM, PER_ROW = (by_objective(reduction=one) for one in ("mean", "sum", "none"))
LESS_LOG_SUM = less_log_sum(coefficients_of)

CASES: dict[str, Case] = {
    "loss": Case(
        "What the loss is, and what the gradient is the gradient of",
        queries.four_classes(),
        (
            Rule("mean", "the mean over the rows, and its gradient", answers(MEAN), "torch, Keras", ours=True),
            Rule("sum", "the sum over the rows, and its gradient", answers(SUM), "torch: sum", ours=True),
            Rule("per_row", "one for each row; the gradient of their sum", answers(PER_ROW), "optax", ours=True),
            Rule("mean_of_entries", "over rows and classes, and its gradient", weighing(weighting.over_entries)),
            Rule("mean_with_gradient_of_sum", "the mean, with the gradient of the sum", answers(both(MEAN, SUM))),
            Rule("sum_with_gradient_of_mean", "the sum, with the gradient of the mean", answers(both(SUM, MEAN))),
            Rule("per_row_with_gradient_of_mean", "per row; the mean's gradient", answers(both(PER_ROW, MEAN))),
            Rule("squared_gradient", "the sum of squares of the mean's gradient", answers(squared_gradient), "thinc"),
        ),
    ),
    "weighted_mean": Case(
        "What the mean over labels divides by where classes have weights",
        queries.weighted_rows(),
        (
            Rule("sum_of_weights", "the sum of the labels' weights", answers(SUM_OF_WEIGHTS), "torch", ours=True),
            Rule("number_of_rows", "N", answers(NUMBER_OF_ROWS), "Keras", ours=True),
        ),
    ),
    "sample_weighted_mean": Case(
        "What the mean divides by where rows have weights",
        queries.sample_weighted(),
        (
            Rule("sum_of_weights", "the sum of the sample weights", answers(SUM_OF_WEIGHTS), "scikit-learn", ours=True),
            Rule("number_of_rows", "N", answers(NUMBER_OF_ROWS), "Keras", ours=True),
        ),
    ),
    "weightless_row_without_value": Case(
        "A row of sample weight 0 with NaN",
        queries.weightless_without_value(),
        (
            Rule("zero", "loss and gradient 0 in that row, as if it were not there", answers(definition), ours=True),
            Rule("nan", "0 times NaN: NaN in that row and no other", answers(by_row(NAN, NAN)), "scikit-learn, Keras"),
            Rule("nan_loss", "loss NaN, gradient 0 in that row", answers(by_row(NAN, 0.0))),
            SPREADS,
        ),
    ),
    "weighted_mean_of_probabilities": Case(
        "What the mean over probabilities divides by where classes have weights",
        queries.weighted_probabilities(),
        (
            Rule("number_of_rows", "N", answers(definition), "torch", ours=True),
            Rule("sum_of_shares", "sum of probability times weight", weighing(weighting.over_own_sum)),
        ),
    ),
    "weights_with_smoothing": Case(
        "What class weights multiply where the labels are smoothed",
        queries.weighted_and_smoothed(),
        (
            Rule(
                "per_class",
                "each class's term by its weight",
                weighing(weighting.weighted_per_class),
                "torch",
                ours=True,
            ),
            Rule(
                "by_the_label",
                "all of a row by the weight of its label",
                weighing(weighting.weighted_by_the_label),
                "Keras",
            ),
            Rule(
                "label_part_alone",
                "the label's part only, epsilon/K is not",
                weighing(weighting.label_part_weighted),
                "fastai",
            ),
        ),
    ),
    "label_smoothing": Case(
        "What share of the target the other classes get",
        queries.smoothed_rows(),
        (
            Rule("epsilon_over_k", "epsilon/K in every class", answers(definition), "torch, Keras", ours=True),
            Rule(
                "epsilon_over_others",
                "epsilon/(K - 1); label 1 - epsilon",
                weighing(weighting.smoothed_over_others),
                "Megatron-LM",
            ),
        ),
    ),
    "ignored_rows_in_mean": Case(
        "Whether ignored rows count in the mean",
        queries.ignoring([1, IGNORED]),
        (
            Rule("left_out", "they do not", answers(NUMBER_OF_ROWS), "torch", ours=True),
            Rule("counted", "they do: the mean is over all_rows", answers(ALL_ROWS), "thinc", ours=True),
        ),
    ),
    "all_rows_ignored": Case(
        "The mean where every row is ignored",
        queries.ignoring([IGNORED, IGNORED]),
        (
            Rule("nan_loss", "loss NaN, gradient 0", answers(definition), "torch", ours=True),
            Rule("zero", "loss 0, gradient 0, as of all_rows", answers(ALL_ROWS), ours=True),
            Rule("nan", "loss NaN, gradient NaN", answers(everywhere(NAN, NAN))),
            Rule("nan_gradient", "loss 0, gradient NaN", answers(everywhere(0.0, NAN))),
        ),
    ),
    "targets_of_any_sum": Case(
        "Loss and gradient where probabilities t do not sum to 1",
        queries.probabilities_of_any_sum(),
        (
            Rule("derivative", "sum t_j (lse - x_j), and p sum t - t", answers(definition), "torch", ours=True),
            Rule("p_minus_t", "sum t_j (lse - x_j), with p - t", answers(both(definition, LESS_LOG_SUM)), "TensorFlow"),
            Rule("less_log_sum", "lse - sum t_j x_j, and its gradient p - t", answers(LESS_LOG_SUM)),
            Rule("normalised", "as if t were divided by its sum", weighing(weighting.divided_by_their_sum)),
        ),
    ),
}
