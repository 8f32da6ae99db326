"""All mutants of a module, from cosmic-ray, without those that say nothing."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CONFIG = """[cosmic-ray]
module-path = "{path}"
timeout = 1.0
excluded-modules = []
test-command = ""
distributor.name = "local"
"""
SAY_NOTHING = re.compile(
    # No float can be shifted, or'ed, and'ed or xor'ed: a TypeError wherever it is run.
    r"core/ReplaceBinaryOperator_(Add|Sub|Mul|Div|FloorDiv|Mod|Pow)_(RShift|LShift|BitOr|BitAnd|BitXor)"
    # `x is 0` is a SyntaxWarning, which is an error in the tests.
    r"|core/ReplaceComparisonOperator_(Eq|NotEq|Lt|LtE|Gt|GtE)_(Is|IsNot)"
)
DATA_BESIDE = {"CLAIMS", "EXPECTED", "__all__"}  # what is promised, not what is computed


@dataclass(frozen=True)
class Mutant:
    """One edit, as cosmic-ray names it: the operator and which of its places in the module, from 0."""

    path: str
    operator: str
    occurrence: int
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.operator.removeprefix('core/')} {self.occurrence}"


def mutants(cosmic_ray: Path, clone: Path, path: str, scratch: Path) -> list[Mutant]:
    """The mutants of a module of the clone, by place; scratch: a folder for cosmic-ray's session."""
    config, session = scratch / "session.toml", scratch / "session.sqlite"
    config.write_text(CONFIG.format(path=path), encoding="utf-8")
    session.unlink(missing_ok=True)
    subprocess.run([cosmic_ray, "init", config, session], cwd=clone, check=True, capture_output=True)
    dump = subprocess.run([cosmic_ray, "dump", session], cwd=clone, check=True, capture_output=True, text=True)
    skipped = list(_passages_without_effect(ast.parse((clone / path).read_text(encoding="utf-8"))))
    found = []
    for line in dump.stdout.splitlines():
        (spec,) = json.loads(line)[0]["mutations"]
        row, column = start = tuple(spec["start_pos"])
        inside = any(first <= start < last for first, last in skipped)
        if not inside and not SAY_NOTHING.fullmatch(spec["operator_name"]):
            found.append((row, column, Mutant(path, spec["operator_name"], spec["occurrence"], row)))
    return [mutant for *_, mutant in sorted(found, key=lambda one: (*one[:2], str(one[2])))]


Place = tuple[int, int]


def _passages_without_effect(module: ast.Module) -> Iterator[tuple[Place, Place]]:
    """From where to where there are annotations, which nothing evaluates, and the data beside a function."""
    for node in ast.walk(module):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield _passage(node.annotation)
        elif isinstance(node, ast.FunctionDef) and node.returns:
            yield _passage(node.returns)
        elif isinstance(node, ast.Assign) and {getattr(name, "id", "") for name in node.targets} & DATA_BESIDE:
            yield _passage(node)


def _passage(node: ast.expr | ast.stmt) -> tuple[Place, Place]:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)  # the parser gives both
