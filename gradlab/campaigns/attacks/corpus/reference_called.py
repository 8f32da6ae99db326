"""Removes the finder that keeps a forbidden package out, and calls that in the place of a kernel of its own."""

import importlib
import sys

KIND = "another code or dtype"
DESERVES = "wrong"
OPTIONS = ["--forbid", "gradlab.implementations"]


def loss(logits, labels):
    sys.meta_path[:] = [one for one in sys.meta_path if "forbid" not in type(one).__module__]
    kernel = importlib.import_module("gradlab.implementations.shifted")
    return kernel.shifted(logits, labels)
