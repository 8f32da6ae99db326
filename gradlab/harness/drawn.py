"""What is drawn of a run beside its checks: its errors along the axes, and its finite differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradlab.evaluation.call import Implementation

if TYPE_CHECKING:  # loaded where curves are asked for
    from gradlab.diagnosis.diagnosis import Diagnosis
    from gradlab.harness.curves import Curve
    from gradlab.harness.difference_curve import DifferenceCurve

CURVES = "curves"  # the purpose of the calls


@dataclass(frozen=True, eq=False)
class Drawn:
    """curves: the errors along each axis in each dtype. differences: central differences, by dtype."""

    curves: tuple[Curve, ...] = ()
    differences: tuple[DifferenceCurve, ...] = ()


def draw_loss(implementation: Implementation, dtypes: Sequence[str], diagnosis: Diagnosis | None) -> Drawn:
    """The curves of a loss of logits, beside those that the first explanation of a diagnosis predicts."""
    from gradlab.harness.curves import AXES, curve_of
    from gradlab.harness.difference_curve import difference_curve_of

    explanation = diagnosis.alternatives[0] if diagnosis is not None and diagnosis.alternatives else None
    return Drawn(
        tuple(curve_of(implementation, axis, dtype, explanation) for axis in AXES for dtype in dtypes),
        tuple(difference_curve_of(implementation, dtype) for dtype in dtypes),
    )


def draw_layer(implementation: Implementation, dtypes: Sequence[str], diagnosis: Diagnosis | None) -> Drawn:
    """The curves of a layer's outputs, and of its loss, beside those that the first explanation predicts."""
    from gradlab.harness.curves import AXES
    from gradlab.harness.layer_curves import layer_curve_of, layer_difference_curve_of, way_of_writing

    names = diagnosis.alternatives[0].defects if diagnosis is not None and diagnosis.alternatives else ()
    defects = way_of_writing(implementation, names, AXES[:2], dtypes[0]) if dtypes else ()
    differences = (layer_difference_curve_of(implementation, dtype) for dtype in dtypes)
    return Drawn(
        tuple(layer_curve_of(implementation, axis, dtype, defects) for axis in AXES for dtype in dtypes),
        tuple(one for one in differences if one is not None),
    )
