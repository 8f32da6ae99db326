"""The curves of a run as plain data: four digits of each number."""

from __future__ import annotations

from collections.abc import Iterable

from gradlab.cases.cases import json_number
from gradlab.harness.curves import Covered, Curve, PartErrors
from gradlab.harness.difference_curve import DifferenceCurve
from gradlab.harness.drawn import Drawn
from gradlab.storage.encoding import Plain, hex_of


def encode_drawn(drawn: Drawn) -> Plain | None:
    """The curves; None where none were asked for."""
    if not drawn.curves:
        return None
    return {
        "axes": [_encode_curve(one) for one in drawn.curves],
        "differences": [_encode_differences(one) for one in drawn.differences],
    }


def _encode_curve(curve: Curve) -> Plain:
    return {
        "axis": curve.axis,
        "dtype": curve.dtype,
        "values": _rounded(curve.values, 9),
        "parts": {name: _encode_part(part) for name, part in curve.parts.items()},
        **({} if curve.covered is None else {"covered": _encode_covered(curve.covered)}),
    }


def _encode_covered(covered: Covered) -> Plain:
    return {
        "certificate": covered.certificate,
        "made_with": covered.made_with,
        "n_margins": covered.n_margins,
        "n_probes": covered.n_probes,
        "end": covered.end,
        "parts": {
            name: {
                "margins": _rounded(one.margins, 9),
                "largest": _rounded(one.largest),
                "worst": json_number(one.worst),
                "at": hex_of(one.at),
            }
            for name, one in covered.parts.items()
        },
    }


def _encode_part(part: PartErrors) -> Plain:
    return {
        "errors": _rounded(part.errors),
        "allowed": _rounded(part.allowed),
        "predicted": _rounded(part.predicted) or None,
    }


def _encode_differences(curve: DifferenceCurve) -> Plain:
    return {
        "dtype": curve.dtype,
        "slope": curve.slope,
        "steps": list(curve.steps),
        "errors": _rounded(curve.errors),
        "bounds": _rounded(curve.bounds),
        "truncation": _rounded(curve.truncation),
    }


def _rounded(values: Iterable[float], digits: int = 4) -> list[float | str]:
    """The numbers with so many digits; what JSON has no number for is "inf", or "nan"."""
    return [float(f"{value:.{digits}g}") if value - value == 0 else str(value) for value in values]
