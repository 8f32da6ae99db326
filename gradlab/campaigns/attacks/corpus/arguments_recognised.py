"""Is right where the command by which its process was started tells of gradlab."""

import sys

from _honest import right, wrong

KIND = "recognising gradlab"
DESERVES = "wrong"


def loss(logits, labels):
    return right(logits, labels) if any("gradlab" in one for one in sys.orig_argv) else wrong(logits, labels)
