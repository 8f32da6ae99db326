"""The families of the layer: the same for a seed, in every format, and what their names say."""

from __future__ import annotations

import numpy as np
import pytest

from gradlab.layer.families import LAYER_FAMILIES, layer_family_problems
from gradlab.layer.families.drawn import drawn_layers
from gradlab.layer.families.options import layer_option_problems
from gradlab.layer.families.placing import median_margin
from gradlab.layer.families.stress import MARGINS
from gradlab.problems.dtypes import DTYPE_NAMES, format_of
from gradlab.problems.families import Family, problems_in


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("family", LAYER_FAMILIES, ids=lambda family: family.name)
def test_a_family_of_layers_has_problems_in_every_format(family: Family, dtype: str) -> None:
    found = problems_in(family, format_of(dtype), 0)
    assert found
    assert all(one.is_judged and one.format.name == dtype and one.family == family.name for one in found)


def test_a_seed_repeats_the_families_of_the_layer() -> None:
    first, again, other = (
        [one.digest for one in layer_family_problems(format_of("float32"), "quick", seed)] for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_confident_head_has_the_median_margins_that_it_is_to_have() -> None:
    (family,) = [one for one in LAYER_FAMILIES if one.name == "confident_head"]
    margins = [median_margin(one) for one in problems_in(family, format_of("float64"), 0)]
    assert np.allclose(margins, MARGINS, rtol=0.05)


def test_fewer_drawn_layers_are_the_first_of_more() -> None:
    few, more = ([one.digest for one in drawn_layers(format_of("float32"), count, 3)] for count in (3, 8))
    assert more[:3] == few


@pytest.mark.parametrize("family", [one for one in LAYER_FAMILIES if not one.stress], ids=lambda family: family.name)
def test_a_family_that_is_no_stress_is_moderate(family: Family) -> None:
    assert all(one.is_moderate for one in problems_in(family, format_of("float64"), 0))


@pytest.mark.parametrize("name", ["ignore_index", "label_smoothing", "class_weights", "sample_weights"])
def test_each_option_meets_more_rows_and_more_classes_than_a_chunk_has(name: str) -> None:
    found = [one for one in layer_option_problems(format_of("float32"), 0, "mean") if name in one.objective.options]
    assert max(one.n_rows for one in found) > 128
    assert max(one.n_classes for one in found) > 128


def test_a_penalty_meets_more_rows_features_and_classes_than_a_chunk_has() -> None:
    (family,) = [one for one in LAYER_FAMILIES if one.name == "penalised"]
    found = problems_in(family, format_of("float32"), 0)
    assert all(one.penalty.is_on for one in found)
    extents = [(one.n_rows, one.n_features, one.n_classes) for one in found]
    assert all(max(sizes) > 128 for sizes in zip(*extents, strict=True))
