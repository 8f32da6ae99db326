"""What a run has behind it as bytes, for the process that takes it up again.

The problems of the run go by their places: they are made there again, the same.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

from gradlab.evaluation.call import Implementation
from gradlab.harness.plan import Plan, dtypes_to_check
from gradlab.harness.resume import Done
from gradlab.harness.scopes import SCOPES
from gradlab.harness.selection import problems_in_run
from gradlab.problems.problem import AnyProblem

PROBLEM_TYPES = tuple(scope.problem_type for scope in SCOPES.values())


class RunState:
    """Turns what one run has behind it into bytes, and back into objects that share this process's problems."""

    def __init__(self, implementation: Implementation, plan: Plan) -> None:
        self._implementation = implementation
        dtypes = dtypes_to_check(implementation, plan)
        claims, profile, seed = implementation.claims, plan.profile, plan.seed
        self._problems = [one for dtype in dtypes for one in problems_in_run(claims, dtype, profile, seed)]
        self._places = {id(problem): place for place, problem in enumerate(self._problems)}

    def packed(self, done: Done) -> bytes:
        """All that `done` holds but the implementation, the checks and the problems of the run."""
        file = io.BytesIO()
        _Packer(file, self._implementation, self._places).dump(done)
        return file.getvalue()

    def unpacked(self, packed: bytes) -> Done:
        """What was packed, by this process or another with the same implementation and plan."""
        done: Done = _Unpacker(io.BytesIO(packed), self._implementation, self._problems).load()
        return done


class _Packer(pickle.Pickler):
    def __init__(self, file: io.BytesIO, implementation: Implementation, places: dict[int, int]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._implementation, self._places = implementation, places

    def persistent_id(self, value: Any) -> Any:
        if value is self._implementation:
            return "implementation", 0
        place = self._places.get(id(value)) if isinstance(value, PROBLEM_TYPES) else None
        return None if place is None else ("problem", place)


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, implementation: Implementation, problems: list[AnyProblem]) -> None:
        super().__init__(file)
        self._implementation, self._problems = implementation, problems

    def persistent_load(self, value: Any) -> Any:
        kind, place = value
        return self._implementation if kind == "implementation" else self._problems[place]
