"""What the fields of a certificate must be, whoever wrote it: whatever is read of one that fits can be worked with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from gradlab.campaigns.exhaustive.certificate import Certificate, coverage, label_of
from gradlab.campaigns.exhaustive.evaluation import CHUNK
from gradlab.campaigns.exhaustive.tally import N_SIZES, Batch, Tally, Worst
from gradlab.problems.options import REDUCTIONS
from gradlab.storage.encoding import Plain

MACHINE = ("gradlab", "checker", "digests", "python", "numpy", "processor", "numpy_simd")
LARGEST_PIECE = 2**19  # margins, some seconds: a larger one would be swept without end when it is drawn
MAX_PIECES = 2**17  # of all certificates that are written, 2,208 is the most


def whole(value: Any) -> int:
    """A whole number that is no boolean. Raises ValueError."""
    if type(value) is not int:
        raise ValueError(f"{value!r:.40} is no whole number")
    return value


def error_in_ulp(value: Any) -> float:
    """An error: a finite number that is not negative, or "inf". Raises ValueError."""
    if value == "inf":
        return math.inf
    if type(value) not in (int, float) or not 0 <= value < math.inf:
        raise ValueError(f"an error must be a number of ULP or 'inf', got {value!r:.40}")
    return float(value)


def require_printable(plain: Any) -> None:
    """Raises ValueError where some text would not show as one line."""
    if isinstance(plain, str) and not plain.isprintable():
        raise ValueError(f"a text must be printable, got {plain!a:.40}")
    if isinstance(plain, dict):
        require_printable(list(plain))
        require_printable(list(plain.values()))
    if isinstance(plain, list):
        for one in plain:
            require_printable(one)


def require_description(description: Plain, names: tuple[str, ...]) -> None:
    """Raises ValueError where a description lacks a field, or has a reduction or order that does not exist."""
    for name in ("target", "name", "reduction", "order"):
        if not isinstance(description.get(name), str):
            raise ValueError(
                f"an implementation must have a target, name, reduction and order, has {list(description)}"
            )
    if description["reduction"] not in REDUCTIONS or description["order"] not in ("C", "F"):
        raise ValueError(
            f"{description['name']} cannot be asked by {description['reduction']!r:.40}, {description['order']!r:.40}"
        )
    for name in names:
        held = description[name].values() if isinstance(description[name], dict) else [None]
        if not all(isinstance(one, str) for one in held):
            raise ValueError(f"{name} must be texts by name")


def require_consistent(certificate: Certificate, plain: Plain) -> None:
    """Raises ValueError where the parts of a certificate contradict each other."""
    if fault := next(_contradictions(certificate, plain), None):
        raise ValueError(fault)


def _contradictions(certificate: Certificate, plain: Plain) -> Iterator[str]:
    margins, done = certificate.margins, certificate.done
    for before, one in zip((None, *done), done, strict=False):
        if one.step != margins.step or one[0] not in margins or one[-1] not in margins:
            yield f"what is done must be part of the margins, got {one}"
        if before is not None and not before.stop < one.start:
            yield "what is done must be told in order and without a part twice"
    expected = {"label": label_of(margins), "complete": certificate.is_complete, "n_margins": certificate.n_done}
    yield from (
        f"{name} must be {value}, got {plain[name]!r:.40}" for name, value in expected.items() if plain[name] != value
    )
    for outcome, one in zip(certificate.outcomes, plain["implementations"], strict=True):
        for (quantity, tally), result in zip(outcome.tallies.items(), one["results"], strict=True):
            yield from _tally_faults(tally, certificate)
            if result["coverage"] != (covered := coverage(certificate, quantity, tally)):
                yield f"coverage must be {covered}, got {result['coverage']!r:.40}"


def _tally_faults(tally: Tally, certificate: Certificate) -> Iterator[str]:
    if len(tally.sizes) != N_SIZES or min(tally.sizes) < 0:
        yield f"sizes must be {N_SIZES} counts"
    if tally.worst is not None:
        yield from _worst_faults(tally.worst, tally.worst.batch, certificate)


def _worst_faults(worst: Worst, batch: Batch, certificate: Certificate) -> Iterator[str]:
    if (
        not any(batch.bits[0] in one and batch.bits[-1] in one for one in certificate.done)
        or worst.bits not in batch.bits
    ):
        yield f"a largest error must be at a margin that is done, got {worst.bits:#010x}"
    if batch.bits.step != certificate.margins.step or not len(batch.bits) <= batch.n_rows <= CHUNK:
        yield f"a call must be of margins that follow each other and of at most {CHUNK} rows, got {batch}"
