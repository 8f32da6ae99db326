"""gradlab: is this softmax cross-entropy and its gradient right, how accurate is it, and where does it break?

The names below are all there is; each is loaded when it is first used, so that `import gradlab` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradlab.api import check, check_all
    from gradlab.evaluation.call import Implementation
    from gradlab.evaluation.claims import Claims, implementation
    from gradlab.harness.verdict import Verdict
    from gradlab.integrations.pytest_plugin import parametrize
    from gradlab.judgement.judge import judge
    from gradlab.judgement.judgement import Judgement
    from gradlab.lessons.assertion import lesson_test
    from gradlab.problems.objective import Objective
    from gradlab.problems.problem import Problem
    from gradlab.report.report import Report
    from gradlab.targets.importing import TargetError

__all__ = [
    "Claims",
    "Implementation",
    "Judgement",
    "Objective",
    "Problem",
    "Report",
    "TargetError",
    "Verdict",
    "check",
    "check_all",
    "implementation",
    "judge",
    "lesson_test",
    "parametrize",
]

_HOMES = {
    "Claims": "gradlab.evaluation.claims",
    "Implementation": "gradlab.evaluation.call",
    "Judgement": "gradlab.judgement.judgement",
    "Objective": "gradlab.problems.objective",
    "Problem": "gradlab.problems.problem",
    "Report": "gradlab.report.report",
    "TargetError": "gradlab.targets.importing",
    "Verdict": "gradlab.harness.verdict",
    "check": "gradlab.api",
    "check_all": "gradlab.api",
    "implementation": "gradlab.evaluation.claims",
    "judge": "gradlab.judgement.judge",
    "lesson_test": "gradlab.lessons.assertion",
    "parametrize": "gradlab.integrations.pytest_plugin",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("gradlab-verify")
    if name not in _HOMES:
        raise AttributeError(f"module 'gradlab' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
