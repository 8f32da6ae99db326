"""The atlas of two implementations on few families: errors, problems that show them, behaviour, and the document."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gradlab.campaigns.atlas import atlas
from gradlab.campaigns.atlas.atlas import (
    CLIMBED,
    Behaviour,
    Measurement,
    behaviour_of,
    measured_families,
    measurement_of,
)
from gradlab.campaigns.atlas.document import (
    SCHEMA,
    SCHEMA_VERSION,
    SMALL,
    document,
    encode_behaviour,
    encode_entry,
    place_of,
    read_atlas,
    with_behaviour,
)
from gradlab.campaigns.conformance.table import CASES
from gradlab.checks.table import applicable
from gradlab.harness.selection import Question
from gradlab.measure.accuracy import PARTS, errors_on
from gradlab.problems.dtypes import format_of
from gradlab.problems.families import families_of, problems_in
from gradlab.storage.encoding import decoded_problem
from gradlab.storage.files import strict_json
from gradlab.targets.load import load

FAMILIES = ("smallest", "margins")


@cache
def seen(name: str, dtype: str) -> tuple[Measurement, Behaviour]:
    with pytest.MonkeyPatch.context() as patch:
        (one,), families = load(name, {}), measured_families(FAMILIES)
        few = problems_in(families_of("quick")[0], format_of(dtype), 0)
        asked = tuple(Question(problem, tuple(applicable(one.claims, problem))) for problem in few)
        patch.setattr(atlas, "questions_in_run", lambda *extent: asked)
        return measurement_of(one, dtype, families, 1, silent), behaviour_of(one, dtype, silent)


def silent(progress: object) -> None:
    """Nobody watches."""


@cache
def plain() -> Any:
    entries = []
    for name in ("shifted", "complement"):
        errors, behaviour = zip(*(seen(name, dtype) for dtype in ("float32", "float64")), strict=True)
        entries.append(with_behaviour(encode_entry(load(name, {})[0], errors, []), encode_behaviour(behaviour)))
    return document("gradlab atlas shifted complement", measured_families(FAMILIES), entries, [])


def test_the_families_are_those_of_the_standard_profile_with_finite_logits_and_rows() -> None:
    left_out = {one.name for one in families_of("standard")} - {one.name for one in measured_families()}
    assert left_out == {"empty_batch", "masked", "masked_target", "masked_tiles", "only_masked", "infinite", "nan"}


def test_a_family_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a family must be one of smallest, .*, got 'nan'"):
        measured_families(["nan"])


def test_p_minus_1_loses_every_digit_of_the_targets_entry_on_margins_alone() -> None:
    smallest, margins, climbed = seen("shifted", "float32")[0].families
    assert smallest.errors["target"].ulp < 4
    assert margins.errors["target"].ulp >= 2**23  # all of a number of 24 bits
    assert climbed.errors["target"].ulp >= 2**23


def test_the_verdict_is_that_of_the_problems_tried() -> None:
    for one in seen("shifted", "float64"):
        assert one.judged.verdict == "accurate"  # the smallest problems alone
        assert one.judged.costs == ()


def test_the_verdict_of_an_entry_is_the_lower_of_both() -> None:
    entry = {"charts": [{"dtype": "float32", "verdict": "stable", "costs": [[[2, True, 0], "a"], [[2, True, 4], "c"]]}]}
    behaviour = {"float32": {"verdict": "wrong", "costs": [[[0, True, 5], "b"]], "conformance": {}}}
    (chart,) = with_behaviour(entry, behaviour)["charts"]
    assert (chart["verdict"], chart["failed"]) == ("wrong", ["b", "a", "c"])


@pytest.mark.parametrize("part", PARTS)
def test_the_worst_problem_can_be_made_again(part: str) -> None:
    for entry, name in zip(plain()["targets"], ("shifted", "complement"), strict=True):
        (implementation,) = load(name, {})
        for one in entry["charts"][0]["families"]:
            worst = one["parts"][part]
            if one["family"] == CLIMBED:
                problem = decoded_problem(worst["problem"])
            else:
                (family,) = measured_families([one["family"]])
                problem = problems_in(family, format_of("float32"), worst["seed"])[worst["index"]]
            assert problem.digest == worst["digest"]
            assert errors_on(implementation, problem)[part].max() == worst["ulp"]


def test_small_problems_are_written_out() -> None:
    families = plain()["targets"][0]["charts"][0]["families"]
    parts = [part for one in families if one["family"] != CLIMBED for part in one["parts"].values()]
    small = [part for part in parts if part["shape"][0] * part["shape"][1] <= SMALL]
    assert small
    assert all(decoded_problem(part["problem"]).digest == part["digest"] for part in small)
    assert all(part["problem"] is None for part in parts if part not in small)


def test_larger_ones_stand_among_the_inputs_and_show_the_error_that_is_told() -> None:
    found, (implementation,) = plain(), load("shifted", {})
    (chart,) = [one for one in found["targets"][0]["charts"] if one["dtype"] == "float32"]
    (margins,) = [one for one in chart["families"] if one["family"] == "margins"]
    problem = decoded_problem(found["inputs"][place_of("float32", "margins", margins["parts"]["target"])])
    assert problem.logits.size > SMALL
    assert errors_on(implementation, problem)["target"].max() == margins["parts"]["target"]["ulp"]


def test_a_chart_has_the_profile_of_its_dtype() -> None:
    found = seen("shifted", "float64")[1].profile
    assert list(found) == list(CASES)
    assert found["label_k"].name == "refused"


def test_the_document_has_what_its_schema_says(tmp_path: Path) -> None:
    (tmp_path / "atlas.json").write_text(strict_json(plain()))
    found = read_atlas(tmp_path / "atlas.json")
    assert (found["schema"], found["version"]) == (SCHEMA, SCHEMA_VERSION)
    assert {
        "command",
        "profile",
        "seeds",
        "machine",
        "versions",
        "families",
        "cases",
        "missing",
        "inputs",
    } <= found.keys()
    for entry in found["targets"]:
        assert entry.keys() == {"target", "reduction", "charts", "exhaustive"}
        for one in entry["charts"]:
            assert one.keys() == {"dtype", "label", "verdict", "failed", "families", "vanishes", "conformance"}
            assert one["label"] == "searched"
            assert [family["family"] for family in one["families"]] == list(found["families"])


@pytest.mark.parametrize("text", ["[]", '{"schema": "gradlab-case-1"}', '{"schema": "gradlab-atlas", "version": 3}'])
def test_what_is_no_atlas_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(ValueError, match="schema and version must be 'gradlab-atlas' and 4, got "):
        read_atlas(tmp_path / "other.json")
