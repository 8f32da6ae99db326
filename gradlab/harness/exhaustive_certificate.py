"""What an exhaustive walk found, and of what: as plain data, so that it can be kept, gone on with and verified."""

from __future__ import annotations

import functools
import hashlib
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from gradlab.harness.cases import json_number
from gradlab.harness.encoding import Plain, hex_of
from gradlab.harness.exhaustive_tally import MEAN_LOSS, QUANTITIES, Batch, Quantity, Tallies, Tally, Worst
from gradlab.harness.exhaustive_truth import END, margins_of
from gradlab.harness.exhaustive_walk import Subject, probed
from gradlab.harness.files import parsed_json
from gradlab.harness.machine import numpy_simd, processor

SCHEMA = "gradlab-exhaustive-1"
_CHECKER = ("harness/exhaustive*.py", "oracle/exponential.py", "oracle/double_double.py")
_ROOT = Path(__file__).parents[1]


class CertificateError(Exception):
    """Why a certificate cannot be read: one line, for people."""


@dataclass(frozen=True)
class Outcome:
    """Of one implementation: what it is (`stated`), and the errors found."""

    subject: Plain
    tallies: Tallies


@dataclass(frozen=True)
class Certificate:
    """machine: as `machine_of` has it. margins: their bits. done: those walked, in order, none adjacent."""

    machine: Plain
    margins: range
    done: tuple[range, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def n_done(self) -> int:
        return sum(map(len, self.done))

    @property
    def is_complete(self) -> bool:
        return self.done == (self.margins,)


def machine_of() -> Plain:
    """What an answer may depend on besides the implementation, and the version of what checks it."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _CHECKER for path in _ROOT.glob(pattern)):
        digest.update(path.read_bytes())
    return {
        "gradlab": version("gradlab-verify"),
        "checker": digest.hexdigest(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "processor": processor("model name"),
        "numpy_simd": numpy_simd(),
    }


def stated(subject: Subject) -> Plain:
    """What an implementation is: its target, how it is asked, the hashes of its files and of its answers at PROBES."""
    one = subject.implementation
    return {
        "target": one.target,
        "name": one.name,
        "reduction": subject.reduction,
        "order": subject.order,
        "sources": sources_of(one.function),
        "probes": hashlib.sha256(probed(subject)).hexdigest(),
    }


def sources_of(function: Callable[..., Any]) -> dict[str, str]:
    """The SHA-256 of the function's file and of the files of its folder that are imported there, by name."""
    while isinstance(function, functools.partial):
        function = function.func
    module = sys.modules.get(str(getattr(function, "__module__", None)))
    found: dict[str, str] = {}
    todo = [] if module is None else [module]
    folder = Path(getattr(module, "__file__", None) or "/nowhere/nothing").parent
    while todo:
        path = Path(getattr(todo[-1], "__file__", None) or "/nowhere")
        names = vars(todo.pop())
        if path.suffix == ".py" and path.is_relative_to(folder) and str(path.relative_to(folder)) not in found:
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
            todo += [one for one in map(_module_of, names.values()) if one is not None]
    return dict(sorted(found.items()))


def _module_of(value: Any) -> ModuleType | None:
    if isinstance(value, ModuleType):
        return value
    name = getattr(value, "__module__", None)
    return sys.modules.get(name) if isinstance(name, str) else None


def merged_ranges(ranges: Iterable[range]) -> tuple[range, ...]:
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
    """The same of one quantity, which may have been asked for at fewer margins: "of batches" for mean losses."""
    if quantity[1] == MEAN_LOSS:
        return "of batches"
    return label_of(certificate.margins) if tally.count == len(certificate.margins) else "sampled"


def encoded(certificate: Certificate) -> Plain:
    """A certificate as plain data for JSON."""
    outcomes = [
        {**one.subject, "results": [_encoded(certificate, quantity, one.tallies[quantity]) for quantity in QUANTITIES]}
        for one in certificate.outcomes
    ]
    return {
        "schema": SCHEMA,
        "label": label_of(certificate.margins),
        "complete": certificate.is_complete,
        "n_margins": certificate.n_done,
        "machine": certificate.machine,
        "margins": _of_range(certificate.margins),
        "done": [_of_range(one) for one in certificate.done],
        "implementations": outcomes,
    }


def _encoded(certificate: Certificate, quantity: Quantity, tally: Tally) -> Plain:
    label, part = quantity
    return {
        "label": label,
        "part": part,
        "coverage": coverage(certificate, quantity, tally),
        "count": tally.count,
        "correctly_rounded": tally.sizes[0],
        "sizes": list(tally.sizes),
        "worst": None if tally.worst is None else _of_worst(tally.worst),
    }


def _of_worst(worst: Worst) -> Plain:
    return {
        "ulp": json_number(worst.ulp),
        "bits": f"{worst.bits:#010x}",
        "margin": hex_of(float(margins_of(range(worst.bits, worst.bits + 1))[0])),
        "observed": hex_of(worst.observed),
        "batch": _of_range(worst.batch.bits),
        "rows": worst.batch.n_rows,
    }


def _of_range(bits: range) -> Sequence[Any]:
    return [f"{bits.start:#010x}", f"{bits.stop:#010x}", bits.step]


def read_certificate(path: Path) -> Certificate:
    """The certificate in a file. Raises CertificateError that says in one line what is wrong with it."""
    try:
        plain = parsed_json(path.read_text(encoding="utf-8"))
        if not isinstance(plain, dict) or plain.get("schema") != SCHEMA:
            raise ValueError(f"schema must be {SCHEMA!r}")
        margins = _range(plain["margins"])
        outcomes = tuple(_outcome(one) for one in plain["implementations"])
        return Certificate(dict(plain["machine"]), margins, tuple(map(_range, plain["done"])), outcomes)
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}") from error
    except KeyError as error:
        raise CertificateError(f"{path} is no certificate: it must have the field {error}") from error
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise CertificateError(f"{path} is no certificate: {error}") from error


