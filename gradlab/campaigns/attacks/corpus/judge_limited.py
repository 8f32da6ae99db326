"""Leaves the judge no descriptors, no room in memory and no time of the processor."""

import contextlib
import os
import resource

from _honest import wrong

KIND = "the judge itself"
DESERVES = "wrong"


def loss(logits, labels):
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE):
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(os.getppid(), limit, (1, 1))
    return wrong(logits, labels)
