"""Mistakes of a layer that no catalogue has to know are described: in which outputs, where, and what comes out."""

from __future__ import annotations

from functools import cache, partial

import pytest

from gradlab.evaluation.call import Implementation
from gradlab.harness.layer_problems import layer_may_be_asked, layer_problems_in_run
from gradlab.harness.profiles import profile_named
from gradlab.localisation.layer.finding import localise_layer
from gradlab.localisation.statements import Localisation
from tests.layer_claims import claims_of_all
from tests.localisation.layer.mistakes import MISTAKES, Layer, LayerMistake, layer_with, sound

CLAIMS = claims_of_all("float64")
EVERY_MISTAKE = pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES, scope="module")


@cache
def described(layer: Layer) -> Localisation | None:
    problems = layer_problems_in_run(CLAIMS, "float64", profile_named("quick"), 0)
    return localise_layer(Implementation("anonymous", layer, CLAIMS), problems, partial(layer_may_be_asked, CLAIMS))


@EVERY_MISTAKE
def test_a_mistake_of_a_layer_is_described(mistake: LayerMistake) -> None:
    found = described(mistake.layer)
    assert found is not None
    assert found.where == mistake.where
    assert mistake.what in found.what


@EVERY_MISTAKE
def test_what_is_said_of_a_layer_foretells_fresh_problems(mistake: LayerMistake) -> None:
    found = described(mistake.layer)
    assert found is not None
    assert found.n_fresh >= 24
    assert found.n_foretold >= 0.98 * found.n_fresh


def test_nothing_is_said_of_a_sound_layer() -> None:
    assert described(layer_with(sound)) is None
