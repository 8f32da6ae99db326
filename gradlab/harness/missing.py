"""What a report lacks, for an error of gradlab's own or for want of time: what only explains never costs a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import TypeVar

from gradlab.evaluation.foreign import spelled_error
from gradlab.targets.importing import TargetError

T = TypeVar("T")


@dataclass(frozen=True)
class Missing:
    """An explanation that a report lacks: which one, and the error that kept it from being found.

    is_own: whether that is an error of gradlab's own; a limit in seconds is none.
    """

    explanation: str
    error: str
    is_own: bool = True

    def sentence(self) -> str:
        """Both in a sentence, with what to do."""
        if not self.is_own:
            return f"{self.explanation}: {self.error}"
        return f"{self.explanation}, for an error of gradlab's own, which please report: {self.error}"


def attempt(explanation: str, work: Callable[[T], T], given: T) -> tuple[T, tuple[Missing, ...]]:
    """What the work makes of what it is given; or that as it was, and what is missing for an error of gradlab's own.

    explanation: what the work finds, in words. Raises TargetError, which is for what the target did.
    """
    try:
        return work(given), ()
    except TargetError:
        raise
    except Exception as error:
        return given, (missing_for(explanation, error),)


def missing_for(explanation: str, error: Exception) -> Missing:
    """What is missing for an error, with the line where it was raised. The tests have it raise the error again."""
    last = extract_tb(error.__traceback__)[-1]
    return Missing(explanation, f"{spelled_error(error)}, at {Path(last.filename).name}:{last.lineno}")
