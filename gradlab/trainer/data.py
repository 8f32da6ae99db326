"""Data to train on: the sets that scikit-learn brings, or a file of arrays."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.problems.problem import Array

SETS = ("digits", "iris", "wine")  # of scikit-learn


class DataError(ValueError):
    """Why there is no data: one line, for people."""


@dataclass(frozen=True, eq=False)
class Data:
    """name; features (N, D) in float64; labels (N,), from 0 to n_classes - 1."""

    name: str
    features: Array
    labels: Array

    @property
    def n_classes(self) -> int:
        return int(self.labels.max()) + 1


def load_data(name: str) -> Data:
    """One of SETS, digits divided by 16, or a file FILE.npz with X and y. Raises DataError."""
    if name in SETS:
        return _scikit_learn_data(name)
    path = Path(name)
    if path.suffix != ".npz":
        raise DataError(f"data must be {', '.join(SETS)} or a file FILE.npz with X and y, got {name}")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            features, labels = arrays["X"], arrays["y"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{name} cannot be read as arrays X and y: {error}") from error
    return _checked(Data(name, features, labels))


def standardised(data: Data) -> Data:
    """The same with features of mean 0 and variance 1; features that do not vary are 0."""
    centred = data.features - data.features.mean(axis=0)
    spread = centred.std(axis=0)
    return Data(data.name, centred / np.where(spread > 0, spread, 1.0), data.labels)


def _checked(data: Data) -> Data:
    features, labels = np.asarray(data.features), np.asarray(data.labels)
    if features.ndim != 2 or features.dtype.kind not in "fiu" or not len(features):
        raise DataError(f"{data.name}: X must hold numbers, shape (N, D), got {features.dtype} of {features.shape}")
    if labels.shape != (len(features),) or labels.dtype.kind not in "iu" or labels.min(initial=0) < 0:
        raise DataError(f"{data.name}: y must hold labels from 0 on, shape ({len(features)},), got {labels.dtype}")
    if not np.isfinite(features.astype(np.float64)).all():
        raise DataError(f"{data.name}: X must be finite")
    return Data(data.name, features.astype(np.float64), labels.astype(np.int64))


def _scikit_learn_data(name: str) -> Data:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise DataError(f"{name} comes with scikit-learn: pip install 'gradlab-verify[sklearn]'") from error
    load: Any = getattr(datasets, f"load_{name}")
    features, labels = load(return_X_y=True)
    return Data(name, features / 16 if name == "digits" else features, labels.astype(np.int64))
