"""The generated modules: what is committed is what the definitions give, byte by byte."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from gradlab.symbolic import generate
from gradlab.symbolic.generate import COMMAND, FOLDER, MODULES


@pytest.mark.parametrize("name", MODULES)
def test_the_committed_module_is_what_the_definitions_give(name: str) -> None:
    assert (FOLDER / name).read_bytes() == MODULES[name]().encode()


@pytest.mark.parametrize("name", MODULES)
def test_the_first_line_says_by_which_command_it_was_generated(name: str) -> None:
    first = (FOLDER / name).read_text().splitlines()[0]
    assert first == f"# Generated from the definitions by `{COMMAND}`: do not edit."


def test_the_command_writes_all_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    generate.main()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {n: make() for n, make in MODULES.items()}


def test_the_folder_holds_nothing_else_but_a_docstring() -> None:
    others = [path for path in FOLDER.glob("*.py") if path.name not in MODULES]
    bodies = [ast.parse(path.read_text()).body for path in others]
    assert [path.name for path in others] == ["__init__.py"]
    assert [[type(statement) for statement in body] for body in bodies] == [[ast.Expr]]


@pytest.mark.parametrize("name", MODULES)
def test_no_line_is_longer_than_120(name: str) -> None:
    assert max(map(len, MODULES[name]().splitlines())) <= 120
