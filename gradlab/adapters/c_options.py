"""Options of C functions: the structure in softmax_ce.h, and what a library says that it takes."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from gradlab.problems.options import REAL_OPTIONS
from gradlab.problems.problem import Array

REDUCTIONS = {"mean": 0, "sum": 1, "none": 2}
TAKEN_REDUCTIONS = {"sum": 1, "none": 2}  # the bits of NAME_takes, as in softmax_ce.h
TAKEN_REAL_OPTIONS = {"softcap": 32, "temperature": 64, "z_loss": 128, "poly_epsilon": 256}  # in the fields' order
TAKEN_ROW_OPTIONS = {"sample_weights": 512, "upstream": 1024}  # the same
TAKEN_OPTIONS = {
    "label_smoothing": 4,
    "class_weights": 8,
    "ignore_index": 16,
    **TAKEN_REAL_OPTIONS,
    **TAKEN_ROW_OPTIONS,
}


class Options(ctypes.Structure):
    """softmax_ce_options, field by field; the arrays are kept in memory as long as it is."""

    _fields_ = (
        ("reduction", ctypes.c_int64),
        ("label_smoothing", ctypes.c_double),
        ("class_weights", ctypes.c_void_p),
        ("ignores", ctypes.c_int64),
        ("ignore_index", ctypes.c_int64),
        *((name, ctypes.c_double) for name in TAKEN_REAL_OPTIONS),
        *((name, ctypes.c_void_p) for name in TAKEN_ROW_OPTIONS),
    )

    @classmethod
    def of(cls, reduction: str, options: dict[str, Any], logits: Array) -> Options:
        """The options of one call, by their names; weights become contiguous numbers of the logits' dtype.

        Raises ValueError where weights are not one for each class, or one for each row, or for another reduction.
        """
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction must be one of {', '.join(REDUCTIONS)}, got {reduction!r}")
        ignored, smoothing = options.get("ignore_index"), float(options.get("label_smoothing", 0.0))
        lengths = {"class_weights": logits.shape[1], **dict.fromkeys(TAKEN_ROW_OPTIONS, logits.shape[0])}
        arrays = {name: _contiguous(name, options.get(name), length, logits.dtype) for name, length in lengths.items()}
        weights, *of_rows = (None if array is None else array.ctypes.data for array in arrays.values())
        real = [float(options.get(name, REAL_OPTIONS[name].neutral)) for name in TAKEN_REAL_OPTIONS]
        found = cls(REDUCTIONS[reduction], smoothing, weights, ignored is not None, ignored or 0, *real, *of_rows)
        found.arrays = arrays
        return found

    @property
    def is_none(self) -> bool:
        """Whether there is a loss for each row."""
        return bool(self.reduction == REDUCTIONS["none"])

    def kept(self, labels: Array) -> Array:
        """The labels that are not ignored."""
        return labels[labels != self.ignore_index] if self.ignores else labels


def _contiguous(name: str, values: Any, length: int, dtype: np.dtype[Any]) -> Array | None:
    """The numbers of an option as C gets them, so many of that dtype; None where it is off."""
    array = None if values is None else np.require(values, dtype, ["C", "A"])
    if array is not None and array.shape != (length,):
        raise ValueError(f"{name} must have shape {(length,)}, got {array.shape}")
    return array


def claims_of(library: ctypes.CDLL, name: str) -> dict[str, Any] | None:
    """What NAME_takes of a library claims, None where it has no such number."""
    try:
        takes = ctypes.c_uint32.in_dll(library, f"{name}_takes").value
    except ValueError:
        return None
    reductions = ["mean", *(one for one, bit in TAKEN_REDUCTIONS.items() if takes & bit)]
    return {"reduction": reductions, "options": [one for one, bit in TAKEN_OPTIONS.items() if takes & bit]}
