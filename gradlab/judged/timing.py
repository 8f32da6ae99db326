"""What calls cost in a judged process, as that process tells it and gradlab's own clock bears out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradlab.evaluation.call import CallFaultError, Implementation, made_for
from gradlab.isolation.limits import TIMING
from gradlab.judged.clock import checked_timing, nothing_at
from gradlab.judged.remote_function import MAX_LINE, RemoteFunction
from gradlab.measure.timing import Timing

NAMES = ("dtype", "shape", "ratios", "seconds", "n_bytes", "note", "ulp")  # of a Timing; the last is found out here


def timings_of(implementation: Implementation, dtypes: Sequence[str]) -> tuple[Timing, ...]:
    """What calls cost, by dtype and shape; with a note alone where the process does not come back, or says it badly."""
    assert isinstance(implementation.function, RemoteFunction)
    function = implementation.function
    if implementation.claims.layer is not None:
        return not_timed(dtypes, "calls of layers are not timed in a judged process")
    try:
        with made_for(TIMING):
            told = [_timing(one) for one in function.measure(dtypes)]
            with nothing_at(function.place) as nothing:
                return tuple(checked_timing(implementation, one, nothing) for one in told)
    except (CallFaultError, ValueError) as error:
        return not_timed(dtypes, str(error))


def not_timed(dtypes: Sequence[str], note: str) -> tuple[Timing, ...]:
    """Nothing but why calls are not timed, for each dtype."""
    return tuple(Timing(dtype, (0, 0), note=note) for dtype in dtypes)


def _timing(plain: Any) -> Timing:
    """A timing from plain data. Raises ValueError for what is none."""
    if not isinstance(plain, Mapping) or set(plain) != set(NAMES):
        raise ValueError(f"a timing must have {', '.join(NAMES)}")
    dtype, note, shape, ratios = plain["dtype"], plain["note"], plain["shape"], plain["ratios"]
    numbers = [*ratios, *(plain[name] for name in ("seconds", "n_bytes") if plain[name] is not None)]
    if not (isinstance(dtype, str) and isinstance(note, str) and len(shape) == 2):
        raise ValueError("a timing must have a dtype, a note and a shape")
    if not all(type(one) in (int, float) and one >= 0 for one in (*shape, *numbers)):
        raise ValueError("times and bytes must be numbers from 0 on")
    return Timing(
        dtype, (int(shape[0]), int(shape[1])), tuple(ratios), plain["seconds"], plain["n_bytes"], note[:MAX_LINE]
    )
