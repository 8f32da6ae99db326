"""The lessons, in the order in which they are meant to be done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gradlab.lessons.task import Task

MATERIAL = Path(__file__).parent / "material"
STUB = "loss.py"  # the file to fill in, with a function `loss`


@dataclass(frozen=True)
class Lesson:
    """One exercise. topic: what it is about, in a few words."""

    name: str
    topic: str
    task: Task

    @property
    def page(self) -> str:
        """The text of the task, as Markdown."""
        return (MATERIAL / self.name / "task.md").read_text(encoding="utf-8")

    @property
    def stub(self) -> str:
        """The Python file to fill in."""
        return (MATERIAL / self.name / STUB).read_text(encoding="utf-8")


def lesson_named(name: str) -> Lesson:
    """The lesson of this name. Raises ValueError that lists the names there are."""
    found = {lesson.name: lesson for lesson in LESSONS}
    if name not in found:
        raise ValueError(f"a lesson must be one of {', '.join(found)}, got {name!r:.60}")
    return found[name]


_OVERFLOW = Task(
    {"masks": False},
    later=("loss_within_forward_error", "log_of_softmax"),
    hints={
        "no_shift": "a number leaves the range of the dtype before the division makes it small again: which one, and"
        " what may be done to all logits of a row without changing its softmax?",
        "global_shift": "some rows are right and their neighbours are not: what does a row take from other rows?",
        "shift_by_zero_or_more": "large logits are right now; what happens to a row whose logits are all far below 0?",
        "shift_without_keepdims": "class j gets what belongs to row j: write down the shapes that are broadcast",
        "clamped_shift": "small probabilities come out too large: what do you do to logits that are far below?",
        "nan_made_zero": "inf/inf has no value, and 0 is not the right one: look at what happens before it",
        "infinity_made_finite": "the largest number is not infinity: look at what happens before it is put there",
        "accuracy": "the softmax of some row is not right: print exp and its sum for the example",
        "stability": "the softmax of some row is not right: print exp and its sum for the example",
    },
)
_UNDERFLOW = Task(
    {"masks": False},
    hints={
        "log_of_softmax": "a probability is rounded to 0, and only then its logarithm is taken: simplify log p_y on"
        " paper before you compute it",
        "epsilon_in_log": "a number that you add changes the loss of every row whose p_y is not much larger",
        "clipped_probability": "the loss of all rows below your limit is the same, and should not be",
        "clipped_loss": "the loss of all rows beyond your limit is the same, and should not be",
        "lse_minus_logit": "a large number is added, and another one of its size subtracted: how many digits are left?",
        "no_shift": "exp overflows: this is the lesson before",
    },
)
_GRADIENT = Task(
    {"masks": False},
    hints={
        "sign_flipped": "a step along the negative gradient must make the loss smaller: does it?",
        "one_hot_forgotten": "the entries of a row must sum to 0: adding a number to all logits changes no loss",
        "broadcast_index": "how many entries does your index choose? There is one for each row",
        "diagonal_jacobian": "each probability depends on every logit of its row, not on its own alone",
        "sigmoid_chain": "each probability depends on every logit of its row, not on its own alone",
        "gradient_not_divided": "`loss` divides by the number of rows already",
        "divided_twice": "`loss` divides by the number of rows already",
        "no_shift": "exp overflows: `shifted` is there to be used",
    },
)
_MEAN = Task(
    {"masks": False, "reduction": ["mean", "sum"]},
    hints={
        "gradient_not_divided": "the loss is right, and the gradient is that of another number: which one?",
        "loss_not_divided": "the gradient is right, and the loss is another number: which one?",
        "divided_by_all_entries": "count the numbers in the matrix of logits, and the losses",
        "divided_by_classes": "what do you divide by: the number of rows, or of columns?",
        "divided_twice": "follow one row's share through the code: how often is it divided?",
        "sum_divided": "`reduction` makes no difference somewhere",
    },
)
_PADDING = Task(
    {"masks": False, "options": ["ignore_index"]},
    hints={
        "ignored_rows_counted": "how many rows does the mean divide by?",
        "ignored_rows_keep_gradient": "the loss leaves those rows out: does the gradient?",
        "ignored_rows_times_zero": "what is 0 times infinity, and 0 times nan?",
        "ignored_label_fixed": "which number marks a row is for the caller to say",
        "calculus": "does the gradient leave out the same rows as the loss?",
        "all_ignored_is_nan": "what is the gradient of a batch in which nothing counts?",
    },
)
_MASKS = Task(
    hints={
        "zero_times_infinity": "what is 0 times infinity? Which entries do you need, and which do you sum?",
        "mask_multiplied": "what is 0 times infinity?",
        "infinity_made_finite": "a large negative number is not minus infinity: where does the difference show?",
        "nan_made_zero": "a row without a value must show it",
        "domain": "what becomes of -inf in each line of your code?",
    },
)
_HALF = Task(
    {"dtypes": ["float16", "bfloat16"], "accumulates_in": "float32", "keeps_dtype": True},
    hints={
        "half_precision_sum": "in which dtype is your sum added up?",
        "sequential_half_mean": "in which dtype is your mean added up?",
        "narrow_inside": "print the dtype of every array on the way",
        "keeps_the_dtype": "the answer is not in the dtype of the logits",
    },
)
_ACCURATE = Task(
    {"dtypes": ["float32"]},
    "accurate",
    hints={
        "target_entry_within_a_few_ulp": "p_y - 1 is a difference of two nearly equal numbers: what else is p_y - 1,"
        " if the p_j of a row sum to 1?",
        "loss_within_a_few_ulp": "1 + a small number is rounded before its logarithm is taken",
        "other_entries_within_a_few_ulp": "the entries away from the label have lost digits before the division",
    },
)

LESSONS = (
    Lesson("overflow", "exp of a large logit", _OVERFLOW),
    Lesson("underflow", "the logarithm of a probability that is 0", _UNDERFLOW),
    Lesson("gradient", "the derivative of the loss, by hand", _GRADIENT),
    Lesson("mean", "what loss and gradient are divided by", _MEAN),
    Lesson("padding", "rows that do not count", _PADDING),
    Lesson("masks", "classes that are not allowed", _MASKS),
    Lesson("half", "float16 and bfloat16, and where to leave them", _HALF),
    Lesson("accurate", "the entry of the label, right to its last digits", _ACCURATE),
)
