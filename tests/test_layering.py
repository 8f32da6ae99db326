"""Imports go one way, downwards: every import statement under gradlab/ and implementations/ is read, lazy ones too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the ground up; a module may import from its own floor and from those below it. An entry stands for a module, or
# for a package and all that is in it; `x.__init__` is the file of package x alone.
FLOORS = (
    ("gradlab.reference",),
    ("gradlab.problems",),
    ("gradlab.symbolic", "gradlab.evaluation", "gradlab.oracle", "gradlab.bounds", "gradlab.result"),
    ("gradlab.layer",),
    ("gradlab.trainer",),
    (
        "gradlab.checks",
        "gradlab.diagnosis",
        "gradlab.localisation",
        "gradlab.storage",
        "gradlab.targets",
        "gradlab.measure",
    ),
    ("gradlab.adapters", "gradlab.harness", "gradlab.isolation", "gradlab.judged"),
    ("gradlab.cases",),
    ("gradlab.report", "gradlab.campaigns", "gradlab.compare", "gradlab.lab"),
    ("gradlab.runs", "gradlab.judgement", "gradlab.api", "gradlab.pages"),
    ("gradlab.integrations", "gradlab.lessons"),
    ("gradlab.__init__",),
    ("gradlab.cli", "gradlab.__main__"),
)

# What may be imported in a few places only.
CONFINED = {
    "sympy": ("gradlab.symbolic",),
    "mpmath": (),
    "flint": (
        "gradlab.oracle",
        "gradlab.layer.oracle",
        "gradlab.reference.ball_forms",
        "gradlab.reference.layer_balls",
        "gradlab.symbolic.taylor",
    ),
    "numba": ("gradlab.oracle.fast.compiled",),
    "hypothesis": ("gradlab.problems.strategies", "gradlab.harness.search"),
    "jinja2": ("gradlab.pages.page",),
    "torch": ("gradlab.adapters",),
    "array_api_compat": ("gradlab.adapters",),
    "array_api_strict": ("gradlab.adapters",),
    "jax": ("gradlab.adapters",),
    "tensorflow": ("gradlab.adapters",),
    "keras": ("gradlab.adapters",),
    "mlx": ("gradlab.adapters",),
    "autograd": ("gradlab.adapters",),
    "optax": ("gradlab.adapters",),
    "jax_cce": ("gradlab.adapters",),
    "liger_kernel": ("gradlab.adapters",),
    "megatron": ("gradlab.adapters",),
    "mlxtend": ("gradlab.adapters",),
    "statsmodels": ("gradlab.adapters",),
    "triton": ("gradlab.adapters",),
    "matplotlib": ("gradlab.campaigns.drawing",),
    "markdown_it": ("gradlab.lessons.page",),
    "scipy": ("gradlab.adapters",),
    "sklearn": ("gradlab.adapters", "gradlab.trainer.data"),
    "gradlab.symbolic": ("gradlab.symbolic", "gradlab.cli"),
    "implementations": (),
    "tests": (),
}

Imports = dict[str, set[str]]


def imports_of_gradlab(root: Path) -> Imports:
    """For every module of gradlab under root, the names of all that it imports; packages end in `.__init__`."""
    paths = {".".join(path.relative_to(root).with_suffix("").parts): path for path in root.glob("gradlab/**/*.py")}
    return {
        module: {_as_module(name, paths) for name in imported_names(path.read_text(), module)}
        for module, path in paths.items()
    }


def imported_names(source: str, module: str) -> Iterator[str]:
    """Every dotted name that source imports: at the top, in functions, or by a literal given to import_module."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=base, names=names, level=level):
                parents = module.split(".")[:-level] if level else []
                origin = ".".join([*parents, *([base] if base else [])])
                yield from (f"{origin}.{alias.name}" for alias in names)
            case ast.Call(
                func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Constant(value=str(name)), *_]
            ):
                if called in ("import_module", "__import__"):
                    yield name


def upward_imports(imports: Imports) -> list[str]:
    """Every import of a module on a higher floor than the importing one."""
    return sorted(
        f"{module} imports {target}"
        for module, targets in imports.items()
        for target in targets & imports.keys()
        if floor_of(target) > floor_of(module)
    )


