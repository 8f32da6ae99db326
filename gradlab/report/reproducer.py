"""Three lines of plain Python that show a failure again, without gradlab."""

from __future__ import annotations

import functools
import inspect
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.evaluation.call import Implementation, keywords_of
from gradlab.problems.formatting import SHOWN_ENTRIES, numbers
from gradlab.problems.problem import Problem
from gradlab.targets.prefixes import split_prefix


def reproducer(implementation: Implementation, problem: Problem) -> list[str]:
    """The lines: import NumPy, import the function, print its answer to the problem; none where they would not run.

    They run in the folder in which the target was given. None for a large problem, a function without a target that
    leads to it, or a file that is part of a package. For the target of an adapter they load it through gradlab.
    """
    imported = _import_of(implementation)
    if imported is None or problem.logits.size > SHOWN_ENTRIES:
        return []
    line, name = imported
    dtype = problem.format.name
    targets = f"np.array({numbers(problem.targets)})"
    if problem.objective.targets == "probability":
        targets = _array(problem.targets, dtype)
    arguments = [_array(problem.logits, dtype), targets, *_keywords(implementation, problem)]
    libraries = ["import numpy as np", *(["import ml_dtypes"] if dtype == "bfloat16" else [])]
    return [*libraries, line, f"print({name}({', '.join(arguments)}))"]


def _import_of(implementation: Implementation) -> tuple[str, str] | None:
    """A line that imports the function, and the name under which it then is."""
    if split_prefix(implementation.target)[0]:
        line = f"from gradlab.targets.load import load; loss = load({implementation.target!r}, {{}})[0].function"
        return line, "loss"
    head, _, path = implementation.target.rpartition(":")
    name, _, rest = path.partition(".")
    called = f"{name}.{rest}" if rest else name
    if not head:
        return _import_by_module(implementation.function)
    if not head.endswith(".py"):
        return f"from {head} import {name}", called
    if (Path(head).parent / "__init__.py").is_file():
        return None
    return f"import runpy; {name} = runpy.run_path({head!r})[{name!r}]", called


def _import_by_module(function: Any) -> tuple[str, str] | None:
    """The same for a target that is a mere name: of what ships, or of an entry point."""
    function = function.func if isinstance(function, functools.partial) else function
    module, name = inspect.getmodule(function), getattr(function, "__qualname__", "")
    if module is None or not name.isidentifier() or getattr(module, name, None) is not function:
        return None
    importable = module.__name__ != "__main__" and not module.__name__.startswith("_gradlab_")
    return (f"from {module.__name__} import {name}", name) if importable else None


def _keywords(implementation: Implementation, problem: Problem) -> list[str]:
    keywords = keywords_of(implementation.claims, problem)
    if isinstance(implementation.function, functools.partial):
        keywords = {**implementation.function.keywords, **keywords}
    return [f"{name}={_spelled(value, problem.format.name)}" for name, value in keywords.items()]


def _spelled(value: Any, dtype: str) -> str:
    return _array(value, dtype) if isinstance(value, np.ndarray) else repr(value)


def _array(values: np.ndarray[Any, np.dtype[Any]], dtype: str) -> str:
    text = numbers(values).replace("inf", "np.inf").replace("nan", "np.nan")
    return f"np.array({text}, dtype={'ml_dtypes.bfloat16' if dtype == 'bfloat16' else f'np.{dtype}'})"
