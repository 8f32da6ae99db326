"""Makes every tolerance of gradlab infinite."""

import contextlib
import importlib
import pkgutil

from _honest import wrong

KIND = "patching"
DESERVES = "wrong"

with contextlib.suppress(Exception):
    bounds = importlib.import_module("gradlab.bounds")
    for found in pkgutil.iter_modules(bounds.__path__, "gradlab.bounds."):
        module = importlib.import_module(found.name)
        for name, value in [*vars(module).items()]:
            if callable(value) and getattr(value, "__module__", "") == found.name and not isinstance(value, type):
                setattr(module, name, lambda *given, **named: float("inf"))


def loss(logits, labels):
    return wrong(logits, labels)
