"""The table of all models of defects. A new one is a row in one of the modules beside this file."""

from __future__ import annotations

from gradlab.diagnosis.models import clipping, differentiating, options, rounding, scaling, shifting, summing
from gradlab.diagnosis.models.model import Defect, Model

__all__ = ["DEFECTS", "INSIDE", "Defect", "Model"]

DEFECTS: tuple[Defect, ...] = (
    *shifting.DEFECTS,
    *summing.DEFECTS,
    *differentiating.DEFECTS,
    *scaling.DEFECTS,
    *clipping.DEFECTS,
    *rounding.DEFECTS,
    *options.DEFECTS,
)
INSIDE = rounding.INSIDE  # everything in a narrower dtype; no stage is replaced
