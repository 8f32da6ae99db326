"""Models of logit maps and row terms that are not as defined: softcap, temperature, z-loss, the poly term."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.diagnosis.models.model import option_defect
from gradlab.diagnosis.pipeline import Changes, View, loss_and_gradient_terms, sound_image, sound_slope
from gradlab.problems.mapping import map_logits
from gradlab.problems.objective import Objective
from gradlab.problems.options import REAL_OPTIONS
from gradlab.problems.problem import Array, Problem
from gradlab.reference import numpy_forms

Change = Callable[[Objective], Objective]


def without(option: str) -> Change:
    """The objective with an option off; itself where it is off already."""
    off: dict[str, Any] = {option: REAL_OPTIONS[option].neutral}
    return lambda objective: replace(objective, **off) if option in objective.real_options else objective


def with_half_the_z_loss(objective: Objective) -> Objective:
    return replace(objective, z_loss=objective.z_loss / 2)


def with_inverse_temperature(objective: Objective) -> Objective:
    return replace(objective, temperature=1 / objective.temperature)


def loss_terms_of(change: Change) -> Callable[[View], Array]:
    return lambda view: loss_and_gradient_terms(view, change(view.problem.objective))[0]


def gradient_terms_of(change: Change) -> Callable[[View], Array]:
    return lambda view: loss_and_gradient_terms(view, change(view.problem.objective))[1]


def image_of(change: Change) -> Callable[[Array, Problem], Array]:
    return lambda x, problem: np.asarray(map_logits(change(problem.objective), x, x.dtype.type)[0])


def slope_of(change: Change) -> Callable[[Array, Problem], Array]:
    return lambda x, problem: np.asarray(map_logits(change(problem.objective), x, x.dtype.type)[1])


def loss_terms_without_the_maximum(view: View) -> Array:
    return loss_and_gradient_terms(view, view.problem.objective, np.log(view.s))[0]


def gradient_terms_without_the_maximum(view: View) -> Array:
    return loss_and_gradient_terms(view, view.problem.objective, np.log(view.s))[1]


def clipped(x: Array, problem: Problem) -> Array:
    """The logits cut off at the softcap, and then what the other maps make of them."""
    bound = x.dtype.type(problem.objective.softcap)
    return image_of(without("softcap"))(np.clip(x, -bound, bound), problem)


def slope_of_clipping(x: Array, problem: Problem) -> Array:
    inside = (np.abs(x) < problem.objective.softcap) | (problem.objective.softcap == np.inf)
    return np.asarray(slope_of(without("softcap"))(x, problem) * inside.astype(x.dtype))


def not_scaled_back(x: Array, problem: Problem) -> Array:
    return np.asarray(sound_image(x, problem) / _softcap(x, problem))


def slope_not_scaled_back(x: Array, problem: Problem) -> Array:
    return np.asarray(sound_slope(x, problem) / _softcap(x, problem))


def _softcap(x: Array, problem: Problem) -> Any:
    """The softcap, or 1 where there is none."""
    return x.dtype.type(problem.objective.softcap if problem.objective.softcap < np.inf else 1.0)


def ignored(option: str) -> Changes:
    """The option is taken, and nothing is done with it."""
    off = without(option)
    if option in numpy_forms.LOGIT_MAPS:
        return {"image": image_of(off), "slope": slope_of(off)}
    return {"loss_terms": loss_terms_of(off), "gradient_terms": gradient_terms_of(off)}


DEFECTS = (
    *(option_defect(option, "option_ignored", **ignored(option)) for option in REAL_OPTIONS),
    option_defect("softcap", "softcap_slope_forgotten", slope=slope_of(without("softcap"))),
    option_defect("softcap", "softcap_clips", image=clipped, slope=slope_of_clipping),
    option_defect("softcap", "softcap_not_scaled_back", image=not_scaled_back, slope=slope_not_scaled_back),
    option_defect("temperature", "temperature_missing_in_gradient", slope=slope_of(without("temperature"))),
    option_defect(
        "temperature",
        "temperature_multiplied",
        image=image_of(with_inverse_temperature),
        slope=slope_of(with_inverse_temperature),
    ),
    option_defect("z_loss", "z_loss_missing_in_gradient", gradient_terms=gradient_terms_of(without("z_loss"))),
    option_defect("z_loss", "z_loss_missing_in_loss", loss_terms=loss_terms_of(without("z_loss"))),
    option_defect("z_loss", "z_loss_gradient_halved", gradient_terms=gradient_terms_of(with_half_the_z_loss)),
    option_defect(
        "z_loss",
        "z_loss_of_shifted_logits",
        loss_terms=loss_terms_without_the_maximum,
        gradient_terms=gradient_terms_without_the_maximum,
    ),
    option_defect(
        "poly_epsilon", "poly_missing_in_gradient", gradient_terms=gradient_terms_of(without("poly_epsilon"))
    ),
    option_defect("poly_epsilon", "poly_missing_in_loss", loss_terms=loss_terms_of(without("poly_epsilon"))),
)
