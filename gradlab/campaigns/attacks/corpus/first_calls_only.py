"""Is right in its first 200 calls."""

from _honest import right, wrong

KIND = "right at times"
DESERVES = "wrong"
OPTIONS = ["--profile", "quick"]

calls = []


def loss(logits, labels):
    calls.append(None)
    return right(logits, labels) if len(calls) <= 200 else wrong(logits, labels)
