"""The table of disputed cases, one entry each: the question, what tells the rules apart, and the known rules."""

from __future__ import annotations

from gradlab.campaigns.conformance import behaviour, queries, weighting
from gradlab.campaigns.conformance.case import Case, Rule
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
from gradlab.campaigns.conformance.queries import IGNORED, INF, NAN
from gradlab.problems.coefficients import coefficients_of
from gradlab.problems.objective import MEANS

OPEN = everywhere(None, None)
SUM_OF_WEIGHTS, NUMBER_OF_ROWS, ALL_ROWS = (by_objective(mean_over=one) for one in MEANS)
MEAN, SUM, PER_ROW = (by_objective(reduction=one) for one in ("mean", "sum", "none"))
UNMOVED = both(OPEN, by_row(0.0, 0.0))
NAN_LOSS_ALONE = both(by_row(NAN, 0.0), definition)  # in the first row
LESS_LOG_SUM = less_log_sum(coefficients_of)
REFUSED = Rule("refused", "an exception", behaviour.raises)
SPREADS = Rule("spreads", "NaN in every row", answers(everywhere(NAN, NAN)))


def _bad_label(shown: str, label: int) -> Case:
    return Case(
        f"A label of {shown}, where there are K classes",
        queries.bad_label(label),
        (
            Rule("refused", "an exception", behaviour.raises, "torch, TensorFlow on a CPU", ours=True),
            Rule("wraps", "counted from the end, as Python's indices: label mod K", answers(weighting.modulo(label))),
            Rule("clips", "the nearest label there is", answers(weighting.nearest(label))),
            Rule("nan_loss", "loss NaN, gradient open", answers(both(by_row(NAN, 0.0), OPEN)), "optax"),
            Rule("ignored", "the row is left out", weighing(weighting.without_first_row)),
            Rule(
                "no_class", "none is the target: loss lse, gradient p", answers(less_log_sum(weighting.first_row_bare))
            ),
            Rule("counted", "loss and gradient 0 in that row, which counts in the mean", answers(by_row(0.0, 0.0))),
        ),
        Rule("silent", "an answer, without an error", behaviour.answers),
    )


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
    "masked_class": Case(
        "-inf at a class that is not the target",
        queries.beside_a_sound_row([0, -INF, 1]),
        (
            Rule(
                "zero",
                "probability and gradient 0, the others as if it were not there",
                answers(definition),
                ours=True,
            ),
            Rule("nan_loss", "loss NaN, gradient a value", answers(NAN_LOSS_ALONE)),
            Rule("nan", "loss NaN, gradient NaN in that row", answers(by_row(NAN, NAN))),
            SPREADS,
        ),
    ),
    "masked_class_of_probability_0": Case(
        "-inf at a class of probability 0, with probabilities as targets",
        queries.masked_without_probability(),
        (
            Rule("zero", "0 log 0 = 0: as if the class were not there", answers(definition), ours=True),
            Rule("nan_loss", "0 * -inf: loss NaN, gradient a value", answers(NAN_LOSS_ALONE)),
            Rule("nan", "loss NaN, gradient NaN in that row", answers(by_row(NAN, NAN))),
            SPREADS,
        ),
    ),
    "masked_target": Case(
        "-inf at the target",
        queries.beside_a_sound_row([-INF, 0, 1]),
        (
            Rule("infinite_loss", "loss +inf, gradient p - 1 = -1 there", answers(definition), "torch", ours=True),
            Rule("nan_gradient", "loss +inf, gradient NaN in that row", answers(by_row(INF, NAN))),
            Rule("nan", "loss NaN, gradient NaN in that row", answers(by_row(NAN, NAN))),
            Rule(
                "finite_loss",
                "a finite loss, gradient -1 there",
                behaviour.finite_loss(answers(both(OPEN, definition))),
            ),
            Rule("clipped", "a finite loss, gradient 0 in that row", behaviour.finite_loss(answers(UNMOVED))),
            SPREADS,
        ),
    ),
    "only_masked": Case(
        "A row of only -inf",
        queries.beside_a_sound_row([-INF, -INF, -INF]),
        (
            Rule("nan", "NaN in that row and no other", answers(definition), "torch", ours=True),
            Rule("zero", "loss 0, gradient 0 in that row", answers(by_row(0.0, 0.0))),
            Rule("infinite_loss", "loss +inf, gradient NaN in that row", answers(by_row(INF, NAN))),
            SPREADS,
        ),
    ),
    "nan_row": Case(
        "A row with NaN",
        queries.beside_a_sound_row([0, NAN, 1]),
        (
            Rule("contained", "NaN in that row and no other", answers(definition), "torch", ours=True),
            SPREADS,
            REFUSED,
        ),
    ),
    "infinite_logit": Case(
        "+inf at a class that is not the target",
        queries.beside_a_sound_row([0, INF, 1]),
        (
            Rule("nan", "NaN in that row and no other", answers(definition), "torch", ours=True),
            Rule("nan_gradient", "loss +inf, gradient NaN in that row", answers(by_row(INF, NAN))),
            Rule("nan_there", "loss +inf, gradient NaN there and -t elsewhere", answers(by_row(INF, [-1, NAN, 0]))),
            Rule("limit", "loss +inf, probability 1 at +inf", answers(by_row(INF, [-1, 1, 0]))),
            SPREADS,
            REFUSED,
        ),
    ),
    "infinite_target": Case(
        "+inf at the target",
        queries.beside_a_sound_row([INF, 0, 1]),
        (
            Rule("nan", "NaN in that row and no other", answers(definition), "torch", ours=True),
            Rule("nan_there", "loss NaN, gradient NaN there and 0 elsewhere", answers(by_row(NAN, [NAN, 0, 0]))),
            Rule("limit", "loss 0, gradient 0 in that row", answers(by_row(0.0, 0.0))),
            SPREADS,
            REFUSED,
        ),
    ),
    "label_k": _bad_label("K", 3),
    "label_minus_1": _bad_label("-1", -1),
    "label_minus_100": _bad_label("-100, and no ignore_index given", -100),
    "empty_batch": Case(
        "The mean over no rows",
        queries.empty(),
        (
            Rule("nan", "loss NaN, gradient of shape (0, K)", answers(definition), "torch", ours=True),
            Rule("zero", "loss 0, gradient of shape (0, K)", answers(everywhere(0.0, 0.0))),
            REFUSED,
        ),
    ),
    "dtype_of_answers": Case(
        "In which dtype loss and gradient are returned",
        queries.four_classes(),
        (
            Rule("kept", "that of the logits", behaviour.dtype_kept, "torch", ours=True),
            Rule("loss_float64", "the loss float64, the gradient kept", behaviour.in_dtypes("float64", "kept")),
            Rule("gradient_float64", "the gradient float64, the loss kept", behaviour.in_dtypes("kept", "float64")),
            Rule("loss_float32", "the loss float32, the gradient kept", behaviour.in_dtypes("float32", "kept")),
            Rule("float64", "both float64", behaviour.in_dtypes("float64", "float64")),
            Rule("float32", "both float32", behaviour.in_dtypes("float32", "float32")),
        ),
        Rule("mixed", "other dtypes than these", behaviour.answers),
    ),
    "subnormals": Case(
        "A gradient below the smallest normal number",
        queries.subnormal(),
        (
            Rule("kept", "a subnormal number", answers(both(OPEN, definition)), "torch, NumPy", ours=True),
            Rule("flushed", "0", behaviour.flushes, "XLA, TensorFlow, MLX"),
        ),
    ),
    "integer_labels": Case(
        "Labels in other integer types than int64",
        queries.in_every_integer_type(),
        (
            Rule("any", "the same values in every type", behaviour.same_everywhere, ours=True),
            Rule("some_refused", "the same values, or an exception", behaviour.same_or_refused, ours=True),
            Rule("int64_only", "an exception for every other type", behaviour.others_refused, ours=True),
        ),
        Rule("misread", "other values in some types", behaviour.some_differ),
    ),
    "layout": Case(
        "Logits that are not contiguous, unaligned or read-only",
        queries.in_every_layout(),
        (
            Rule("any", "the same values in every layout", behaviour.same_everywhere, ours=True),
            Rule("some_refused", "the same values, or an exception", behaviour.same_or_refused),
            Rule("contiguous_only", "an exception for every other layout", behaviour.others_refused),
        ),
        Rule("misread", "other values in some layouts", behaviour.some_differ),
    ),
    "arguments": Case(
        "What is done to logits, targets and weights",
        queries.four_classes(),
        (
            Rule("unchanged", "nothing", behaviour.arguments_unchanged, "torch", ours=True),
            Rule(
                "gradient_in_logits", "the gradient is written into the logits", behaviour.gradient_in_logits, "Liger"
            ),
        ),
        Rule("changed", "they are written to", behaviour.answers),
    ),
}
