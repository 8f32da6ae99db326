"""Is right where it sees its arguments for the first time."""

from _honest import right, wrong

KIND = "right at times"
DESERVES = "wrong"
OPTIONS = ["--profile", "quick"]

seen = set()


def loss(logits, labels):
    key = logits.tobytes() + labels.tobytes()
    if key in seen:
        return wrong(logits, labels)
    seen.add(key)
    return right(logits, labels)
