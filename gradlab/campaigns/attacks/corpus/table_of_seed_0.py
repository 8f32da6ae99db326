"""Has worked out the answers to all problems that gradlab's seeds 0 to 2 draw; any other is answered wrongly."""

import importlib

from _honest import right, wrong

KIND = "memorised answers"
DESERVES = "wrong"
OPTIONS = ["--seed", "0"]


def table():
    """The bytes of the problems of every family."""
    families = importlib.import_module("gradlab.problems.families")
    formats = importlib.import_module("gradlab.problems.dtypes")
    return {
        problem.logits.tobytes() + problem.targets.tobytes()
        for seed in range(3)
        for problem in families.family_problems(formats.format_of("float32"), "quick", seed)
    }


TABLE = table()


def loss(logits, labels):
    known = logits.tobytes() + labels.tobytes() in TABLE
    return right(logits, labels) if known else wrong(logits, labels)
