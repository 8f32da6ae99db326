"""What calls cost, in either scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradlab.evaluation.call import Implementation
from gradlab.measure.layer_timing import layer_timings
from gradlab.measure.timing import Timing, timings


def costs(implementation: Implementation, dtypes: Sequence[str]) -> Iterator[Timing]:
    """What calls of a loss of logits, or of a layer, cost at each of its shapes, in these dtypes."""
    measure = timings if implementation.claims.layer is None else layer_timings
    yield from measure(implementation, dtypes)
