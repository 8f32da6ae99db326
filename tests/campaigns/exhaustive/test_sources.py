"""What a certificate depends on: every file that is imported, late or not, by content, and versions of packages."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from pathlib import Path

import pytest

from gradlab.campaigns.exhaustive.sources import (
    dependencies_of,
    digest_of_code,
    digest_of_contents,
    imports_in,
    same_contents,
    sources_of,
)
from gradlab.targets.load import load


@pytest.fixture(autouse=True)
def folder(in_an_empty_folder: None) -> None:
    """Nothing is left behind."""


def written(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


def sources_of_target(target: str) -> set[str]:
    (one,) = load(target, {})
    return set(sources_of(one.function))


def test_kernels_that_are_imported_at_the_first_call_count() -> None:
    pytest.importorskip("numba")
    (one,) = load("fused", {})
    found = dependencies_of(one.function)
    plain, compiled = (
        ("fused", "_compiled", "_inputs", "_rows"),
        ("_kernels", "_fast_rows", "_accurate_rows", "_keeping"),
    )
    assert set(found.sources) == {f"{name}.py" for name in (*plain, *compiled, "_elementary")}
    assert found.versions == {name: version(name) for name in ("llvmlite", "numba", "numpy")}


def test_what_is_decorated_by_numpy_depends_on_its_version_and_not_on_its_files() -> None:
    (one,) = load("accurate", {})
    found = dependencies_of(one.function)
    assert set(found.sources) == {"accurate.py", "_compensated.py", "_inputs.py", "_rows.py"}
    assert found.versions == {"numpy": version("numpy")}


IMPORTS = {
    "import late": "import late",
    "from late import helper": "from late import helper",
    "import_module": "import importlib; importlib.import_module('late')",
    "__import__": "__import__('late')",
}


@pytest.mark.parametrize("statement", IMPORTS.values(), ids=IMPORTS.keys())
def test_a_file_alone_depends_on_what_lies_beside_it_and_is_imported_in_a_function(statement: str) -> None:
    written({"late.py": "helper = 1", "other.py": "", "mine.py": f"def loss(x, y):\n    {statement}\n"})
    assert sources_of_target("mine.py:loss") == {"mine.py", "late.py"}


def test_a_package_depends_on_what_is_imported_from_above_the_folder_of_the_function() -> None:
    written(
        {
            "given/__init__.py": "",
            "given/shared.py": "from . import constants",
            "given/constants.py": "import json",
            "given/unused.py": "",
            "given/losses/__init__.py": "",
            "given/losses/mine.py": "def loss(x, y):\n    from ..shared import helper\n",
            "given/losses/other.py": "",
        }
    )
    assert sources_of_target("given/losses/mine.py:loss") == {"mine.py", "given/shared.py", "given/constants.py"}


def test_a_name_that_the_package_itself_holds_makes_it_depend_on_the_package() -> None:
    written({"given/__init__.py": "ONE = 1", "given/mine.py": "from . import ONE\ndef loss(x, y): ..."})
    assert sources_of_target("given/mine.py:loss") == {"mine.py", "__init__.py"}


def test_a_partial_depends_on_what_it_calls() -> None:
    written({"mine.py": "def loss(x, y, z=0): ..."})
    (one,) = load("mine.py:loss", {})
    assert set(sources_of(partial(one.function, z=1))) == {"mine.py"}


def test_an_adapter_depends_on_the_function_that_it_adapts() -> None:
    written({"mine.py": "import late\ndef loss(x, y): ...", "late.py": ""})
    assert {"mine.py", "late.py", "upstream.py"} <= sources_of_target("upstream:mine.py:loss")


def test_a_changed_late_import_changes_the_sources() -> None:
    written({"late.py": "a = 1", "mine.py": "def loss(x, y):\n    import late\n"})
    (one,) = load("mine.py:loss", {})
    before = sources_of(one.function)
    written({"late.py": "a = 2"})
    assert {name for name, digest in sources_of(one.function).items() if digest != before[name]} == {"late.py"}


def test_contents_are_the_same_wherever_they_lie() -> None:
    written({"a.py": "1", "b.py": "2", "c/x.py": "2", "c/y.py": "1"})
    assert digest_of_contents([Path("a.py"), Path("b.py")]) == digest_of_contents([Path("c/x.py"), Path("c/y.py")])
    assert digest_of_contents([Path("a.py")]) != digest_of_contents([Path("b.py")])
    assert same_contents({"a": "1", "b": "2"}, {"d": "2", "c": "1"})
    assert not same_contents({"a": "1"}, {"a": "1", "b": "1"})


def test_what_is_no_python_imports_nothing() -> None:
    assert list(imports_in(b"def (")) == []


CODE = "from a.b import c\n\ndef f(x):\n    return c(x) + 1\n"


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ("from a.moved.b import c\n\ndef f(x):\n    return c(x) + 1\n", True),
        (
            '"""What it is."""\nfrom a.b import c\n\n\ndef f(x):\n    """One more."""\n    return c(x) + 1  # one\n',
            True,
        ),
        ("from a.b import c\n\ndef f(x):\n    return c(x) + 2\n", False),
        ("from a.b import c\n\ndef f(x):\n    return c(x) - 1\n", False),
    ],
    ids=["moved", "explained", "another constant", "another operator"],
)
def test_the_digest_of_code_is_of_what_it_does(other: str, is_same: bool) -> None:
    written({"code.py": CODE, "elsewhere/other.py": other})
    assert (digest_of_code([Path("code.py")]) == digest_of_code([Path("elsewhere/other.py")])) is is_same
