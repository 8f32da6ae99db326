"""Implementations whose code runs in another process: called here as if it ran here, with no harm to this process."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gradlab.evaluation.call import CallFaultError, Implementation, current_purpose
from gradlab.evaluation.capture import Capture, Elsewhere
from gradlab.evaluation.claims import claims_from
from gradlab.evaluation.foreign import ForeignError
from gradlab.evaluation.text import visible
from gradlab.isolation.harm import Harm, refusal
from gradlab.isolation.limits import FOREIGN_FRAME, LOADING, TIMING
from gradlab.isolation.recorded_call import key_of, name_key
from gradlab.judged.arrays_here import ArraysHere
from gradlab.judged.frames import BEGIN, CALL, LOAD, MEASURE
from gradlab.judged.plainly import Plainly
from gradlab.judged.process import EndedError, JudgedProcess, Place
from gradlab.judged.values import decode_value, encode_value
from gradlab.targets.importing import MissingError, TargetError

MAX_SAID = 1000  # lines that one call prints, and changes that it makes
MAX_LINE = 10_000  # characters


@dataclass(frozen=True)
class Wanted:
    """What is to be loaded: the target as given, what is claimed over its own claims, the dtypes asked for.

    is_of_folder: whether it is a file of a folder, which may offer nothing.
    """

    target: str
    claims: Mapping[str, Any] = field(default_factory=dict)
    dtypes: tuple[str, ...] = ()
    is_of_folder: bool = False


@dataclass(frozen=True)
class Signed:
    """What a function says of itself: its name, the module where it can be imported under it, or "", the keywords that
    it has been given for all calls, and the names of its parameters, None where they are not known.
    """

    name: str
    module: str
    keywords: Mapping[str, Any]
    parameters: list[str] | None


class RemoteFunction:
    """A function under test in another process, with its name and its parameters there.

    call: makes a call there, of arguments and keywords. measure: what calls of some dtypes cost there, as plain data.
    place: where there is.
    """

    __signature__: inspect.Signature

    def __init__(
        self,
        signed: Signed,
        call: Callable[[tuple[Any, ...], Mapping[str, Any]], Any],
        measure: Callable[[Sequence[str]], list[Any]],
        place: Place,
    ) -> None:
        self._call, self.measure, self.place = call, measure, place
        self.module, self.keywords = signed.module, signed.keywords
        self.__name__ = self.__qualname__ = signed.name
        if signed.parameters is not None:
            kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
            self.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in signed.parameters])

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._call(arguments, keywords)


class Remote:
    """A target in a process of its own, and in another one where a call has ended that."""

    def __init__(self, wanted: Wanted, place: Place) -> None:
        self._wanted, self._place = wanted, place
        self._harm = Harm()
        self._process: JudgedProcess | None = None
        self._arrays: ArraysHere | None = None
        self._elsewhere = Elsewhere()
        self._plainly: list[Plainly] = []

    def load(self) -> list[Implementation]:
        """What the target stands for, at least one unless it is a file of a folder.

        Raises TargetError where it does not load.
        """
        target = self._wanted.target
        try:
            found = [self._implementation(number, one) for number, one in enumerate(self._load())]
        except EndedError as error:
            raise TargetError(f"{target} does not import: it {error}") from None
        except TargetError:
            raise
        except (ValueError, TypeError, KeyError) as error:
            raise TargetError(f"{target} cannot be loaded: it claims what cannot be: {error}") from None
        if not (found or self._wanted.is_of_folder):
            raise TargetError(f"{target} cannot be loaded: it stands for nothing")
        return found

    def call(self, number: int, arguments: tuple[Any, ...], keywords: Mapping[str, Any], takes_apart: bool) -> Any:
        """What a call of one of the functions returns. takes_apart: as `Leaves`.

        Raises ForeignError for what it raises, CallFaultError where it does not come back, or is not made.
        """
        harm, purpose = self._harm, current_purpose.get()
        if harm.known and (reason := refusal(harm.known, harm.given_up, key_of(arguments, keywords), purpose)):
            raise CallFaultError(reason)
        if self._harm.cut_short:
            raise CallFaultError("is not made: the run was cut short")
        try:
            process, arrays = self._ready()
            question = {
                "number": number,
                "takes_apart": takes_apart,
                "released": arrays.begin(),
                "arguments": [encode_value(one, arrays.write) for one in arguments],
                "keywords": {name: encode_value(one, arrays.write) for name, one in keywords.items()},
            }
            answer = self._ask(CALL, question, self._seconds_for(""))
            return self._returned(answer, process, arrays)
        except EndedError as error:
            self._harm.add(key_of(arguments, keywords), purpose, str(error), error.is_silent)
            self._elsewhere.cut_short = self._harm.cut_short
            raise CallFaultError(str(error)) from None
        except TargetError as error:
            raise CallFaultError(f"is not made: it did not load again: {error}") from None

    def measure(self, number: int, dtypes: Sequence[str]) -> list[Any]:
        """What calls of one of the functions cost, as the process itself tells it: plain data, of any form.

        Raises CallFaultError where it does not come back.
        """
        try:
            self._ready()
            answer = self._ask(MEASURE, {"number": number, "dtypes": list(dtypes)}, self._seconds_for(TIMING))
        except (EndedError, TargetError) as error:
            raise CallFaultError(str(error)) from None
        timings = answer.get("timings")
        return timings if isinstance(timings, list) else []

    def close(self) -> None:
        """Ends the process; another call has it begin again."""
        if self._process is not None:
            self._process.close()
            self._process = None
        for one in self._plainly:
            one.close()

    def _returned(self, answer: Mapping[str, Any], process: JudgedProcess, arrays: ArraysHere) -> Any:
        """What a call returns, by its answer. Raises EndedError for one that is none, and what the call raises."""
        try:
            value = decode_value(answer["value"], arrays.read)
            arrays.take_in(answer["arguments"], answer["results"])
            self._elsewhere.add(
                _lines(answer["noise"]), _lines(answer["changed"]) + process.mapped(self._place.forbidden)
            )
            error = None if answer["error"] is None else ForeignError(*_lines(answer["error"]))
        except (ValueError, TypeError, KeyError, IndexError):
            ended = process.ended(FOREIGN_FRAME)
            self.close()
            raise ended from None
        self._harm.has_returned = True
        if error is not None:
            raise error
        return value

    def _ready(self) -> tuple[JudgedProcess, ArraysHere]:
        """A process that has loaded the target, and the arrays of its calls. Raises EndedError and TargetError."""
        if self._process is None:
            self._load()
        assert self._process is not None
        assert self._arrays is not None
        return self._process, self._arrays

    def _load(self) -> list[Any]:
        """What a new process says of all that it has loaded. Raises EndedError, and TargetError where it has not."""
        wanted, key = self._wanted, name_key(self._wanted.target)
        if key in self._harm.known:
            raise EndedError(self._harm.known[key])
        self._process = JudgedProcess(self._place)
        self._arrays = ArraysHere(self._process.given, self._process.answered)
        question = {
            "target": wanted.target,
            "claims": dict(wanted.claims),
            "dtypes": list(wanted.dtypes),
            "forbidden": list(self._place.forbidden),
            "is_of_folder": wanted.is_of_folder,
        }
        try:
            self._ask(BEGIN, {}, self._place.limits.silence(is_idle=False))
            answer = self._ask(LOAD, question, self._seconds_for(LOADING))
        except EndedError as error:
            self._harm.add(key, LOADING, str(error), error.is_silent)
            raise
        fault, found = answer.get("fault"), answer.get("found")
        if not isinstance(fault, str) or not isinstance(found, list):
            self.close()
            raise EndedError(FOREIGN_FRAME)
        if fault:
            self.close()
            raise (MissingError if answer.get("is_missing") is True else TargetError)(visible(fault[:MAX_LINE]))
        return found

    def _ask(self, kind: int, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The answer; the process is gone where there is none, or where something else comes between."""
        assert self._process is not None
        try:
            return self._process.ask(kind, question, seconds)
        except BaseException:
            self.close()
            raise

    def _seconds_for(self, purpose: str) -> float:
        return self._place.limits.seconds_for(purpose)

    def _implementation(self, number: int, plain: Mapping[str, Any]) -> Implementation:
        """One implementation, from what the process says of it. Raises ValueError, TypeError and KeyError."""
        name, target, module = _lines([plain["name"], plain["target"], plain["module"]])
        claims = claims_from(plain["claims"])
        keywords = {key: decode_value(value, _no_array) for key, value in plain["keywords"].items()}
        parameters = None if plain["parameters"] is None else _lines(plain["parameters"])
        self._plainly.append(Plainly(self._wanted.target, name, claims, self._place))
        call = self._plainly[-1].around(partial(self.call, number, takes_apart=claims.layer is not None))
        function = RemoteFunction(
            Signed(name, module, keywords, parameters), call, partial(self.measure, number), self._place
        )
        capture = Capture(watches=(), elsewhere=self._elsewhere)
        return Implementation(name, function, claims, target, capture, tuple(_lines(plain["changed"])))


def _no_array(plain: list[Any]) -> Any:
    raise ValueError(f"it must be a plain value, is of kind {plain[0]!r:.40}")


def _lines(said: Any) -> list[str]:
    """Texts, cut, without what commands a terminal. Raises ValueError for anything else."""
    if not isinstance(said, list) or not all(isinstance(line, str) for line in said):
        raise ValueError("what a process says must be texts")
    return [visible(line[:MAX_LINE]) for line in said[:MAX_SAID]]
