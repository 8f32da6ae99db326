"""What an exhaustive sweep found, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradlab.campaigns.exhaustive.certificate import Certificate, Outcome, coverage, label_of
from gradlab.campaigns.exhaustive.spot_check import Again, Choice, odds
from gradlab.campaigns.exhaustive.tally import MEAN_LOSS, Quantity, Tally, Worst
from gradlab.campaigns.exhaustive.truth import margins_of
from gradlab.campaigns.exhaustive.verify import Finding, name_of
from gradlab.storage.encoding import hex_of


def certificate_lines(certificate: Certificate) -> Iterator[str]:
    """The largest errors of every implementation, and how many are of which size, line by line."""
    for outcome in certificate.outcomes:
        one = outcome.description
        yield ""
        yield (
            f"{one['name']}  {label_of(certificate.margins)}: {certificate.n_done:,} float32 margins M in [0, 104),"
            f" logits (M, 0), reduction {one['reduction']}"
        )
        yield from _implementation_lines(certificate, outcome)


def _implementation_lines(certificate: Certificate, outcome: Outcome) -> Iterator[str]:
    for quantity, tally in outcome.tallies.items():
        if tally.worst is not None:
            yield f"  {name_of(quantity)}: {place_of(tally.worst)}"
            yield f"    {_sizes_in_words(coverage(certificate, quantity, tally), quantity, tally)}"


def _sizes_in_words(covered: str, quantity: Quantity, tally: Tally) -> str:
    what = "batches" if quantity[1] == MEAN_LOSS else "margins"
    sizes = [f"up to {_size(i)}: {count:,}" for i, count in enumerate(tally.sizes) if count]
    return f"{covered}, {tally.count:,} {what}, by ULP of error (1/2: correctly rounded): {', '.join(sizes)}"


def _size(place: int) -> str:
    return "1/2" if place == 0 else f"{2 ** (place - 1)}"


def place_of(worst: Worst) -> str:
    """A largest error and where it is."""
    margin = hex_of(float(margins_of(range(worst.bits, worst.bits + 1))[0]))
    rows = "one row" if worst.batch.n_rows == 1 else f"{worst.batch.n_rows} rows"
    observed = hex_of(worst.observed)
    return f"{worst.ulp:.6g} ULP at M = {margin} (bits {worst.bits:#010x}), observed {observed} in a call of {rows}"


def finding_lines(finding: Finding) -> Iterator[str]:
    """Whether a largest error holds, and why not."""
    holds = "DOES NOT HOLD" if finding.faults else "not comparable" if finding.note else "holds"
    place = "none" if finding.worst is None else place_of(finding.worst)
    yield f"{holds}: {finding.name}, {name_of(finding.quantity)}: {place}"
    yield from (f"  {said}" for said in (*finding.faults, *([finding.note] if finding.note else [])))


def spot_check_lines(certificate: Certificate, choice: Choice, found: Sequence[Again]) -> Iterator[str]:
    """What came of sweeping pieces again, and how likely false pieces are to have been passed over."""
    n, held = len(choice.pieces), certificate.has_pieces
    if choice.seed is not None:
        yield f"{n} of {choice.n_pieces:,} pieces, drawn at random, run again; --seed {choice.seed} draws the same"
    else:
        yield f"all {n:,} pieces run again"
    for again in found:
        yield from _outcome_lines(again, held)
    if held:
        yield _odds_in_words(choice, found)


def _outcome_lines(again: Again, held: bool) -> Iterator[str]:
    if again.faults:
        yield f"DOES NOT HOLD: {again.name}, pieces run again"
    elif not held:
        yield f"no larger error: {again.name}, in the pieces run again; the certificate does not hold any pieces"
    elif not again.n_other:
        yield f"holds: {again.name}, pieces run again: their digests and largest errors are those of the certificate"
    else:
        said = f"{again.n_other} of the pieces run again: no error is larger than the certificate's largest"
        yield f"not comparable: {again.name}, {said}"
        yield from (f"  {one}" for one in again.here)
    yield from (f"  {fault}" for fault in again.faults)


def _odds_in_words(choice: Choice, found: Sequence[Again]) -> str:
    n, one, tenth = odds(choice, found)
    if n == choice.n_pieces:
        return "every digest was compared: no false piece can have been passed over"
    if n == 0:
        return "no digest is the certificate's: nothing shows that its pieces are not false"
    return (
        f"{n} of {choice.n_pieces:,} digests compared: a certificate with one false piece would have passed with a"
        f" probability of {one:.2%}, one with a tenth of its pieces false with {tenth:.3%}; --all compares every one"
    )
