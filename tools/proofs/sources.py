"""What the scripts take from the sources: the constants of the code, and the code that they describe."""

from __future__ import annotations

import ast
import math
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.oracle.fast import exponential

ROOT = Path(__file__).parents[2]
ACCURATE = "implementations/accurate.py"
COMPENSATED = "implementations/_compensated.py"
ELEMENTARY = "implementations/_elementary.py"
KERNELS = "implementations/_accurate_rows.py"
DOUBLE_DOUBLE = "gradlab/oracle/double_double.py"
ORACLE_EXPONENTIAL = "gradlab/oracle/fast/exponential.py"
_NAMES = ("PER_LOG2_", "LOG2_", "ROUNDER", "LOWEST", "Q")  # each of float32 and of float64


def constants() -> dict[str, str]:
    """The constants of `_elementary.py` in hexadecimal, by name; of a tuple NAME the part i as NAME_i, from 0.

    They are read from the source itself, which imports numba.
    """
    values = top_level_values(ELEMENTARY, {name + bits for name in _NAMES for bits in ("32", "64")})
    parts: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, tuple):
            parts |= {f"{name}_{i}": float(part).hex() for i, part in enumerate(value)}
        else:
            parts[name] = float(value).hex()
    return parts


def oracle_constants() -> dict[str, str]:
    """The constants of the oracle's exp in hexadecimal: C_1, C_2, C_3, the reciprocal of C, and 1/n! of expm1."""
    found = exponential.constants()
    step = dict(zip(("C1", "C2", "C3"), found.step, strict=True))
    quotients = {f"C{n}": value for n, value in _reciprocals(function_text(ORACLE_EXPONENTIAL, "expm1")).items()}
    lowest = exponential.LOWEST_ARGUMENT
    values = step | quotients | {"PER_STEP": found.per_step, "LOWEST": lowest}
    return {name: value.hex() for name, value in values.items()}


def _reciprocals(code: str) -> dict[int, float]:
    """The quotients 1 / n of numbers in the code, by n."""
    divisions = [
        node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
    ]
    below = [node.right.value for node in divisions if isinstance(node.right, ast.Constant)]
    return {n: 1 / n for n in below if isinstance(n, int)}


def top_level_values(path: str, names: set[str]) -> dict[str, Any]:
    """What the module's assignments give these names; they may use numpy and math, and nothing else.

    Raises KeyError for a name that the module does not assign.
    """
    space: dict[str, Any] = {"np": np, "math": math}
    for statement in ast.parse((ROOT / path).read_text()).body:
        if isinstance(statement, ast.Assign) and names & _assigned_names(statement):
            exec(compile(ast.Module([statement], []), path, "exec"), space)
    return {name: space[name] for name in sorted(names)}


def function_text(path: str, name: str) -> str:
    """The function's code as Python prints it, without its docstring, comments and layout."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            if ast.get_docstring(node) is not None and len(node.body) > 1:
                node.body = node.body[1:]
            return ast.unparse(node)
    raise KeyError(f"{path} has no function {name}")


def _assigned_names(statement: ast.Assign) -> set[str]:
    return {node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name)}
