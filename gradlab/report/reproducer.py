"""Three lines of plain Python that show a failure again, without gradlab."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness.scopes import scope_of
from gradlab.judged.remote_function import RemoteFunction
from gradlab.problems.formatting import SHOWN_ENTRIES, numbers
from gradlab.problems.problem import AnyProblem
from gradlab.targets.prefixes import LAYER, split_prefix


@dataclass(frozen=True)
class Source:
    """How a script has a function: the line that imports it, what it is called then, and the keywords bound to it."""

    line: str
    name: str
    keywords: Mapping[str, Any] = field(default_factory=dict)


def source_of(implementation: Implementation) -> Source | None:
    """How a script has the function in the folder in which the target was given; for an adapter's through gradlab.

    None for a function without a target that leads to it, and for a file that is part of a package.
    """
    function = implementation.function
    if implementation.target.startswith(LAYER):
        return _source_of_layer(implementation)
    keywords = _keywords_of(function)
    head, _, path = implementation.target.rpartition(":")
    name, _, rest = path.partition(".")
    called = f"{name}.{rest}" if rest else name
    if split_prefix(implementation.target)[0]:
        line = f"from gradlab.targets.load import load; loss = load({implementation.target!r}, {{}})[0].function"
        return Source(line, "loss", keywords)
    if not head:
        return _source_by_module(function, keywords)
    if not head.endswith(".py"):
        return Source(f"from {head} import {name}", called, keywords)
    if (Path(head).parent / "__init__.py").is_file():
        return None
    return Source(f"import runpy; {name} = runpy.run_path({head!r})[{name!r}]", called, keywords)


def _source_of_layer(implementation: Implementation) -> Source:
    """The same of a layer: a plain function of a file or a module by itself, anything else through gradlab."""
    function, target = implementation.function, implementation.target
    keywords = _keywords_of(function)
    plain = function.func if isinstance(function, functools.partial) else function
    head, _, name = target.removeprefix(LAYER).rpartition(":")
    if head and getattr(plain, "__name__", "") == name:
        if not head.endswith(".py"):
            return Source(f"from {head} import {name}", name, keywords)
        if not (Path(head).parent / "__init__.py").is_file():
            return Source(f"import runpy; {name} = runpy.run_path({head!r})[{name!r}]", name, keywords)
    called = name if name.isidentifier() else "layer"
    return Source(
        f"from gradlab.targets.layers import load_layer; {called} = load_layer({target!r}, {{}}).function", called
    )


def reproducer(source: Source, claims: Claims, problem: AnyProblem) -> list[str]:
    """The lines: import NumPy, import the function, print its answer to the problem; none for a large problem."""
    writing = scope_of(claims).writing
    if writing.n_shown(problem) > SHOWN_ENTRIES:
        return []
    call, dtype = writing.call_shown(claims, problem), problem.format.name
    keywords = {**source.keywords, **call.keywords}
    named = [f"{name}={_format(value, dtype)}" for name, value in keywords.items()]
    libraries = ["import numpy as np", *(["import ml_dtypes"] if dtype == "bfloat16" else [])]
    arguments = ", ".join([*(_format(value, dtype) for value in call.arguments), *named])
    return [*libraries, source.line, f"print({source.name}({arguments}))"]


def _keywords_of(function: Any) -> dict[str, Any]:
    """The keywords that a function has been given for all calls."""
    return dict(function.keywords) if isinstance(function, functools.partial | RemoteFunction) else {}


def _source_by_module(function: Any, keywords: Mapping[str, Any]) -> Source | None:
    """The same for a target that is a mere name: of what ships, or of an entry point."""
    if isinstance(function, RemoteFunction):
        name, module_name = function.__name__, function.module
        return Source(f"from {module_name} import {name}", name, keywords) if module_name else None
    function = function.func if isinstance(function, functools.partial) else function
    module, name = inspect.getmodule(function), getattr(function, "__qualname__", "")
    if module is None or not name.isidentifier() or getattr(module, name, None) is not function:
        return None
    is_importable = module.__name__ != "__main__" and not module.__name__.startswith("_gradlab_")
    return Source(f"from {module.__name__} import {name}", name, keywords) if is_importable else None


def _format(value: Any, dtype: str) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    return f"np.array({numbers(value)})" if value.dtype.kind in "iu" else _array(value, dtype)


def _array(values: np.ndarray[Any, np.dtype[Any]], dtype: str) -> str:
    text = numbers(values).replace("inf", "np.inf").replace("nan", "np.nan")
    return f"np.array({text}, dtype={'ml_dtypes.bfloat16' if dtype == 'bfloat16' else f'np.{dtype}'})"
