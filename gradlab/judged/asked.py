"""One call of a function in another process, from the moment in which it is asked for to what it has come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gradlab.evaluation.call import CallFaultError, current_purpose
from gradlab.evaluation.foreign import ForeignError
from gradlab.judged.arrays_here import Given
from gradlab.judged.keys import key_of
from gradlab.judged.plainly import Again, Plainly


@dataclass(eq=False)
class Asked:
    """A call that is asked for, and what it has come to, once it is answered or has an error; as in `Outcome`.

    number: of the function. purpose: what it is made for. plainly: who makes some calls again. given: its arguments as
    they were sent. again: where it is made again.
    """

    number: int
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    takes_apart: bool
    plainly: Plainly
    purpose: str = field(default_factory=current_purpose.get)
    given: Given | None = None
    again: Again | None = None
    is_answered: bool = False
    value: Any = None
    error: CallFaultError | ForeignError | None = None
    noise: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    @property
    def is_settled(self) -> bool:
        """Whether there is an answer, or why there is none."""
        return self.is_answered or self.error is not None

    def key(self) -> bytes:
        """What it is known by."""
        return key_of(self.arguments, self.keywords)

    def result(self) -> Any:
        """What it returns, here and where it is made again. Raises what it raises, and CallFaultError."""
        if self.error is not None:
            if self.again is not None:
                self.again.forget()
            raise self.error
        return self.value if self.again is None else self.again.compared_with(self.value)
