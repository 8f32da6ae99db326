"""What is said of a row of a trial: numbers that a mistake may depend on, with the words for them."""

from __future__ import annotations

import warnings

import numpy as np

from gradlab.localisation.features.asked import ASKED
from gradlab.localisation.features.batches import BATCHES
from gradlab.localisation.features.feature import View
from gradlab.localisation.features.ignored import IGNORED
from gradlab.localisation.features.logits import LOGITS
from gradlab.localisation.features.places import PLACES_OF_ROWS
from gradlab.localisation.features.shapes import SHAPES
from gradlab.localisation.trial import Trial
from gradlab.problems.problem import Array

_TABLE = (*SHAPES, *LOGITS, *PLACES_OF_ROWS, *BATCHES, *ASKED, *IGNORED)
FEATURES = tuple(row.feature for row in _TABLE)
PLACES = {feature.name: place for place, feature in enumerate(FEATURES)}


def features_of(trial: Trial, rows: Array) -> Array:
    """The features of these rows, (rows, features), in the order of `FEATURES`; NaN where one has none."""
    view = View(trial, rows)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row without a finite logit
        found = np.empty((len(rows), len(_TABLE)))
        for place, row in enumerate(_TABLE):
            found[:, place] = row.value(view)
    return found


def feature_of(trial: Trial, name: str) -> Array:
    """One feature of every row, (N,)."""
    rows = np.arange(trial.problem.n_rows)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = np.asarray(_TABLE[PLACES[name]].value(View(trial, rows)), dtype=np.float64)
    return np.broadcast_to(found, rows.shape)
