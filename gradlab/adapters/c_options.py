"""Options of C functions: the structure in softmax_ce.h, and what a library says that it takes."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from gradlab.problems.objective import REAL_OPTIONS
from gradlab.problems.problem import Array

REDUCTIONS = {"mean": 0, "sum": 1, "none": 2}
TAKEN_REDUCTIONS = {"sum": 1, "none": 2}  # the bits of NAME_takes, as in softmax_ce.h
TAKEN_REAL_OPTIONS = {"softcap": 32, "temperature": 64, "z_loss": 128, "poly_epsilon": 256}  # in the fields' order
TAKEN_OPTIONS = {"label_smoothing": 4, "class_weights": 8, "ignore_index": 16, **TAKEN_REAL_OPTIONS}


class Options(ctypes.Structure):
    """softmax_ce_options, field by field; the weights are kept in memory as long as it is."""

    _fields_ = (
        ("reduction", ctypes.c_int64),
        ("label_smoothing", ctypes.c_double),
        ("class_weights", ctypes.c_void_p),
        ("ignores", ctypes.c_int64),
        ("ignore_index", ctypes.c_int64),
        *((name, ctypes.c_double) for name in TAKEN_REAL_OPTIONS),
    )

    @classmethod
    def of(cls, reduction: str, options: dict[str, Any], logits: Array) -> Options:
        """The options of one call, by their names; weights become contiguous numbers of the logits' dtype.

        Raises ValueError where there is not one weight for each class, or no such reduction.
        """
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction must be one of {', '.join(REDUCTIONS)}, got {reduction!r}")
        ignored, weights = options.get("ignore_index"), options.get("class_weights")
        array = None if weights is None else np.require(weights, logits.dtype, ["C", "A"])
        if array is not None and array.shape != logits.shape[1:]:
            raise ValueError(f"class_weights must have shape {logits.shape[1:]}, got {array.shape}")
        address = None if array is None else array.ctypes.data
        smoothing = float(options.get("label_smoothing", 0.0))
        real = [float(options.get(name, REAL_OPTIONS[name].neutral)) for name in TAKEN_REAL_OPTIONS]
        found = cls(REDUCTIONS[reduction], smoothing, address, ignored is not None, ignored or 0, *real)
        found.array = array
        return found

    @property
    def is_none(self) -> bool:
        """Whether there is a loss for each row."""
        return bool(self.reduction == REDUCTIONS["none"])

    def kept(self, labels: Array) -> Array:
        """The labels that are not ignored."""
        return labels[labels != self.ignore_index] if self.ignores else labels


def claims_of(library: ctypes.CDLL, name: str) -> dict[str, Any] | None:
    """What NAME_takes of a library claims, None where it has no such number."""
    try:
        takes = ctypes.c_uint32.in_dll(library, f"{name}_takes").value
    except ValueError:
        return None
    reductions = ["mean", *(one for one, bit in TAKEN_REDUCTIONS.items() if takes & bit)]
    return {"reduction": reductions, "options": [one for one, bit in TAKEN_OPTIONS.items() if takes & bit]}
