"""Answers from a table what families draw that are the same for each seed, and anything else wrongly."""

import importlib

from _honest import right, wrong

KIND = "memorised answers"
DESERVES = "wrong"


def table():
    """The bytes of the problems that two seeds have in common."""
    families = importlib.import_module("gradlab.problems.families")
    formats = importlib.import_module("gradlab.problems.dtypes")
    drawn = [families.family_problems(formats.format_of("float32"), "quick", seed) for seed in (0, 1)]
    first, second = ({one.logits.tobytes() + one.targets.tobytes() for one in problems} for problems in drawn)
    return first & second


TABLE = table()


def loss(logits, labels):
    known = logits.tobytes() + labels.tobytes() in TABLE
    return right(logits, labels) if known else wrong(logits, labels)
