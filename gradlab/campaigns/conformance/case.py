"""What a disputed case is: a question, the calls that tell its rules apart, and the rules that are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradlab.evaluation.call import Call, CallFaultError, Implementation, perform
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.foreign import array_of, describe_error, pair_of
from gradlab.evaluation.keywords import keywords_of
from gradlab.problems.dtypes import DTYPE_NAMES, Format
from gradlab.problems.problem import Array, Problem

SHOWN = 4  # digits of what is told

Spelling = Callable[[Call], Call]


@dataclass(frozen=True, eq=False)
class Asked:
    """One problem, and how it is put to an implementation.

    targets: in place of the problem's, where those are not labels. spellings: other ways to put the same call, by name.
    """

    problem: Problem
    targets: Array | None = None
    spellings: Mapping[str, Spelling] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Seen:
    """What came back from one call, whatever its shapes.

    loss, gradient: as arrays of one of the four formats; both None where there are no two numbers. dtypes: theirs, as
    they were returned; "float" for a Python float. raised: the exception in one line. said: all of it in one line.
    call: the arguments after the call; before: the same as they were handed over.
    """

    loss: Array | None
    gradient: Array | None
    dtypes: tuple[str, str]
    raised: str | None
    said: str
    call: Call
    before: Call


@dataclass(frozen=True, eq=False)
class Rule:
    """One way to answer a case.

    says: its definition in words. fits: whether what was seen, the plain call first and then each spelling, follows
    from it. followed_by: who is known to follow it. ours: whether it is gradlab's own, by `Objective` and the domain.
    """

    name: str
    says: str
    fits: Callable[[Asked, Sequence[Seen]], bool]
    followed_by: str = ""
    ours: bool = False


@dataclass(frozen=True, eq=False)
class Case:
    """A question on which implementations disagree.

    asks: the problem that tells the rules apart, for an implementation's claims and a format. otherwise: what is said
    of anything that follows none of the rules, where there is a word for that.
    """

    question: str
    asks: Callable[[Claims, Format], Asked]
    rules: tuple[Rule, ...]
    otherwise: Rule | None = None

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The rules, the last resort among them."""
        return self.rules + ((self.otherwise,) if self.otherwise else ())


def calls_of(implementation: Implementation, asked: Asked) -> list[Seen]:
    """What the plain call gives, and then each spelling of it."""
    spellings: list[Spelling] = [lambda call: call, *asked.spellings.values()]
    return [_observe(implementation, spelled, asked) for spelled in spellings]


def _observe(implementation: Implementation, spelled: Spelling, asked: Asked) -> Seen:
    call, before = (spelled(_call(implementation, asked)) for _ in range(2))
    outcome = perform(implementation.function, call, implementation.capture)
    if isinstance(outcome.error, CallFaultError):
        return Seen(None, None, ("", ""), None, f"the call {outcome.error}", call, before)
    if outcome.error is not None:
        raised = describe_error(outcome.error)
        return Seen(None, None, ("", ""), raised, f"raises {raised}", call, before)
    pair = pair_of(outcome.value)
    parts = [array_of(one, what) for one, what in zip(pair or (), ("loss", "gradient"), strict=False)]
    faults = [fault for _, fault in parts if fault] if pair else ["returns no pair (loss, gradient)"]
    if faults:
        return Seen(None, None, ("", ""), None, faults[0], call, before)
    loss, gradient = (_numbers(array) for array, _ in parts)
    if loss is None or gradient is None:
        return Seen(None, None, ("", ""), None, "returns what are no real numbers", call, before)
    dtypes = ("float" if type(value) is float else np.asarray(value).dtype.name for value in pair or ())
    both = (next(dtypes), next(dtypes))
    said = f"loss {_in_words(loss, both[0], asked.problem)}, gradient {_in_words(gradient, both[1], asked.problem)}"
    return Seen(loss, gradient, both, None, said, call, before)


def _call(implementation: Implementation, asked: Asked) -> Call:
    problem = asked.problem
    targets = problem.targets if asked.targets is None else asked.targets
    return Call(problem.logits.copy(), targets.copy(), keywords_of(implementation.claims, problem))


def _numbers(array: Array | None) -> Array | None:
    """A copy that later calls cannot change, in float64 where its dtype is none of the four; None for no numbers."""
    if array is None or (array.dtype.kind not in "iubf" and array.dtype.name != "bfloat16"):
        return None
    with np.errstate(all="ignore"):
        return array.copy() if array.dtype.name in DTYPE_NAMES else array.astype(np.float64)


def _in_words(values: Array, dtype: str, problem: Problem) -> str:
    """A loss or a gradient, with its dtype where that is not the logits' own."""
    return _format_values(values) + ("" if dtype in (problem.format.name, "float") else f" ({dtype})")


def _format_values(values: Array) -> str:
    with np.errstate(invalid="ignore"):
        numbers = values.astype(np.float64).tolist()
    return _format_nested(numbers) if values.size else f"of shape {values.shape}"


def _format_nested(numbers: Any) -> str:
    return f"[{', '.join(map(_format_nested, numbers))}]" if isinstance(numbers, list) else f"{numbers:.{SHOWN}g}"
