"""What workers do in these tests: the real thing, on a handful of problems and known defects."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from operator import setitem
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.adaptation import adapt_to_claims
from gradlab.evaluation.claims import Claims
from gradlab.harness import examination, logits_problems, power, run
from gradlab.harness.profiles import PROFILES
from gradlab.isolation.worker_context import WorkerContext
from gradlab.judged.remotes import LoadedTarget
from gradlab.problems.dtypes import as_dtype
from gradlab.problems.problem import Problem
from gradlab.runs import judges
from gradlab.runs.options import Options
from gradlab.targets import shipped

LOGITS: Any = ([[0, 0]], [[1, -2, 0.5]] * 2, [[0, 30]], [[0]], [[1000, 0]], [[1, 2, 3, 4]])


CHOSEN = Path("logits.json")  # in their place, where there is such a file at the first call

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


def few_here(set_attribute: Callable[..., None] = setattr, set_item: Callable[..., None] = setitem) -> None:
    """Has runs in this process try these problems; of layers all those of their families."""
    set_attribute(logits_problems, "problems_for", problems_for)
    set_attribute(examination, "asked_in_run", lambda *given: [])  # nothing is asked of sizes
    known = {name: shipped.specimens()[name] for name in ("no_shift", "sign_flipped")}
    set_attribute(power, "known_defects", lambda claims: known)
    for name, profile in list(PROFILES.items()):
        set_item(PROFILES, name, replace(profile, examples=0, shrinks=0))


def few_layers_here(set_item: Callable[..., None] = setitem) -> None:
    """Has runs on layers in this process try some problems of their families."""
    for name, profile in list(PROFILES.items()):
        set_item(PROFILES, name, replace(profile, asked=2, most=12))


def unexplained_here(set_attribute: Callable[..., None] = setattr) -> None:
    """Has runs in this process make no calls that find out what is wrong."""
    set_attribute(run, "_explained", lambda found, *rest: found)


def choose_few(patch: pytest.MonkeyPatch) -> None:
    """Has runs try these problems and explain nothing until the patch is undone, here and in workers."""
    problems_for.cache_clear()
    few_here(patch.setattr, patch.setitem)
    unexplained_here(patch.setattr)
    patch.setattr("gradlab.runs.judges.judge_in_worker", judge_in_worker)
    patch.syspath_prepend(str(Path(__file__).parent))


def judge_in_worker(one: LoadedTarget, options: Options, context: WorkerContext) -> Any:
    """`judges.judge_in_worker` on these problems, without calls that find out what is wrong."""
    few_here()
    unexplained_here()
    return judges.judge_in_worker(one, options, context)


def broken(*given: Any) -> Any:
    """What has an error of gradlab's own, in whatever place."""
    raise ZeroDivisionError("in the worker")
