"""gradlab itself: the oracle, the finite differences, a whole check, and its import."""

from __future__ import annotations

import numpy as np

import gradlab
from gradlab.checks.differences import along_coordinates
from gradlab.evaluation.call import Implementation
from gradlab.implementations.shifted import shifted
from gradlab.oracle.enclosure import enclose_by_balls, enclose_by_double_double
from gradlab.problems.problem import Problem, Shape


def problem(shape: Shape, dtype: str = "float64") -> Problem:
    """Normal logits of standard deviation 3, and labels, drawn at random."""
    rng = np.random.default_rng(shape)
    return Problem(rng.normal(0, 3, shape).astype(dtype), rng.integers(0, shape[1], shape[0]))


class Oracle:
    params = (["64x100", "256x1000"],)
    param_names = ("shape",)
    timeout = 120

    def setup(self, shape: str) -> None:
        rows, classes = map(int, shape.split("x"))
        self.problem = problem((rows, classes))

    def time_balls(self, shape: str) -> None:
        enclose_by_balls(self.problem)

    def time_double_double(self, shape: str) -> None:
        enclose_by_double_double(self.problem)


class Checks:
    timeout = 120

    def setup(self) -> None:
        self.implementation = Implementation("shifted", shifted)
        self.problem = problem((32, 100))

    def time_finite_differences(self) -> None:
        along_coordinates(self.implementation, self.problem)

    def time_quick_check(self) -> None:
        gradlab.check(self.implementation, profile="quick", dtypes=["float32"])

    def peakmem_quick_check(self) -> None:
        gradlab.check(self.implementation, profile="quick", dtypes=["float32"])


class Import:
    def timeraw_gradlab(self) -> str:
        return "import gradlab"

    def timeraw_numpy(self) -> str:
        return "import numpy"
