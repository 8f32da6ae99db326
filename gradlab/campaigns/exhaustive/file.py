"""A certificate as a file: plain data for JSON, and what is wrong with a file that is none.

Schema 2 holds every piece of the margins: `pieces` has them as runs [first bits, end, step, margins of a piece], the
last piece of a run may be shorter; `digests`, of each implementation, has 16 digits for every piece, and `largest`, of
each quantity, the largest error there, or is null where there is none anywhere. Schema 1 had no pieces; it is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gradlab.campaigns.exhaustive.certificate import (
    Certificate,
    CertificateError,
    Outcome,
    coverage,
    label_of,
    merge_ranges,
)
from gradlab.campaigns.exhaustive.pieces import Evidence
from gradlab.campaigns.exhaustive.rules import (
    LARGEST_PIECE,
    MACHINE,
    MAX_PIECES,
    error_in_ulp,
    require_consistent,
    require_description,
    require_printable,
    whole,
)
from gradlab.campaigns.exhaustive.tally import QUANTITIES, Batch, Quantity, Tally, Worst
from gradlab.campaigns.exhaustive.truth import END, margins_of
from gradlab.cases.cases import json_number
from gradlab.storage.encoding import Plain, hex_of
from gradlab.storage.files import parsed_json

SCHEMA, WITHOUT_PIECES = "gradlab-exhaustive-2", "gradlab-exhaustive-1"
_DIGITS = 16


def encode(certificate: Certificate) -> Plain:
    """A certificate as plain data for JSON."""
    outcomes = [_encode_outcome(certificate, one) for one in certificate.outcomes]
    return {
        "schema": SCHEMA,
        "label": label_of(certificate.margins),
        "complete": certificate.is_complete,
        "n_margins": certificate.n_done,
        "machine": certificate.machine,
        "margins": _encode_range(certificate.margins),
        "done": [_encode_range(one) for one in certificate.done],
        "pieces": [[*_encode_range(run), size] for run, size in _runs(certificate.pieces)],
        "implementations": outcomes,
    }


def _encode_outcome(certificate: Certificate, outcome: Outcome) -> Plain:
    held = [outcome.evidence[piece] for piece in certificate.pieces]
    results = []
    for i, quantity in enumerate(QUANTITIES):
        column = [json_number(one.largest[i]) for one in held]
        largest = None if all(one is None for one in column) else column
        results.append({**_encode_result(certificate, quantity, outcome.tallies[quantity]), "largest": largest})
    return {**outcome.description, "results": results, "digests": "".join(one.digest for one in held)}


def _runs(pieces: Sequence[range]) -> list[tuple[range, int]]:
    """The pieces as runs of pieces of one size; the last of a run may be shorter."""
    runs: list[tuple[range, int]] = []
    for piece in pieces:
        run, size = runs[-1] if runs else (range(0), 0)
        if size and run.stop == piece.start and len(run) % size == 0 and len(piece) <= size:
            runs[-1] = (range(run.start, piece.stop, piece.step), size)
        else:
            runs.append((piece, len(piece)))
    return runs


def _encode_result(certificate: Certificate, quantity: Quantity, tally: Tally) -> Plain:
    label, part = quantity
    return {
        "label": label,
        "part": part,
        "coverage": coverage(certificate, quantity, tally),
        "count": tally.count,
        "correctly_rounded": tally.sizes[0],
        "sizes": list(tally.sizes),
        "worst": None if tally.worst is None else _encode_worst(tally.worst),
    }


def _encode_worst(worst: Worst) -> Plain:
    return {
        "ulp": json_number(worst.ulp),
        "bits": f"{worst.bits:#010x}",
        "margin": hex_of(float(margins_of(range(worst.bits, worst.bits + 1))[0])),
        "observed": hex_of(worst.observed),
        "batch": _encode_range(worst.batch.bits),
        "rows": worst.batch.n_rows,
    }


def _encode_range(bits: range) -> Sequence[Any]:
    return [f"{bits.start:#010x}", f"{bits.stop:#010x}", bits.step]


def read_certificate(path: Path) -> Certificate:
    """The certificate in a file. Raises CertificateError that says in one line what is wrong with it."""
    try:
        plain = parsed_json(path.read_text(encoding="utf-8"))
        if not isinstance(plain, dict) or plain.get("schema") not in (SCHEMA, WITHOUT_PIECES):
            raise ValueError(f"schema must be {SCHEMA!r} or {WITHOUT_PIECES!r}")
        return _certificate(plain)
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}") from error
    except KeyError as error:
        raise CertificateError(f"{path} is no certificate: it must have the field {error}") from error
    except (ValueError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise CertificateError(f"{path} is no certificate: {error}") from error


def _certificate(plain: Plain) -> Certificate:
    require_printable(plain)
    margins, done = _range(plain["margins"]), tuple(map(_range, plain["done"]))
    held, machine = plain["schema"] == SCHEMA, dict(plain["machine"])
    if held and not machine.keys() >= set(MACHINE):
        raise ValueError(f"machine must have {', '.join(MACHINE)}, has {', '.join(map(str, machine))}")
    pieces = _all_pieces(plain["pieces"]) if held else []
    if held and merge_ranges(pieces) != done:
        raise ValueError("pieces must be what is done")
    outcomes = tuple(_outcome(one, pieces, held) for one in plain["implementations"])
    certificate = Certificate(machine, margins, done, outcomes)
    require_consistent(certificate, plain)
    return certificate


def _all_pieces(runs: Sequence[Any]) -> list[range]:
    found: list[range] = []
    for run in runs:
        bits, size = _range(run), whole(run[3])
        if not 1 <= size <= LARGEST_PIECE:
            raise ValueError(f"a piece must have 1 to {LARGEST_PIECE} margins, got {size}")
        if len(found) + len(bits) // size > MAX_PIECES:
            raise ValueError(f"pieces must be at most {MAX_PIECES}")
        found += [bits[first : first + size] for first in range(0, len(bits), size)]
    return found


def _outcome(plain: Plain, pieces: Sequence[range], held: bool) -> Outcome:
    description = {name: value for name, value in plain.items() if name not in ("results", "digests")}
    require_description(description, ("sources", "packages", "files") if held else ())
    tallies = {Quantity(whole(one["label"]), one["part"]): _tally(one) for one in plain["results"]}
    if tuple(tallies) != QUANTITIES:
        raise ValueError(f"results must be of {QUANTITIES}, got {tuple(tallies)}")
    return Outcome(description, tallies, _evidence(plain, pieces) if pieces else {})


def _evidence(plain: Plain, pieces: Sequence[range]) -> Mapping[range, Evidence]:
    n, text = len(pieces), str(plain["digests"])
    if re.fullmatch(r"[0-9a-f]*", text) is None or len(text) != n * _DIGITS:
        raise ValueError(f"digests must be {n * _DIGITS} hexadecimal digits, {_DIGITS} for every piece")
    digests = [text[i : i + _DIGITS] for i in range(0, len(text), _DIGITS)]
    columns = [[None] * n if result["largest"] is None else result["largest"] for result in plain["results"]]
    if {n} != set(map(len, columns)):
        raise ValueError(f"largest must be {n} numbers, one for every piece")
    columns = [[None if one is None else error_in_ulp(one) for one in column] for column in columns]
    rows = zip(pieces, digests, zip(*columns, strict=True), strict=True)
    return {piece: Evidence(digest, largest) for piece, digest, largest in rows}


def _tally(plain: Plain) -> Tally:
    tally = Tally(tuple(map(whole, plain["sizes"])), None if plain["worst"] is None else _worst(plain["worst"]))
    if (tally.count, tally.sizes[0]) != (plain["count"], plain["correctly_rounded"]):
        raise ValueError(f"count must be the sum of sizes, got {plain['count']} and {tally.count}")
    return tally


def _worst(plain: Plain) -> Worst:
    bits = int(plain["bits"], 16)
    margin = hex_of(float(margins_of(range(bits, bits + 1))[0]))
    if margin != plain["margin"]:
        raise ValueError(f"margin must be that of the bits {plain['bits']}, {margin}, got {plain['margin']}")
    batch = Batch(_range(plain["batch"]), whole(plain["rows"]))
    return Worst(error_in_ulp(plain["ulp"]), bits, float.fromhex(plain["observed"]), batch)


def _range(plain: Sequence[Any]) -> range:
    found = range(int(plain[0], 16), int(plain[1], 16), whole(plain[2]))
    if not (found and found.step > 0 and 0 <= found[0] and found[-1] < END):
        raise ValueError(f"bits must lie in [0, {END:#x}), got {found}")
    return found
