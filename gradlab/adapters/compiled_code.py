"""What torch.compile makes: whether something is its, and that it never goes back to plain code without a word."""

from __future__ import annotations

import os
import sys
from typing import Any

UNLIMITED = 1 << 20  # times that a function is compiled again, for other shapes, strides and dtypes
LIMITS = (
    *("recompile_limit", "accumulated_recompile_limit"),
    *("cache_size_limit", "accumulated_cache_size_limit"),  # as they were called before torch 2.7
)
COMPILED_WAYS = ("scaled", "accumulated", "detached")  # its backward pass keeps nothing for a second one


def is_compiled(loss: Any) -> bool:
    """Whether a callable is what torch.compile returns, a function or a module."""
    return hasattr(loss, "_torchdynamo_orig_callable") or "_orig_mod" in getattr(loss, "_modules", ())


def keep_compiled() -> None:
    """Where torch.compile was used: a function is compiled for every shape that needs it, however many there are.

    By default torch runs the plain code from the ninth on, and says so in a warning alone.
    """
    if "torch._dynamo" not in sys.modules:
        return
    config: Any = sys.modules["torch._dynamo"].config
    for name in LIMITS:
        if hasattr(config, name):
            setattr(config, name, UNLIMITED)
    if hasattr(config, "fail_on_recompile_limit_hit"):
        config.fail_on_recompile_limit_hit = True


def compile_in_this_process() -> None:
    """Has torch start no processes to compile in, unless the environment says how many; before it is first used."""
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
