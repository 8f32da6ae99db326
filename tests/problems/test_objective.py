"""What an objective accepts, and what it says is switched on."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gradlab.problems.objective import DERIVATIVES, Objective, derivative_shape
from gradlab.problems.options import REAL_OPTIONS, REDUCTIONS, TARGETS


def test_the_default_is_the_mean_over_labels_without_options() -> None:
    assert Objective() == Objective("mean", "index", 0.0, None, None)
    assert Objective().options == {}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("targets", TARGETS)
def test_every_reduction_goes_with_every_kind_of_target(reduction: str, targets: str) -> None:
    objective = Objective(reduction, targets)
    assert (objective.reduction, objective.targets) == (reduction, targets)


ON: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"label_smoothing": 0.1}, {"label_smoothing": 0.1}),
    ({"class_weights": (1.0, 0.0)}, {"class_weights": (1.0, 0.0)}),
    ({"ignore_index": 0}, {"ignore_index": 0}),
    ({"ignore_index": -100, "label_smoothing": 0.0}, {"ignore_index": -100}),
    ({"softcap": 30.0, "temperature": 1.0}, {"softcap": 30.0}),
    ({"temperature": 0.5, "softcap": math.inf}, {"temperature": 0.5}),
    ({"z_loss": 1e-4, "poly_epsilon": 0.0}, {"z_loss": 1e-4}),
    ({"poly_epsilon": -1.0, "z_loss": 0.0}, {"poly_epsilon": -1.0}),
]


@pytest.mark.parametrize(("given", "expected"), ON)
def test_options_are_those_that_are_switched_on(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert Objective(**given).options == expected


BAD: list[tuple[dict[str, Any], str]] = [
    ({"reduction": "median"}, "reduction must be one of none, mean, sum, got 'median'"),
    ({"targets": "one-hot"}, "targets must be one of index, probability, got 'one-hot'"),
    ({"label_smoothing": -0.1}, r"label_smoothing must lie in \[0, 1\], got -0.1"),
    ({"label_smoothing": 1.1}, r"label_smoothing must lie in \[0, 1\], got 1.1"),
    ({"label_smoothing": math.nan}, r"label_smoothing must lie in \[0, 1\], got nan"),
    ({"class_weights": (1.0, -1.0)}, "class_weights must be finite and at least 0"),
    ({"class_weights": (math.inf,)}, "class_weights must be finite and at least 0"),
    ({"class_weights": (math.nan,)}, "class_weights must be finite and at least 0"),
    ({"targets": "probability", "ignore_index": 1}, "ignore_index needs index targets"),
    ({"softcap": 0.0}, "softcap must be finite and above 0, got 0.0"),
    ({"softcap": -math.inf}, "softcap must be finite and above 0, got -inf"),
    ({"temperature": 0.0}, "temperature must be finite and above 0, got 0.0"),
    ({"temperature": math.inf}, "temperature must be finite and above 0, got inf"),
    ({"temperature": math.nan}, "temperature must be finite and above 0, got nan"),
    ({"z_loss": -1e-4}, "z_loss must be finite and at least 0, got -0.0001"),
    ({"derivative": "jacobian"}, "derivative must be one of gradient, .*, got 'jacobian'"),
    (
        {"derivative": "target_gradient"},
        "derivative target_gradient needs probability targets alone, got targets index",
    ),
    ({"derivative": "hessian", "z_loss": 1.0}, "derivative hessian goes without softcap, .*, got z_loss"),
    ({"poly_epsilon": -1.5}, "poly_epsilon must be finite and at least -1, got -1.5"),
]


@pytest.mark.parametrize(("given", "message"), BAD)
def test_a_value_out_of_range_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Objective(**given)


def test_what_is_off_is_not_printed() -> None:
    plain = "Objective(reduction='mean', targets='index', label_smoothing=0.0, class_weights=None, ignore_index=None"
    assert repr(Objective()) == f"{plain})"
    assert repr(Objective(z_loss=0.5)) == f"{plain}, z_loss=0.5)"
    assert eval(repr(Objective(softcap=3.0, temperature=2.0))) == Objective(softcap=3.0, temperature=2.0)


def test_what_is_tried_and_drawn_of_an_option_is_within_its_range() -> None:
    for name, option in REAL_OPTIONS.items():
        assert [option.refusal(value) for value in (*option.tried, *option.drawn)] == [None] * (len(option.tried) + 2)
        assert option.neutral not in option.tried, name


def test_the_gradient_is_not_spelled_out() -> None:
    assert "derivative" not in repr(Objective())
    assert "derivative='hessian'" in repr(Objective(derivative="hessian"))


SHAPES = dict.fromkeys(DERIVATIVES, (2, 3)) | {"hessian": (2, 3, 3)}


@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_a_hessian_has_one_axis_more(derivative: str) -> None:
    assert derivative_shape(derivative, (2, 3)) == SHAPES[derivative]
