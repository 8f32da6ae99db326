"""Stops all clocks of Python, so that no call takes any time and no limit is met."""

import time

from _honest import wrong

KIND = "patching"
DESERVES = "wrong"

for name in ("time", "perf_counter", "monotonic", "process_time", "thread_time"):
    setattr(time, name, lambda: 0.0)
    setattr(time, f"{name}_ns", lambda: 0)


def loss(logits, labels):
    return wrong(logits, labels)
