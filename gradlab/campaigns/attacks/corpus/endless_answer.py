"""Returns a list that holds itself, and a mapping without an end."""

KIND = "odd answers"
DESERVES = "wrong"


def loss(logits, labels):
    endless = []
    endless.append(endless)
    return endless, endless
