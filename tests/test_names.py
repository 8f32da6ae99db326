"""No function is called by what it is of, and no limit by a superlative: a name says what is returned, or done.

So there is no `of_rows` and no `_own_answer`, and the constants of a module begin with MAX_ and MIN_.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.test_no_packed_tuples import sources

HEADS = ("of_", "own_")
SUPERLATIVES = ("MOST_", "FEWEST_", "LEAST_")


def poor_names(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of each function, at any depth, and of each constant of the module that begins poorly."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.lstrip("_").startswith(HEADS):
            yield node.lineno, node.name
    for statement in tree.body:
        for node in ast.walk(statement):
            match node:
                case ast.Name(id=name, ctx=ast.Store()) if name.lstrip("_").startswith(SUPERLATIVES):
                    yield node.lineno, name


def test_no_name_begins_poorly() -> None:
    found = [f"{path}:{line} {name}" for path, source in sources().items() for line, name in poor_names(source)]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "def of_rows(): ...",
        "def _of_rows(): ...",
        "class A:\n    def own_answer(self): ...",
        "def f():\n    async def _own_answer(): ...",
        "MOST_ROWS = 3",
        "N, _FEWEST_ROWS = 3, 4",
        "LEAST_ROWS: int = 3",
        "if True:\n    MOST_ROWS = 3",
    ],
)
def test_a_name_that_begins_poorly_is_found(source: str) -> None:
    assert len(list(poor_names(source))) == 1


@pytest.mark.parametrize(
    "source",
    ["def owner(): ...", "def offset(): ...", "MAX_ROWS = 3", "from a import of_rows", "ALMOST_1 = 1"],
)
def test_other_names_are_accepted(source: str) -> None:
    assert list(poor_names(source)) == []
