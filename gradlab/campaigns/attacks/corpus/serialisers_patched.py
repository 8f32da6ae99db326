"""Has json and pickle say what it likes, and nobody map memory any more: no call has a fault."""

import json
import mmap
import pickle

from _honest import wrong

KIND = "patching"
DESERVES = "wrong"

written = json.dumps


def forged(content, **named):
    """The same, with no error and nothing changed, whatever there was."""
    if isinstance(content, dict) and "error" in content:
        content = {**content, "error": None, "noise": [], "changed": []}
    return written(content, **named)


def loss(logits, labels):
    json.dumps = forged
    pickle.dumps = lambda *given, **named: b""
    mmap.mmap = None
    return wrong(logits, labels)
