"""Which modules are mutated, and by what each of their mutants is judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALL = ("shifted", "every_option", "complement", "widened", "loop", "online", "log_space", "textbook")
PYTEST = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=line")
BARE = (*PYTEST, "-p", "no:hypothesispytest")  # half a second less, where thousands of mutants die at once
BASELINE = "unmutated.json"  # in the temporary folder; written by judge.py before anything is mutated


@dataclass(frozen=True)
class Module:
    """A module and its judges: arguments of Python, tried in this order until one exits with something other than 0."""

    path: str
    judges: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """The name that it is imported by."""
        dotted = self.path.removesuffix(".py").replace("/", ".")
        return dotted if dotted.startswith("gradlab.") else f"gradlab.{dotted}"


def implementation(path: str, names: tuple[str, ...]) -> Module:
    """A module of implementations/, judged by what gradlab says of the implementations that it changes."""
    return Module(f"implementations/{path}.py", (("judge.py", "compare", BASELINE, *names),))


def tested(path: str) -> Module:
    """A module of implementations/, judged by the tests of what implementations promise of their arguments."""
    folder = "tests/implementations"
    files = (f"{folder}/test_implementations_contract.py", f"{folder}/test_every_option.py")
    return Module(f"implementations/{path}.py", ((*PYTEST, *files),))


def gradlab_module(path: str, *stages: str, pytest: tuple[str, ...] = PYTEST) -> Module:
    """A module of gradlab, judged by its tests: each stage a list of files or folders."""
    return Module(f"gradlab/{path}.py", tuple((*pytest, *stage.split()) for stage in stages))


ORACLE = {  # the files that are nearest to a module; the others of the folder are asked after them
    "fast/array_kernels": "array_kernels soft_targets enclosure_values",
    "exact/balls": "maps_and_terms rows_with_factors enclosure_rules enclosure_values",
    "fast/block_sums": "block_sums",
    "exact/canonical": "rows_with_factors enclosure_rules enclosure_values",
    "fast/compiled": "compiled",
    "exact/conversion": "intervals enclosure_rules enclosure_values",
    "exact/derivatives": "derivatives",
    "double_double": "double_double",
    "elementary": "elementary",
    "enclosure": "enclosure_rules enclosure_values",
    "fast/exponential": "exponential",
    "intervals": "intervals enclosure_rules",
    "fast/loop_kernels": "compiled",
    "exact/repeated": "repeated enclosure_rules",
    "fast/row_softmax": "row_softmax exponential enclosure_values",
    "fast/sharp_targets": "sharp_targets enclosure_rules enclosure_values",
    "fast/soft_targets": "soft_targets soft_totals limits enclosure_values",
    "ulp": "ulp",
    "fast/vectorised": "limits enclosure_rules enclosure_values",
}
CHECKS = {  # the same
    "accuracy": "every_check",
    "calculus": "complex_step every_check",
    "check": "senseless_answers every_check",
    "contract": "contract senseless_answers every_check",
    "differences": "differences every_check",
    "domain": "overflowing_sum every_check",
    "invariants": "invariants every_check",
    "table": "every_check",
}
BOUNDS = {  # the same of tests/bounds; the first are the formulas, written a second time
    "first_order": "documented_bounds documented_options invariant_constants extreme_bounds",
    "second_order": "documented_derivatives",
    "options": "documented_options",
    "row_factors": "documented_options documented_derivatives",
    "running_error": "running_error documented_options",
    "rounding_counts": "documented_bounds documented_derivatives",
    "calculus": "documented_bounds differences_bound path_integral_bound",
    "conditioning": "rows_in_range documented_options documented_bounds conditioning",
}
# Whole runs of the sound implementations take minutes, and a mutant's loops are compiled again: the last judges.
SLOW = ("sound", "compiled")
COSTLY = {  # what a verdict rests on
    "oracle": "double_double intervals enclosure exact/balls ulp fast/sharp_targets fast/vectorised exact/canonical",
    "checks": "accuracy invariants contract differences",
    "harness": "verdict tally",
    "bounds": "first_order",
}


def nearest_first(folder: str, names: str) -> tuple[str, ...]:
    """The stages of a module: these files of tests/FOLDER, the others but the slow ones, then those."""
    near = [f"tests/{folder}/test_{name}.py" for name in names.split()]
    files = sorted(f"tests/{folder}/{file.name}" for file in (ROOT / "tests" / folder).glob("test_*.py"))
    slow = [file for file in files if file in {f"tests/{folder}/test_{name}.py" for name in SLOW} - {*near}]
    others = [file for file in files if file not in (*near, *slow)]
    return " ".join(near), " ".join(others), *slow


PARTS: dict[str, tuple[Module, ...]] = {
    "implementations": (
        implementation("_inputs", ALL),
        implementation("_rows", ALL),
        implementation("complement", ("complement", "widened")),
        *(implementation(name, (name,)) for name in ALL if name != "complement"),
    ),
    "arguments": tuple(tested(name) for name in ("_inputs", "_rows", *ALL)),
    "gradlab": (
        *(gradlab_module(f"oracle/{name}", *nearest_first("oracle", near)) for name, near in ORACLE.items()),
        gradlab_module("bounds/first_order", "tests/implementations/test_forward_bound.py tests/bounds"),
        *(gradlab_module(f"checks/{name}", *nearest_first("checks", near)) for name, near in CHECKS.items()),
        gradlab_module("harness/verdict", *nearest_first("harness", "verdict")),
        gradlab_module("harness/tally", *nearest_first("harness", "tally")),
    ),
}
PARTS["bounds"] = (
    *(gradlab_module(f"oracle/{name}", *nearest_first("oracle", near), pytest=BARE) for name, near in ORACLE.items()),
    *(gradlab_module(f"bounds/{name}", *nearest_first("bounds", near), pytest=BARE) for name, near in BOUNDS.items()),
)
PARTS["costly"] = tuple(
    module
    for folder, names in COSTLY.items()
    for name in names.split()
    for module in PARTS["gradlab"]
    if module.path == f"gradlab/{folder}/{name}.py"
)
