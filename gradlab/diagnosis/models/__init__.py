"""The table of all models of defects. A new one is a row in one of the modules beside this file."""

from __future__ import annotations

from gradlab.diagnosis.models import (
    clipping,
    differentiating,
    mapping,
    options,
    rounding,
    scaling,
    shifting,
    summing,
    weighing,
)
from gradlab.diagnosis.models.model import Defect, Model
from gradlab.evaluation.claims import OPTIONS

__all__ = ["DEFECTS", "INSIDE", "Defect", "Model"]

DEFECTS: tuple[Defect, ...] = (
    *shifting.DEFECTS,
    *summing.DEFECTS,
    *differentiating.DEFECTS,
    *scaling.DEFECTS,
    *clipping.DEFECTS,
    *rounding.DEFECTS,
    *options.DEFECTS,
    *mapping.DEFECTS,
    *weighing.DEFECTS,
)
INSIDE = rounding.INSIDE  # everything in a narrower dtype; no stage is replaced


def met_in_several_places(defect: str) -> bool:
    """Whether a defect is known in the loss, in the gradient or in both, so that it has to be said which."""
    return len({Model(one.name, one.make(0.5)).place for one in DEFECTS if one.name == defect}) > 1


def is_of_an_option(defect: str) -> bool:
    """Whether a defect is one of an option of the objective alone."""
    return any(one.name == defect and one.option in OPTIONS for one in DEFECTS)
