"""The claims of layers in tests: all that there is, or what a student's function takes."""

from __future__ import annotations

from functools import cache
from typing import Any

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.layer_power import as_claimed
from gradlab.harness.profiles import Profile
from gradlab.harness.selection import Question, questions_in_run
from gradlab.targets.shipped import Specimen, layer_specimens

LAYOUTS = {"weight_layout": "DK", "feature_layout": "ND", "bias_layout": "K"}
EVERYTHING: dict[str, Any] = {
    "takes": ("X", "W", "b", "targets", "l2"),
    "returns": ("loss", "dX", "dW", "db"),
    **LAYOUTS,
    "l2_form": "half",
    "l2_takes_bias": False,
}
FAMILIES = Profile("families", "quick", 0, 0, 0, asked=4)


def claims_of_all(dtype: str = "float32", **more: Any) -> Claims:
    """The claims of a layer that takes and returns everything."""
    return claims_from({**EVERYTHING, "dtypes": dtype, **more})


@cache
def questions(
    dtype: str,
    options: tuple[str, ...] = ("ignore_index",),
    reduction: str = "mean",
    backward: tuple[str, ...] = (),
) -> tuple[Question, ...]:
    """The problems of the families for such a layer, with their checks; nothing in them is made twice."""
    claims = claims_of_all(dtype, options=options, reduction=reduction, backward=backward)
    return questions_in_run(claims, dtype, FAMILIES, 0)


def specimen(name: str, dtype: str = "float32") -> Implementation:
    """A specimen as such a layer."""
    return claimed(layer_specimens()[name], dtype)


def claimed(one: Specimen, dtype: str = "float32") -> Implementation:
    """A specimen, or a variant of one, as such a layer, with what the specimen claims."""
    return as_claimed(one, claims_of_all(dtype, options=("ignore_index",), **one.claims))


def questions_for(one: Specimen, dtype: str = "float32") -> tuple[Question, ...]:
    """What is asked of a specimen."""
    return questions(
        dtype, reduction=one.claims.get("reduction", "mean"), backward=tuple(one.claims.get("backward", ()))
    )
