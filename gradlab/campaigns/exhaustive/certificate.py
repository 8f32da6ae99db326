"""What an exhaustive sweep found, and of what: what is kept, gone on with and verified."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from gradlab.campaigns.exhaustive.digest import WAY
from gradlab.campaigns.exhaustive.evaluation import SweepTarget, answers_at_probes
from gradlab.campaigns.exhaustive.pieces import Evidence
from gradlab.campaigns.exhaustive.sources import OWN, dependencies_of, digest_of_code, digest_of_contents, follow
from gradlab.campaigns.exhaustive.tally import MEAN_LOSS, Quantity, Tallies, Tally
from gradlab.campaigns.exhaustive.truth import END
from gradlab.measure.machine import numpy_simd, processor
from gradlab.storage.encoding import Plain

_CALLERS = ("evaluation.py", "pieces.py", "digest.py", "tally.py")


class CertificateError(Exception):
    """Why a certificate cannot be read: one line, for people."""


@dataclass(frozen=True)
class Outcome:
    """Of one implementation: its description, the errors found, and what is held of each piece that is done.

    evidence is empty where a certificate holds no pieces.
    """

    description: Plain
    tallies: Tallies
    evidence: Mapping[range, Evidence]


@dataclass(frozen=True)
class Certificate:
    """machine: as `machine_of` has it. margins: their bits. done: those swept, in order, none adjacent."""

    machine: Plain
    margins: range
    done: tuple[range, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def n_done(self) -> int:
        return sum(map(len, self.done))

    @property
    def pieces(self) -> tuple[range, ...]:
        """Those done, in order; none where it holds no pieces."""
        held = {piece for one in self.outcomes for piece in one.evidence}
        return tuple(sorted(held, key=lambda piece: piece.start))

    @property
    def has_pieces(self) -> bool:
        """Whether what is done is held piece by piece."""
        return all(merge_ranges(one.evidence) == self.done for one in self.outcomes)

    @property
    def is_complete(self) -> bool:
        return self.done == (self.margins,)


def machine_of() -> Plain:
    """What an answer may depend on besides the implementation, and the version of what checks it."""
    return {
        "gradlab": version("gradlab-verify"),
        "checker": digest_of_code(_checker()),
        "digests": WAY,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "processor": processor("model name"),
        "numpy_simd": numpy_simd(),
    }


def _checker() -> set[Path]:
    """The truth with all that it imports, and what makes the calls and counts the errors; nothing else of gradlab."""
    here = Path(__file__).parent
    return {*follow([here / "truth.py"], {OWN}).files, *(here / name for name in _CALLERS)}


def description_of(target: SweepTarget) -> Plain:
    """What an implementation is: its target, how it is asked, the hashes of its files and of its answers at PROBES.

    packages: the versions of what is installed and imported by those files, numpy and numba among them. files: what
    the target names after a prefix, such as a library.
    """
    one = target.implementation
    needed = dependencies_of(one.function)
    named = [Path(part) for part in one.target.split(":")[1:] if Path(part).is_file()]
    return {
        "target": one.target,
        "name": one.name,
        "reduction": target.reduction,
        "order": target.order,
        "sources": needed.sources,
        "packages": needed.versions,
        "files": {path.name: digest_of_contents([path]) for path in named},
        "probes": digest_at_probes(target),
    }


def digest_at_probes(target: SweepTarget) -> str:
    """The SHA-256 of the answers at PROBES, bit for bit. Raises FaultError."""
    return hashlib.sha256(answers_at_probes(target)).hexdigest()


def merge_ranges(ranges: Iterable[range]) -> tuple[range, ...]:
    """The same numbers, in order, adjacent ranges made one; all of one step."""
    found: list[range] = []
    for one in sorted(ranges, key=lambda one: one.start):
        if found and found[-1].stop == one.start:
            found[-1] = range(found[-1].start, one.stop, one.step)
        else:
            found.append(one)
    return tuple(found)


def label_of(margins: range) -> str:
    """ "exhaustive" if these are the bits of all margins, otherwise "sampled"."""
    return "exhaustive" if margins == range(END) else "sampled"


def coverage(certificate: Certificate, quantity: Quantity, tally: Tally) -> str:
    """The same of one quantity, which may have been evaluated at fewer margins: "of batches" for mean losses."""
    if quantity[1] == MEAN_LOSS:
        return "of batches"
    return label_of(certificate.margins) if tally.count == len(certificate.margins) else "sampled"
