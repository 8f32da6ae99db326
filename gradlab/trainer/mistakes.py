"""Known mistakes of trainers, each as what differs from a right step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Mistake:
    """One mistake, as what differs from a right step; the defaults are right.

    sentence: what the code does. Names in quotes are those of the tables in `wrong_descent`.

    rate, weight_rate, bias_rate: what the learning rate is multiplied by, for all, the weight, the bias.
    falling, shrinking, geometric: it is divided by (t + 1) to the first, by 1 + the second t, times the third to t.
    schedule: by which it falls to 0 over all steps: "linear" or "cosine".
    warming: over how many steps it grows to what it is to be; counts_from: 1, or 0 where the first step has none.
    start: what is 0 at the start, whatever is given: "all", "bias" or "weight".
    divisor, bias_divisor: by what the sums over the rows are divided; "" for the bias: by the same.
    loss: whose gradient it is. smoothing: of the labels. label_shift: added to each label.
    features: what is done to them first. turns: which rows a step takes.
    penalty: what the penalty's part is multiplied by. bias_penalty: the bias is in it, although it is not to be.
    decay, decays_bias: a part of the parameters that is added to the gradient, and whether of the bias too.
    max_norm, max_entry: at which the gradient is cut off. scale: how an optimizer scales it.
    momentum: of the steps. is_damped: each gradient counts 1 - momentum. looks_ahead: Nesterov's.
    stale: the gradient is that of the step before. epoch_start: it is that at the weights of the epoch's start.
    new_weight: the bias is updated by the gradient at the new weight. new_bias: the weight by that at the new bias.
    average: what is returned is the mean of the iterates: "all", or "but the start". rounds_to: dtype of parameters.
    averaging: what is returned is a moving average of the iterates, in which the average before counts so much.
    """

    sentence: str
    rate: float = 1.0
    weight_rate: float = 1.0
    bias_rate: float = 1.0
    falling: float = 0.0
    shrinking: float = 0.0
    geometric: float = 1.0
    schedule: str = ""
    warming: float = 0.0
    counts_from: int = 1
    start: str = ""
    divisor: str = "rows"
    bias_divisor: str = ""
    loss: str = "softmax"
    smoothing: float = 0.0
    label_shift: int = 0
    features: str = ""
    turns: str = ""
    penalty: float = 1.0
    bias_penalty: bool = False
    decay: float = 0.0
    decays_bias: bool = True
    max_norm: float = np.inf
    max_entry: float = np.inf
    scale: str = ""
    momentum: float = 0.0
    is_damped: bool = False
    looks_ahead: bool = False
    stale: bool = False
    epoch_start: bool = False
    new_weight: bool = False
    new_bias: bool = False
    average: str = ""
    averaging: float = 0.0
    rounds_to: str = ""


@dataclass(frozen=True)
class Family:
    """A mistake with a number that is estimated: a field of Mistake, between two ends. `sentence` has its place, {}.

    is_logarithmic: whether values are looked for on a scale of factors. more: what else is in the mistake.
    """

    sentence: str
    field: str
    low: float
    high: float
    is_logarithmic: bool = False
    more: tuple[tuple[str, object], ...] = ()

    def at(self, value: float) -> Mistake:
        """The mistake with this number."""
        said = self.sentence.format(f"{value:.4g}")
        return replace(Mistake(said, **dict(self.more)), **{self.field: value})  # type: ignore[arg-type]  # own fields


_MEAN = "the gradient is the sum over the rows divided by "

MISTAKES = {
    "ascent": Mistake("the gradient is added, not subtracted", rate=-1),
    "sum_for_mean": Mistake("the gradient is the sum over the rows, not their mean", divisor="none"),
    "divided_by_the_classes": Mistake(_MEAN + "the number of classes, not of rows", divisor="classes"),
    "divided_by_the_features": Mistake(_MEAN + "the number of features, not of rows", divisor="features"),
    "divided_by_rows_and_classes": Mistake(_MEAN + "rows times classes", divisor="entries"),
    "divided_by_rows_less_1": Mistake(_MEAN + "the number of rows less 1", divisor="rows less 1"),
    "divided_by_the_size_of_a_batch": Mistake(_MEAN + "a batch's size where it has fewer rows", divisor="batch size"),
    "divided_by_all_rows": Mistake(_MEAN + "the number of all rows, not of those in the batch", divisor="all rows"),
    "bias_gradient_is_a_sum": Mistake(
        "the bias's gradient is the sum over the rows, not their mean", bias_divisor="none"
    ),
    "weight_gradient_is_a_sum": Mistake(
        "the weight's gradient is the sum over the rows, not their mean", divisor="none", bias_divisor="rows"
    ),
    "bias_never_updated": Mistake("the bias stays as it was", bias_rate=0),
    "weight_never_updated": Mistake("the weight stays as it was", weight_rate=0),
    "never_updated": Mistake("weight and bias stay as they were", rate=0),
    "bias_ascends": Mistake("the bias's gradient is added, not subtracted", bias_rate=-1),
    "weight_ascends": Mistake("the weight's gradient is added, not subtracted", weight_rate=-1),
    "bias_after_weight": Mistake("the bias is updated by the gradient at the new weight", new_weight=True),
    "weight_after_bias": Mistake("the weight is updated by the gradient at the new bias", new_bias=True),
    "start_ignored": Mistake("it starts from zeros, not from what is given", start="all"),
    "start_of_bias_ignored": Mistake("the bias starts from zeros, not from what is given", start="bias"),
    "start_of_weight_ignored": Mistake("the weight starts from zeros, not from what is given", start="weight"),
    "gradients_never_reset": Mistake("a step takes the sum of all gradients so far", momentum=1.0),
    "rate_falls_linearly": Mistake("the rate falls to 0 over all steps, linearly", schedule="linear"),
    "rate_falls_as_a_cosine": Mistake("the rate falls to 0 over all steps, as a cosine", schedule="cosine"),
    "stale_gradient": Mistake("each step takes the gradient of the step before", stale=True),
    "gradients_of_the_epoch_s_start": Mistake(
        "all batches of an epoch take the gradient at the weights of its start", epoch_start=True
    ),
    "rate_falls_with_the_root": Mistake("the rate is divided by the root of the step's number", falling=0.5),
    "rate_falls_with_the_step": Mistake("the rate is divided by the step's number", falling=1.0),
    "penalty_left_out": Mistake("the penalty is not in the gradient", penalty=0),
    "penalty_takes_the_bias": Mistake("the penalty's gradient is taken of the bias, too", bias_penalty=True),
    "sigmoid_for_softmax": Mistake("each class has a sigmoid of its own, in place of the softmax", loss="sigmoid"),
    "squared_error": Mistake("the gradient is that of half the squared error of p", loss="square"),
    "twice_squared_error": Mistake("the gradient is that of the squared error of p", loss="square", rate=2),
    "softmax_twice": Mistake("the softmax is taken of the probabilities once more", loss="softmax twice"),
    "probability_for_its_log": Mistake("the loss is -p of the label, without a logarithm", loss="probability"),
    "perceptron": Mistake("the largest logit alone counts, as in a perceptron", loss="perceptron"),
    "no_softmax": Mistake("the logits are taken for probabilities", loss="linear"),
    "labels_one_up": Mistake("each label is taken for the next one", label_shift=1),
    "labels_one_down": Mistake("each label is taken for the one before", label_shift=-1),
    "features_centred": Mistake("the features are brought to mean 0 first", features="centred"),
    "features_standardised": Mistake(
        "the features are brought to mean 0 and variance 1 first", features="standardised"
    ),
    "rows_normalised": Mistake("each row of the features is brought to length 1 first", features="unit rows"),
    "features_scaled_to_1": Mistake("each feature is brought to lie between 0 and 1 first", features="range"),
    "gradient_normalised": Mistake("the gradient is brought to length 1", scale="unit"),
    "gradient_normalised_by_parts": Mistake(
        "weight's and bias's gradients are each brought to length 1", scale="parts"
    ),
    "sign_of_the_gradient": Mistake("steps go by the signs of the gradient", scale="sign"),
    "adagrad": Mistake("steps are those of AdaGrad", scale="adagrad"),
    "rmsprop_0.9": Mistake("steps are those of RMSprop with 0.9", scale="rmsprop 0.9"),
    "rmsprop_0.99": Mistake("steps are those of RMSprop with 0.99", scale="rmsprop 0.99"),
    "adam": Mistake("steps are those of Adam", scale="adam"),
    "iterates_averaged": Mistake("the mean of all iterates is returned, not the last", average="all"),
    "iterates_averaged_but_the_start": Mistake(
        "the mean of the iterates is returned, not the last", average="but the start"
    ),
    "one_row_a_step": Mistake("each step takes one row, in turn", turns="one row"),
    "batches_ignored": Mistake("every step takes all rows, whatever a batch is to be", turns="all rows"),
    "last_row_left_out": Mistake("the last row of each step is left out", turns="all but the last row"),
    "last_row_left_out_of_the_sum": Mistake(
        "the last row of each step is left out of the sum, and counts in the mean",
        turns="all but the last row",
        divisor="rows and 1",
    ),
    "first_row_left_out": Mistake("the first row of each step is left out", turns="all but the first row"),
    "first_batch_alone": Mistake("every step takes the first batch", turns="the first batch"),
    "last_batch_left_out": Mistake("the rows that do not fill a batch are left out", turns="full batches"),
    "last_batch_of_epochs_left_out": Mistake(
        "the rows that do not fill a batch are left out", turns="full batches of epochs"
    ),
    "labels_not_shuffled": Mistake("the rows are shuffled, and their labels are not", turns="labels as they were"),
    "labels_shuffled_apart": Mistake("rows and labels are shuffled, each by itself", turns="rows, then labels"),
    "labels_shuffled_apart_and_first": Mistake(
        "labels and rows are shuffled, each by itself", turns="labels, then rows"
    ),
    "half_precision": Mistake("parameters are rounded to float16 in each step", rounds_to="float16"),
}

# Where several explain a training, the first does.
FAMILIES = {
    "rate_multiplied_by": Family("a step is {} times as long", "rate", -20, 20),
    "penalty_multiplied_by": Family("the penalty's gradient is {} times as large", "penalty", -20, 20),
    "label_smoothing": Family("labels are smoothed by {}, which was not asked for", "smoothing", 1e-3, 0.9, True),
    "hidden_decay": Family("a weight decay of {} that was not asked for", "decay", 1e-7, 1, True),
    "hidden_decay_of_weights": Family(
        "a decay of {} of the weight that was not asked for", "decay", 1e-7, 1, True, (("decays_bias", False),)
    ),
    "momentum": Family("steps have a momentum of {}", "momentum", 1e-3, 1),
    "averaged_gradients": Family(
        "a step takes an average of gradients, with {}", "momentum", 1e-3, 1, False, (("is_damped", True),)
    ),
    "nesterov": Family("steps have Nesterov's momentum of {}", "momentum", 1e-3, 1, False, (("looks_ahead", True),)),
    "gradient_norm_clipped_at": Family("the gradient's norm is cut off at {}", "max_norm", 1e-3, 100, True),
    "gradient_clipped_at": Family("the gradient's entries are cut off at {}", "max_entry", 1e-4, 10, True),
    "rate_falls_with_a_power": Family("the rate is divided by the step's number to {}", "falling", 0.05, 2),
    "rate_shrinks_by": Family("the rate is divided by 1 + {} t", "shrinking", 1e-5, 10, True),
    "rate_decays_by": Family("the rate is multiplied by {} in each step", "geometric", 0.3, 0.99999),
    "iterates_averaged_with": Family(
        "a moving average of the iterates is returned, which keeps {} of itself in each step", "averaging", 0.01, 0.9999
    ),
    "rate_warms_up_over": Family("the rate grows to its size over the first {} steps", "warming", 1.2, 1000, True),
    "rate_warms_up_from_0_over": Family(
        "the rate grows from 0 to its size over the first {} steps", "warming", 0.6, 1000, True, (("counts_from", 0),)
    ),
    "bias_rate_multiplied_by": Family("the bias's step is {} times as long", "bias_rate", -20, 20),
    "weight_rate_multiplied_by": Family("the weight's step is {} times as long", "weight_rate", -20, 20),
}


@dataclass(frozen=True)
class Named:
    """A mistake that explains what came back. sentence: what the code does."""

    name: str
    sentence: str