def cycle(imports: Imports) -> list[str]:
    """The modules of one cycle of imports, or none."""
    try:
        TopologicalSorter({module: targets & imports.keys() for module, targets in imports.items()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def misplaced_imports(imports: Imports) -> list[str]:
    """Every import of something confined from a place that may not import it."""
    return sorted(
        f"{module} imports {target}"
        for module, targets in imports.items()
        for target in targets
        for confined, places in CONFINED.items()
        if _within(target, confined) and not any(_within(module, place) for place in places)
    )


def implementations_importing_gradlab(root: Path) -> list[str]:
    """Every import of gradlab, other than of their neighbours, in the files of implementations/."""
    return sorted(
        f"{path.relative_to(root)} imports {name}"
        for path in root.glob("implementations/**/*.py")
        for name in imported_names(
            path.read_text(), ".".join(("gradlab", *path.relative_to(root).with_suffix("").parts))
        )
        if _within(name, "gradlab") and not _within(name, "gradlab.implementations")
    )


def floor_of(module: str) -> int:
    """The floor that module is on, counted from 0. Raises ValueError where the table does not have it."""
    floors = [floor for floor, entries in enumerate(FLOORS) if any(_within(module, entry) for entry in entries)]
    if len(floors) != 1:
        raise ValueError(f"{module} must be on one floor, is on {floors}")
    return floors[0]


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def _as_module(name: str, paths: dict[str, Path]) -> str:
    # `from a.b import c` gives a.b.c: module a.b.c, package a.b.c, or a name in module a.b or in package a.b
    for candidate in (name, name.rpartition(".")[0]):
        for module in (candidate, f"{candidate}.__init__"):
            if module in paths:
                return module
    return name


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small gradlab that keeps to the rules."""
    for file, source in {
        "gradlab/__init__.py": "from gradlab.harness import search",
        "gradlab/cli.py": "from gradlab.harness import search",
        "gradlab/harness/__init__.py": "",
        "gradlab/harness/search.py": "import hypothesis\nfrom gradlab.checks import accuracy",
        "gradlab/checks/__init__.py": "",
        "gradlab/checks/accuracy.py": "from ..oracle import enclose\nfrom ..result import Result",
        "gradlab/oracle/__init__.py": "def enclose():\n    import flint",
        "gradlab/result.py": "class Result: ...",
        "implementations/_rows.py": "import numpy as np",
        "implementations/shifted.py": "from ._rows import maximum",
    }.items():
        write(tmp_path / file, source)
    return tmp_path


def write(path: Path, source: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)


def test_no_module_imports_from_a_higher_floor() -> None:
    assert upward_imports(imports_of_gradlab(ROOT)) == []


def test_imports_have_no_cycle() -> None:
    assert cycle(imports_of_gradlab(ROOT)) == []


def test_confined_packages_stay_in_their_places() -> None:
    assert misplaced_imports(imports_of_gradlab(ROOT)) == []


def test_implementations_import_nothing_from_gradlab() -> None:
    assert implementations_importing_gradlab(ROOT) == []


def test_every_module_is_on_one_floor() -> None:
    assert all(floor_of(module) >= 0 for module in imports_of_gradlab(ROOT))


def test_every_place_in_the_table_of_confined_packages_exists() -> None:
    modules = imports_of_gradlab(ROOT)
    places = {place for places in CONFINED.values() for place in places}
    assert [place for place in places if not any(_within(module, place) for module in modules)] == []


def test_a_tree_that_keeps_to_the_rules_is_accepted(tree: Path) -> None:
    imports = imports_of_gradlab(tree)
    assert upward_imports(imports) + cycle(imports) + misplaced_imports(imports) == []
    assert implementations_importing_gradlab(tree) == []


@pytest.mark.parametrize(
    "source",
    [
        "import gradlab.cli",
        "from gradlab import cli",
        "from gradlab.cli import main",
        "from . import cli",
        "from .cli import main",
        "def late():\n    from gradlab.cli import main",
        "def late():\n    if True:\n        import gradlab.cli as top",
        "import importlib\nimportlib.import_module('gradlab.cli')",
        "__import__('gradlab.cli')",
    ],
)
def test_an_upward_import_is_found_however_it_is_written(tree: Path, source: str) -> None:
    write(tree / "gradlab/result.py", source)
    assert "gradlab.result imports gradlab.cli" in upward_imports(imports_of_gradlab(tree))


def test_an_import_of_the_public_face_from_below_is_found(tree: Path) -> None:
    write(tree / "gradlab/result.py", "from gradlab import Problem")
    assert upward_imports(imports_of_gradlab(tree)) == ["gradlab.result imports gradlab.__init__"]


def test_a_cycle_on_one_floor_is_found(tree: Path) -> None:
    write(tree / "gradlab/result.py", "from gradlab.oracle import enclose")
    write(tree / "gradlab/oracle/__init__.py", "def enclose():\n    from gradlab.result import Result")
    assert set(cycle(imports_of_gradlab(tree))) == {"gradlab.result", "gradlab.oracle.__init__"}


@pytest.mark.parametrize("confined", [name for name in CONFINED if "." not in name])
def test_a_misplaced_import_in_a_function_is_found(tree: Path, confined: str) -> None:
    write(tree / "gradlab/result.py", f"def late():\n    from {confined}.inner import name")
    assert misplaced_imports(imports_of_gradlab(tree)) == [f"gradlab.result imports {confined}.inner.name"]


def test_use_of_the_symbolic_part_by_a_check_is_found(tree: Path) -> None:
    write(tree / "gradlab/symbolic/__init__.py", "")
    write(tree / "gradlab/checks/accuracy.py", "from gradlab.symbolic import forms")
    assert misplaced_imports(imports_of_gradlab(tree)) == ["gradlab.checks.accuracy imports gradlab.symbolic.__init__"]


@pytest.mark.parametrize(
    "source",
    [
        "import gradlab",
        "def f():\n    from gradlab.result import Result",
        "from .. import result",
        "from ..result import R",
    ],
)
def test_an_implementation_that_imports_gradlab_is_found(tree: Path, source: str) -> None:
    write(tree / "implementations/shifted.py", source)
    assert len(implementations_importing_gradlab(tree)) == 1


def test_a_module_on_no_floor_is_refused() -> None:
    with pytest.raises(ValueError, match=r"gradlab\.utils must be on one floor, is on \[\]"):
        floor_of("gradlab.utils")