def _outcome(plain: Plain) -> Outcome:
    subject = {name: value for name, value in plain.items() if name != "results"}
    if not all(isinstance(subject.get(name), str) for name in ("target", "name", "reduction", "order")):
        raise ValueError(f"an implementation must have a target, name, reduction and order, has {list(subject)}")
    tallies = {(one["label"], one["part"]): _tally(one) for one in plain["results"]}
    if tuple(tallies) != QUANTITIES:
        raise ValueError(f"results must be of {QUANTITIES}, got {tuple(tallies)}")
    return Outcome(subject, tallies)


def _tally(plain: Plain) -> Tally:
    tally = Tally(tuple(map(int, plain["sizes"])), None if plain["worst"] is None else _worst(plain["worst"]))
    if (tally.count, tally.sizes[0]) != (plain["count"], plain["correctly_rounded"]):
        raise ValueError(f"count must be the sum of sizes, got {plain['count']} and {tally.count}")
    return tally


def _worst(plain: Plain) -> Worst:
    bits = int(plain["bits"], 16)
    margin = hex_of(float(margins_of(range(bits, bits + 1))[0]))
    if margin != plain["margin"]:
        raise ValueError(f"margin must be that of the bits {plain['bits']}, {margin}, got {plain['margin']}")
    batch = Batch(_range(plain["batch"]), int(plain["rows"]))
    return Worst(float(plain["ulp"]), bits, float.fromhex(plain["observed"]), batch)


def _range(plain: Sequence[Any]) -> range:
    found = range(int(plain[0], 16), int(plain[1], 16), int(plain[2]))
    if not (found and 0 <= found[0] and found[-1] < END):
        raise ValueError(f"bits must lie in [0, {END:#x}), got {found}")
    return found
