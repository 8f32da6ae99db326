"""What an exhaustive walk found, in words."""

from __future__ import annotations

from collections.abc import Iterator

from gradlab.harness.encoding import hex_of
from gradlab.harness.exhaustive_certificate import Certificate, Outcome, coverage, label_of
from gradlab.harness.exhaustive_tally import MEAN_LOSS, Quantity, Tally, Worst
from gradlab.harness.exhaustive_truth import margins_of
from gradlab.harness.exhaustive_verify import Finding

_SIDES = ("the maximum", "the other class")


def told(certificate: Certificate) -> Iterator[str]:
    """The largest errors of every implementation, and how many are of which size, line by line."""
    for outcome in certificate.outcomes:
        one = outcome.subject
        yield ""
        yield (
            f"{one['name']}  {label_of(certificate.margins)}: {certificate.n_done:,} float32 margins M in [0, 104),"
            f" logits (M, 0), reduction {one['reduction']}"
        )
        yield from _of_implementation(certificate, outcome)


def _of_implementation(certificate: Certificate, outcome: Outcome) -> Iterator[str]:
    for quantity, tally in outcome.tallies.items():
        if tally.worst is not None:
            yield f"  {name_of(quantity)}: {place_of(tally.worst)}"
            yield f"    {_counted(coverage(certificate, quantity, tally), quantity, tally)}"


def _counted(covered: str, quantity: Quantity, tally: Tally) -> str:
    what = "batches" if quantity[1] == MEAN_LOSS else "margins"
    sizes = [f"up to {_size(i)}: {count:,}" for i, count in enumerate(tally.sizes) if count]
    return f"{covered}, {tally.count:,} {what}, by ULP of error (1/2: correctly rounded): {', '.join(sizes)}"


def _size(place: int) -> str:
    return "1/2" if place == 0 else f"{2 ** (place - 1)}"


def name_of(quantity: Quantity) -> str:
    """The quantity in words."""
    label, part = quantity
    return f"{part}, label at {_SIDES[label]}"


def place_of(worst: Worst) -> str:
    """A largest error and where it is."""
    margin = hex_of(float(margins_of(range(worst.bits, worst.bits + 1))[0]))
    rows = "one row" if worst.batch.n_rows == 1 else f"{worst.batch.n_rows} rows"
    observed = hex_of(worst.observed)
    return f"{worst.ulp:.6g} ULP at M = {margin} (bits {worst.bits:#010x}), observed {observed} in a call of {rows}"


def told_of(finding: Finding) -> Iterator[str]:
    """Whether a largest error holds, and why not."""
    holds = "DOES NOT HOLD" if finding.faults else "holds"
    yield f"{holds}: {finding.name}, {name_of(finding.quantity)}: {place_of(finding.worst)}"
    yield from (f"  {fault}" for fault in finding.faults)
