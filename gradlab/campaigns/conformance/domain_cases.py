"""Disputed cases at the edges: masked classes, rows without a value, bad labels, other arrays than the usual ones."""

from __future__ import annotations

from gradlab.campaigns.conformance import behaviour, queries, weighting
from gradlab.campaigns.conformance.case import Case, Rule
from gradlab.campaigns.conformance.predictions import (
    answers,
    both,
    by_row,
    definition,
    everywhere,
    less_log_sum,
    weighing,
)
from gradlab.campaigns.conformance.queries import INF, NAN

OPEN = everywhere(None, None)
UNMOVED = both(OPEN, by_row(0.0, 0.0))
NAN_LOSS_ALONE = both(by_row(NAN, 0.0), definition)  # in the first row
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
