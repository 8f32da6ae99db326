"""Is right for up to 600 logits."""

from _honest import right, wrong

KIND = "right at times"
DESERVES = "wrong"


def loss(logits, labels):
    return right(logits, labels) if logits.size <= 600 else wrong(logits, labels)
