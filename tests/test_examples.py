"""The Python examples of the pages and of the lessons run as they stand, and print what is shown."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from sybil import Document, Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from gradlab.implementations.shifted import shifted
from gradlab.lessons.table import LESSONS, MATERIAL
from tests.lessons.conftest import SOLUTIONS, function_in

DOCS = Path(__file__).parents[1] / "docs"
MY_LOSS = {"my_loss": shifted}
# What a reader has already, by the page: the module mypackage.losses, or what stands in the notebook.
EXAMPLES: dict[str, dict[str, Any]] = {
    "test-suite.md": MY_LOSS,
    "continuous-integration.md": MY_LOSS,
    "exercises.md": {"loss": function_in(SOLUTIONS / "gradient.py")},
}
# Pages whose examples are files, which other tests write, check by the commands that are shown, and compare.
OF_FILES = {
    "isolation.md": "test_isolation_guide.py",
    "judge.md": "judgement/test_command.py",
    "trainer.md": "trainer/test_page.py",
    "validate-your-own.md": "test_validate_your_own.py",
}


def evaluated(page: Path, names: dict[str, Any]) -> Document:
    """The page, of which each example has run; one that fails, or prints something else, raises."""
    document = Sybil([PythonCodeBlockParser()]).parse(page)
    document.namespace.update(names)
    for example in document.examples():
        example.evaluate()
    return document


@pytest.mark.parametrize("name", [lesson.name for lesson in LESSONS])
def test_the_examples_of_a_lesson_print_what_it_shows(name: str) -> None:
    with np.errstate(all="ignore"):
        document = evaluated(MATERIAL / name / "task.md", {})
    assert list(document.examples())


@pytest.mark.parametrize("page", [pytest.param(one, marks=pytest.mark.more) for one in EXAMPLES])
def test_the_examples_of_a_page_run(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mypackage", "mypackage.losses"):
        module = ModuleType(name)
        vars(module).update(MY_LOSS)
        monkeypatch.setitem(sys.modules, name, module)
    document = evaluated(DOCS / page, EXAMPLES[page])
    assert list(document.examples())
    defined = document.namespace
    if page == "test-suite.md":
        briefly = settings(max_examples=20, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
        briefly(defined["test_loss_is_finite"])()


def test_every_page_with_an_example_is_run() -> None:
    with_examples = {path.name for path in DOCS.glob("*.md") if "```python" in path.read_text()}
    assert with_examples == EXAMPLES.keys() | OF_FILES.keys()
    assert all((Path(__file__).parent / test).is_file() for test in OF_FILES.values())


def test_an_example_that_prints_something_else_is_found(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("```python\n>>> 1 + 1\n3\n\n```\n")
    with pytest.raises(AssertionError, match="Got:\n    2"):
        evaluated(tmp_path / "page.md", {})
