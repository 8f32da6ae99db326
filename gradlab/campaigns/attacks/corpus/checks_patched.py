"""Has every check and every result of gradlab that it finds loaded, or can load, pass."""

import contextlib
import importlib
import sys

from _honest import wrong

KIND = "patching"
DESERVES = "wrong"


def patch(module):
    for name, value in [*vars(module).items()]:
        with contextlib.suppress(Exception):
            if name in ("Fact", "Result", "Line"):
                value.passed = True
            if name in ("largest_ratio", "worst_ratio"):
                setattr(module, name, lambda *given, **named: 0.0)
            if name == "CHECKS":
                module.CHECKS = ()


for wanted in ("gradlab.result", "gradlab.harness.tally", "gradlab.checks.table", "gradlab.harness.verdict"):
    with contextlib.suppress(Exception):
        patch(importlib.import_module(wanted))


def loss(logits, labels):
    for name in [*sys.modules]:
        if name.startswith("gradlab"):
            patch(sys.modules[name])
    return wrong(logits, labels)
