"""Implementations whose code runs in another process: called here as if it ran here, with no harm to this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gradlab.evaluation.call import CallFaultError, Implementation
from gradlab.evaluation.capture import Capture, Elsewhere, Spent
from gradlab.evaluation.claims import claims_from
from gradlab.evaluation.foreign import ForeignError
from gradlab.evaluation.text import visible
from gradlab.evaluation.together import let_others_go_on
from gradlab.isolation.harm import Harm, refusal
from gradlab.isolation.limits import FOREIGN_FRAME, LOADING, TIMING
from gradlab.judged.arrays_here import ArraysHere
from gradlab.judged.asked import Asked
from gradlab.judged.frames import BEGIN, CALL, LOAD, MEASURE
from gradlab.judged.keys import name_key
from gradlab.judged.plainly import Plainly
from gradlab.judged.process import EndedError, JudgedProcess, Place
from gradlab.judged.remote_function import MAX_LINE, RemoteFunction, lines_of, signed_from
from gradlab.judged.values import decode_value, encode_value
from gradlab.targets.importing import MissingError, TargetError


@dataclass(frozen=True)
class Wanted:
    """What is to be loaded: the target as given, what is claimed over its own claims, the dtypes asked for.

    is_of_folder: whether it is a file of a folder, which may offer nothing.
    """

    target: str
    claims: Mapping[str, Any] = field(default_factory=dict)
    dtypes: tuple[str, ...] = ()
    is_of_folder: bool = False


def nothing() -> None:
    """Nothing is done."""


def never() -> str:
    """No reason to stop."""
    return ""


class Remote:
    """A target in a process of its own, and in another one where a call has ended that.

    meanwhile: what is done here while the first of them begins. reason_to_stop: asked before each call for a reason
    why none is made any more, "" where there is none.
    """

    def __init__(
        self,
        wanted: Wanted,
        place: Place,
        meanwhile: Callable[[], None] = nothing,
        reason_to_stop: Callable[[], str] = never,
    ) -> None:
        self._wanted, self._place, self._meanwhile = wanted, place, meanwhile
        self._reason_to_stop = reason_to_stop
        self._harm = Harm()
        self._process: JudgedProcess | None = None
        self._arrays: ArraysHere | None = None
        self._asked = deque[Asked]()  # what is asked of the process, and not answered
        self._elsewhere = Elsewhere(
            lambda: Spent() if self._process is None else self._process.spent(), self._harm.given_up
        )
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

    def call(
        self,
        number: int,
        arguments: tuple[Any, ...],
        keywords: Mapping[str, Any],
        *,
        takes_apart: bool,
        plainly: Plainly,
    ) -> Any:
        """What a call of one of the functions returns. takes_apart: as `Leaves`. plainly: who makes some calls again.

        Raises ForeignError for what it raises, CallFaultError where it does not come back, or is not made.
        """
        asked = Asked(number, arguments, keywords, takes_apart, plainly)
        try:
            while True:
                self._begin(asked)
                let_others_go_on()
                while not asked.is_settled and asked in self._asked:
                    self._receive()
                if asked.is_settled:
                    self._elsewhere.add(asked.noise, asked.changed)
                    return asked.result()
        except TargetError as error:
            self._cut_short(f"it did not load again: {error}")
            raise CallFaultError(f"is not made: {self._harm.cut_short}") from None

    def measure(self, number: int, dtypes: Sequence[str]) -> list[Any]:
        """What calls of one of the functions cost, as the process itself tells it: plain data, of any form.

        Raises CallFaultError where it does not come back.
        """
        while self._asked:
            self._receive()
        try:
            process, _ = self._ready()
            process.send(MEASURE, {"number": number, "dtypes": list(dtypes)})
            answer = process.receive(self._seconds_for(TIMING))
        except TargetError as error:
            raise CallFaultError(str(error)) from None
        except BaseException as error:
            self.close()
            if not isinstance(error, EndedError):
                raise
            raise CallFaultError(str(error)) from None
        timings = answer.get("timings")
        return timings if isinstance(timings, list) else []

    def close(self) -> None:
        """Ends the process; another call has it begin again."""
        self._asked.clear()
        if self._process is not None:
            self._process.close()
            self._process = None
        for one in self._plainly:
            one.close()

    def _begin(self, asked: Asked) -> None:
        """A call is asked for, unless it is not to be made. Raises TargetError where the target does not load again."""
        harm = self._harm
        if reason := self._reason_to_stop():
            self._cut_short(reason)
        if harm.known and (reason := refusal(harm.known, harm.given_up, asked.key(), asked.purpose)):
            asked.error = CallFaultError(reason)
        elif harm.cut_short:
            asked.error = CallFaultError("is not made: the run was cut short")
        if asked.error is not None:
            return
        try:
            process, arrays = self._ready()
            while self._asked and arrays.has_much:
                self._receive()
                process, arrays = self._ready()
            asked.again = asked.plainly.begin(asked.arguments, asked.keywords)
            self._send(asked, process, arrays)
        except EndedError as error:
            self._end(asked, error)

    def _send(self, asked: Asked, process: JudgedProcess, arrays: ArraysHere) -> None:
        asked.given = arrays.begin()
        write = partial(arrays.write, asked.given)
        question = {
            "number": asked.number,
            "takes_apart": asked.takes_apart,
            "released": list(asked.given.released),
            "n_answered": asked.given.n_answered,
            "is_alone": asked.given.is_alone,
            "arguments": [encode_value(one, write) for one in asked.arguments],
            "keywords": {name: encode_value(one, write) for name, one in asked.keywords.items()},
        }
        process.send(CALL, question)
        self._asked.append(asked)

    def _receive(self) -> None:
        """The first call that is asked for is settled. Where it ended the process, the others are asked for no more."""
        assert self._process is not None
        assert self._arrays is not None
        process, arrays, asked = self._process, self._arrays, self._asked[0]
        try:
            answer = process.receive(self._seconds_for(""))
        except EndedError as error:
            self._end(asked, error)
        except BaseException:
            self.close()
            raise
        else:
            self._asked.popleft()
            self._take_in(asked, answer, process, arrays)

    def _end(self, asked: Asked, error: EndedError) -> None:
        """A call has ended the process."""
        self.close()
        self._harm.add(asked.key(), asked.purpose, str(error), error.is_silent)
        self._elsewhere.cut_short = self._harm.cut_short
        asked.error = CallFaultError(str(error))

    def _take_in(self, asked: Asked, answer: Mapping[str, Any], process: JudgedProcess, arrays: ArraysHere) -> None:
        """What a call has come to, by its answer, which may be none."""
        assert asked.given is not None
        try:
            asked.value = decode_value(answer["value"], partial(arrays.read, asked.given))
            arrays.take_in(asked.given, answer["arguments"], answer["results"])
            arrays.end(asked.given)
            asked.noise, asked.changed = lines_of(answer["noise"]), lines_of(answer["changed"])
            asked.changed += process.mapped(self._place.forbidden)
            asked.error = None if answer["error"] is None else ForeignError(*lines_of(answer["error"]))
        except (ValueError, TypeError, KeyError, IndexError):
            self._end(asked, process.ended(FOREIGN_FRAME))
        else:
            asked.is_answered = self._harm.has_returned = True

    def _cut_short(self, why: str) -> None:
        """No calls are made any more."""
        self._harm.cut_short = self._elsewhere.cut_short = self._harm.cut_short or why

    def _ready(self) -> tuple[JudgedProcess, ArraysHere]:
        """A process that has loaded the target, and the arrays of its calls. Raises EndedError and TargetError."""
        if self._process is None:
            try:
                self._load()
            except EndedError as error:
                self._cut_short(f"it did not load again: {self._wanted.target} {error}")
                raise
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
            self._process.send(BEGIN, {})
            self._process.send(LOAD, question)
            self._meanwhile()
            self._process.receive(self._place.limits.silence(is_idle=False))
            answer = self._process.receive(self._seconds_for(LOADING))
        except BaseException as error:
            self.close()
            if not isinstance(error, EndedError):
                raise
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

    def _seconds_for(self, purpose: str) -> float:
        return self._place.limits.seconds_for(purpose)

    def _implementation(self, number: int, plain: Mapping[str, Any]) -> Implementation:
        """One implementation, from what the process says of it. Raises ValueError, TypeError and KeyError."""
        name, target = lines_of([plain["name"], plain["target"]])
        claims = claims_from(plain["claims"])
        self._plainly.append(plainly := Plainly(self._wanted.target, name, claims, self._place))
        call = partial(self.call, number, takes_apart=claims.layer is not None, plainly=plainly)
        function = RemoteFunction(signed_from(plain), call, partial(self.measure, number), self._place)
        capture = Capture(watches=(), elsewhere=self._elsewhere)
        return Implementation(name, function, claims, target, capture, tuple(lines_of(plain["changed"])))
