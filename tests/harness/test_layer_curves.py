"""Curves of a layer's outputs show what is known of its gradients, and what a mistake changes of one of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation
from gradlab.harness.curves import AXES, Curve
from gradlab.harness.layer_curves import layer_curve_of, layer_difference_curve_of, way_of_writing
from gradlab.targets.in_scope import load_in_scope
from gradlab.targets.shipped import layer_specimens

CLIFF = 16.64  # 24 log 2
AXIS = {one.name: one for one in AXES}


@pytest.fixture(scope="module")
def layer() -> Implementation:
    return load_in_scope("layer:layer", {})[0]


def worst_over_bound(curve: Curve, part: str) -> float:
    found = curve.parts[part]
    with np.errstate(invalid="ignore"):
        return float(np.nanmax(np.array(found.errors) / np.array(found.allowed)))


@pytest.mark.parametrize("axis", AXES, ids=AXIS)
def test_every_output_of_sound_code_is_within_its_bound(layer: Implementation, axis: Any) -> None:
    curve = layer_curve_of(layer, axis, "float32")
    assert set(curve.parts) == {"loss", "dX", "dW", "db"}
    assert all(len(part.errors) == len(curve.values) for part in curve.parts.values())
    assert all(worst_over_bound(curve, part) <= 1 for part in curve.parts)


def test_the_gradients_lose_every_digit_of_the_target_from_the_cliff_on(layer: Implementation) -> None:
    curve = layer_curve_of(layer, AXIS["margin"], "float32")
    beyond = np.array(curve.values) > CLIFF + 1
    assert (np.array(curve.parts["dW"].errors)[beyond] >= 2.0**22).sum() >= 5


@pytest.mark.parametrize("output", ["dX", "dW", "db"])
def test_a_mistake_in_one_output_is_seen_there_alone(layer: Implementation, output: str) -> None:
    place = ("loss", "dX", "dW", "db").index(output)

    def wrong(*arguments: Any, **keywords: Any) -> Any:
        found = list(layer.function(*arguments, **keywords))
        found[place] = found[place] * found[place].dtype.type(1.01)
        return tuple(found)

    curve = layer_curve_of(replace(layer, name="wrong", function=wrong), AXIS["spread"], "float32")
    assert [part for part in curve.parts if worst_over_bound(curve, part) > 1] == [output]


def test_what_raises_has_no_finite_error(layer: Implementation) -> None:
    def raising(*arguments: Any, **keywords: Any) -> Any:
        raise ValueError("no")

    curve = layer_curve_of(replace(layer, name="raising", function=raising), AXIS["rows"], "float32")
    assert {error for part in curve.parts.values() for error in part.errors} == {np.inf}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_differences_of_the_loss_of_sound_code_are_within_the_bound(layer: Implementation, dtype: str) -> None:
    curve = layer_difference_curve_of(layer, dtype)
    assert curve is not None
    errors, bounds = np.array(curve.errors), np.array(curve.bounds)
    assert (errors <= bounds).all()
    lowest = int(np.argmin(bounds))
    assert bounds[lowest] < bounds[0] / 10
    assert bounds[lowest] < bounds[-1] / 10


def test_differences_of_a_loss_that_is_off_are_not(layer: Implementation) -> None:
    def wrong(*arguments: Any, **keywords: Any) -> Any:
        loss, *gradients = layer.function(*arguments, **keywords)
        return loss * loss.dtype.type(1.01), *gradients

    curve = layer_difference_curve_of(replace(layer, name="wrong", function=wrong), "float64")
    assert curve is not None
    assert (np.array(curve.errors) > curve.bounds).any()


PAIR = ("bias_gradient_not_averaged", "one_hot_times_log")


def made_of(names: tuple[str, ...], ways: tuple[int, ...]) -> Implementation:
    """A layer with these defects, each in one of the ways of writing it."""
    known = layer_specimens()
    written = [(known[name], *known[name].written_otherwise())[way] for name, way in zip(names, ways, strict=True)]
    stages = {name: stage for one in written for name, stage in one.stages.items()}
    return replace(
        load_in_scope("layer:layer", {})[0], name="wrong", function=replace(written[0], stages=stages).function
    )


@pytest.mark.parametrize("ways", [(0, 0), (0, 1)])
def test_what_the_defects_of_a_layer_predict_lies_on_what_it_answers(ways: tuple[int, ...]) -> None:
    wrong = made_of(PAIR, ways)
    defects = way_of_writing(wrong, PAIR, AXES[:2], "float32")
    for axis in AXES[:2]:
        curve = layer_curve_of(wrong, axis, "float32", defects)
        for part in curve.parts.values():
            assert part.predicted == part.errors
    of_one = layer_curve_of(made_of(PAIR[1:], ways[1:]), AXES[1], "float32")
    assert curve.parts["db"].predicted != of_one.parts["db"].errors


def test_without_defects_nothing_is_predicted(layer: Implementation) -> None:
    assert layer_curve_of(layer, AXIS["rows"], "float32").parts["db"].predicted == ()


@pytest.mark.parametrize("names", [(), ("gradient_not_divided",), ("features_overwritten",)])
def test_what_has_no_model_of_layers_predicts_nothing(layer: Implementation, names: tuple[str, ...]) -> None:
    assert way_of_writing(layer, names, AXES[:1], "float32") == ()
