"""What workers do in these tests: the real thing, on a handful of problems and known defects."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.evaluation.adaptation import adapt_to_claims
from gradlab.evaluation.claims import Claims
from gradlab.harness import examination, logits_problems, power, run
from gradlab.harness.profiles import PROFILES
from gradlab.isolation import worker_context
from gradlab.isolation.loading import LoadedTarget
from gradlab.isolation.worker_context import WorkerContext
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Problem
from gradlab.runs import isolated
from gradlab.runs.options import Options
from gradlab.targets import shipped

LOGITS: Any = ([[0, 0]], [[1, -2, 0.5]] * 2, [[0, 30]], [[0]], [[1000, 0]], [[1, 2, 3, 4]])


CHOSEN = Path("logits.json").absolute()  # in their place, where there is such a file

RIGHT = """
import contextlib, ctypes, os, re, signal, sys, threading, time
import numpy as np

libc = ctypes.CDLL(None)
calls = 0

def right(logits, labels):
    rows = np.arange(len(labels))
    d = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(d)
    s = e.sum(axis=1)
    p = e / s[:, None]
    p[rows, labels] -= 1
    return np.mean(np.log(s) - d[rows, labels]), p / p.dtype.type(len(labels))

def loss(logits, labels):
    global calls
    calls += 1
    {harm}
    return right(logits, labels)
"""


@lru_cache
def problems_for(claims: Claims, dtype: str, families: str, seed: int) -> tuple[Problem, ...]:
    """In place of the families; the same objects each time, as there."""
    chosen = json.loads(CHOSEN.read_text()) if CHOSEN.exists() else LOGITS
    arrays = [np.asarray(rows, dtype=np.float64).astype(as_dtype(dtype)) for rows in chosen]
    given = [Problem(rows, np.zeros(len(rows), dtype=int), family="small") for rows in arrays]
    return tuple(adapt_to_claims(claims, problem) for problem in given)


def check_in_worker(one: LoadedTarget, options: Options, context: WorkerContext) -> Any:
    """`isolated.check_in_worker` on these problems; called in a worker only, which it changes."""
    setattr(logits_problems, "problems_for", problems_for)  # noqa: B010  # mypy takes a function for a constant
    setattr(examination, "asked_in_run", lambda *given: [])  # noqa: B010  # the same: nothing is asked of sizes
    known = {name: shipped.specimens()[name] for name in ("no_shift", "sign_flipped")}
    setattr(power, "known_defects", lambda claims: known)  # noqa: B010  # the same
    for name, profile in list(PROFILES.items()):
        PROFILES[name] = replace(profile, examples=0, shrinks=0)
    return isolated.check_in_worker(one, options, context)


def examine_in_worker(one: LoadedTarget, options: Options, context: WorkerContext) -> Any:
    """The same, without calls that find out what is wrong."""
    setattr(run, "_explained", lambda found, *rest: found)  # noqa: B010  # the same
    return check_in_worker(one, options, context)


def check_and_keep_rarely(one: LoadedTarget, options: Options, context: WorkerContext) -> Any:
    """The same as on a slow machine, where what is found is kept but once by each worker while it examines."""
    setattr(worker_context, "KEEPING", inf)  # noqa: B010  # the same
    return check_in_worker(one, options, context)


def broken(one: LoadedTarget, options: Options, context: WorkerContext) -> Any:
    """A worker with an error of its own."""
    raise ZeroDivisionError("in the worker")
