"""Which modules are mutated, and by what each of their mutants is judged."""

from __future__ import annotations

from dataclasses import dataclass

ALL = ("shifted", "every_option", "complement", "widened", "loop", "online", "log_space", "textbook")
PYTEST = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=line")
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


def of_gradlab(path: str, *stages: str) -> Module:
    """A module of gradlab, judged by its tests: each stage a list of files or folders."""
    return Module(f"gradlab/{path}.py", tuple((*PYTEST, *stage.split()) for stage in stages))


ORACLE = (
    "balls canonical conversion double_double elementary enclosure exponential intervals probabilities row_softmax "
    "sharp_targets soft_targets ulp vectorised"
)
CHECKS = {
    "accuracy": "tests/checks/test_every_check.py",
    "calculus": "tests/checks/test_complex_step.py tests/checks/test_every_check.py",
    "check": "tests/checks/test_every_check.py tests/checks/test_senseless_answers.py",
    "contract": "tests/checks/test_contract.py tests/checks/test_every_check.py tests/checks/test_senseless_answers.py",
    "differences": "tests/checks/test_differences.py tests/checks/test_every_check.py",
    "domain": "tests/checks/test_every_check.py tests/checks/test_overflowing_sum.py",
    "invariants": "tests/checks/test_invariants.py tests/checks/test_every_check.py",
    "table": "tests/checks/test_every_check.py",
}

PARTS: dict[str, tuple[Module, ...]] = {
    "implementations": (
        implementation("_inputs", ALL),
        implementation("_rows", ALL),
        implementation("complement", ("complement", "widened")),
        *(implementation(name, (name,)) for name in ALL if name != "complement"),
    ),
    "arguments": tuple(tested(name) for name in ("_inputs", "_rows", *ALL)),
    "gradlab": (
        *(of_gradlab(f"oracle/{name}", "tests/oracle") for name in ORACLE.split()),
        of_gradlab("tolerances", "tests/tolerances tests/implementations/test_forward_bound.py"),
        *(of_gradlab(f"checks/{name}", stage, "tests/checks") for name, stage in CHECKS.items()),
        of_gradlab("harness/verdict", "tests/harness/test_verdict.py", "tests/harness"),
        of_gradlab("harness/tally", "tests/harness/test_verdict.py", "tests/harness"),
    ),
}
