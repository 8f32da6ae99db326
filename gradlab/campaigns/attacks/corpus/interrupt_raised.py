"""Raises KeyboardInterrupt and SystemExit(0) where it is asked, as if somebody had ended the run well."""

KIND = "patching"
DESERVES = "wrong"


def loss(logits, labels):
    if len(labels) > 1:
        raise KeyboardInterrupt
    raise SystemExit(0)
