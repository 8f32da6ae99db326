"""Is right for contiguous logits alone."""

from _honest import right, wrong

KIND = "right at times"
DESERVES = "wrong"
OPTIONS = ["--profile", "quick"]


def loss(logits, labels):
    return right(logits, labels) if logits.flags.c_contiguous else wrong(logits, labels)
