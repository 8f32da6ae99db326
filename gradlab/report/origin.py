"""Where the function of a report is: its file and line, and how a script has it."""

from __future__ import annotations

from dataclasses import dataclass

from gradlab.evaluation.call import Implementation
from gradlab.judged.remote_function import RemoteFunction
from gradlab.report.reproducer import Source, source_of
from gradlab.targets.definition import Definition, definition_of


@dataclass(frozen=True)
class Origin:
    """source: how a script has the function; place: where it is. None where it is not known."""

    source: Source | None = None
    place: Definition | None = None


NOWHERE = Origin()


def origin_of(implementation: Implementation) -> Origin:
    """Where a function is, in the process in which it is loaded, or by what that says of it."""
    function = implementation.function
    if isinstance(function, RemoteFunction):
        return Origin(source_of(implementation), function.definition)
    return Origin(source_of(implementation), definition_of(function, implementation.target))
