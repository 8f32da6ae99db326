"""No parameter is a tuple of unlike parts: such parts are arguments, or fields of a small class with a name.

Allowed are `tuple[X, ...]`, a tuple of like parts behind a name that is a noun of the field (`Pair`, the two parts of a
double-double number; `Shape`; an interval), and whatever a function returns.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("gradlab", "implementations", "tools", "benchmarks")
VAGUE = frozenset({"at", "extent", "rest", "what", "where"})  # names of parameters that do not say what is in them

Aliases = Mapping[str, frozenset[str]]


def packed_parameters(source: str, aliases: frozenset[str] = frozenset()) -> list[tuple[int, str]]:
    """Line and text of each parameter that is a tuple without a name or one of `aliases`, or that has a vague name."""
    return [
        (parameter.lineno, ast.unparse(parameter))
        for parameter in _parameters(source)
        if _is_vague(parameter) or any(_is_packed(part, aliases) for part in _alternatives(parameter.annotation))
    ]


def aliases_of_unlike_parts(source: str) -> frozenset[str]:
    """The names that a module gives, at its top, to tuples of a fixed number of unlike parts."""
    return frozenset(name for name, value in _assignments(source) if len(set(_parts(value))) > 1)


def aliases_in(source: str, defined: Aliases) -> frozenset[str]:
    """The names of such tuples that a module has, its own and those it imports; defined: those of every module."""
    imported = {
        one.asname or one.name
        for node in ast.walk(_tree(source))
        if isinstance(node, ast.ImportFrom)
        for one in node.names
        if one.name in defined.get(node.module or "", ())
    }
    return aliases_of_unlike_parts(source) | imported


def _is_vague(parameter: ast.arg) -> bool:
    """Whether the name says nothing, and is not that of the parameter's class either."""
    text = "" if parameter.annotation is None else ast.unparse(parameter.annotation)
    return parameter.arg in VAGUE and text.lower() != parameter.arg


@cache
def _tree(source: str) -> ast.Module:
    return ast.parse(source)


def _parameters(source: str) -> Iterator[ast.arg]:
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = node.args
            yield from (*given.posonlyargs, *given.args, *given.kwonlyargs)
            yield from filter(None, (given.vararg, given.kwarg))


def _assignments(source: str) -> Iterator[tuple[str, ast.expr]]:
    for node in _tree(source).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                yield name, value


def _alternatives(annotation: ast.expr | None) -> Iterable[ast.expr]:
    """X and Y of an annotation X | Y, which may be written as a string; none of no annotation."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return _alternatives(ast.parse(annotation.value, mode="eval").body)
    if isinstance(annotation, ast.BinOp):
        return [*_alternatives(annotation.left), *_alternatives(annotation.right)]
    return [] if annotation is None else [annotation]


def _is_packed(annotation: ast.expr, aliases: frozenset[str]) -> bool:
    return bool(_parts(annotation)) or (isinstance(annotation, ast.Name) and annotation.id in aliases)


def _parts(annotation: ast.expr) -> list[str]:
    """The types of the parts of a tuple of a fixed number of them, two or more; none of anything else."""
    match annotation:
        case ast.Subscript(value=ast.Name(id="tuple" | "Tuple"), slice=ast.Tuple(elts=parts)):
            texts = [ast.unparse(part) for part in parts]
            return texts if len(texts) > 1 and "..." not in texts else []
    return []


def sources() -> dict[str, str]:
    """The text of every module of FOLDERS, by its path."""
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}


@cache
def offenders() -> list[str]:
    """Every packed parameter of the project, as path:line and the parameter."""
    modules = sources()
    defined = {
        path.removesuffix(".py").replace("/", "."): aliases_of_unlike_parts(source) for path, source in modules.items()
    }
    return [
        f"{path}:{line} {text}"
        for path, source in modules.items()
        for line, text in packed_parameters(source, aliases_in(source, defined))
    ]


def test_no_parameter_is_a_packed_tuple() -> None:
    assert offenders() == []


@pytest.mark.parametrize(
    "parameter",
    [
        "at: tuple[str, int, int]",
        "arrays: tuple[float, float]",
        "bound: Bound",
        "bound: Bound | None",
        "pair: 'tuple[int, str]'",
        "pair: None | tuple[int, str] = None",
        "*pairs: tuple[int, str]",
        "*, pair: tuple[int, str]",
        "pair: tuple[int, str], /",
        "what",
        "rest: str",
    ],
)
@pytest.mark.parametrize("head", ["def f({}): ...", "async def f({}): ...", "class A:\n    def f(self, {}): ..."])
def test_a_packed_parameter_is_found(head: str, parameter: str) -> None:
    source = "Bound = tuple[float, str]\n" + head.format(parameter)
    assert len(packed_parameters(source, aliases_of_unlike_parts(source))) == 1


@pytest.mark.parametrize(
    "parameter",
    [
        "sizes: tuple[int, ...]",
        "names: tuple[str]",
        "pair: Pair",
        "shape: Shape",
        "pairs: list[tuple[int, str]]",
        "call: Callable[[tuple[int, str]], None]",
        "whatever",
        "where: Where",
    ],
)
def test_what_may_be_a_parameter_is_accepted(parameter: str) -> None:
    source = f"Pair = tuple[Array, Array]\nShape = tuple[int, int]\ndef f({parameter}) -> tuple[int, str]: ..."
    assert packed_parameters(source, aliases_of_unlike_parts(source)) == []


@pytest.mark.parametrize("use", ["from gradlab.a import Bound", "from gradlab.a import Bound as Limit"])
def test_an_alias_is_followed_to_where_it_is_imported(use: str) -> None:
    defined = {"gradlab.a": aliases_of_unlike_parts("Bound: TypeAlias = tuple[float, str]")}
    name = use.rpartition(" ")[2]
    assert len(packed_parameters(f"def f(bound: {name}): ...", aliases_in(use, defined))) == 1
