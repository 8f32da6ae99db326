"""What doctor measures: known arithmetic gives known answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.measure import doctor, machine
from gradlab.measure.function_errors import known_errors, plain, this_build
from gradlab.oracle.elementary import ELEMENTARY, Elementary
from gradlab.oracle.intervals import Array


@pytest.fixture(scope="module")
def found() -> Any:
    return doctor.examination()


def test_every_function_is_measured_in_every_dtype(found: Any) -> None:
    measured = {(one["function"], one["dtype"]) for one in found["elementary"]}
    assert measured == {(f.name, d) for f in ELEMENTARY for d in ("float16", "bfloat16", "float32", "float64")}


def test_no_function_is_better_than_correct_rounding(found: Any) -> None:
    assert all(0.49 < one["ulp"] for one in found["elementary"])


def test_versions_are_those_installed(found: Any) -> None:
    assert found["versions"]["numpy"] == np.__version__
    assert found["versions"]["gradlab-verify"]


def test_python_rounds_to_nearest_and_keeps_subnormals(found: Any) -> None:
    assert found["arithmetic"]["float64"] == {"keeps_subnormals": 5e-324 > 0, "rounds_to_nearest": 1 + 2**-53 == 1}


def test_findings_are_strict_json(found: Any) -> None:
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_sound_is_what_the_parts_say(found: Any) -> None:
    parts = [value for one in found["arithmetic"].values() for value in one.values()]
    assert found["sound"] == all(parts + [one["within_beta"] for one in found["elementary"]])
    assert found["sound_for_accurate"] == all(parts + [one["within_accurate"] for one in found["elementary"]])


def test_this_machine_is_what_the_bounds_stand_on(found: Any) -> None:
    assert found["sound"]
    assert found["sound_for_accurate"]


def changed(function: str, numpy: Callable[[Array], Any]) -> tuple[Elementary, ...]:
    """The functions, one of which is computed in another way."""
    return tuple(replace(one, numpy=numpy) if one.name == function else one for one in ELEMENTARY)


def found_of(found: Any, function: str, dtype: str) -> Any:
    (one,) = (one for one in found["elementary"] if (one["function"], one["dtype"]) == (function, dtype))
    return one


@pytest.fixture
def few_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten drawn arguments, and one neighbour on either side of those that are known."""
    monkeypatch.setattr(doctor, "N_ARGUMENTS", 10)
    monkeypatch.setattr(doctor, "NEIGHBOURS", 1)


KNOWN = [one for of_build in known_errors().values() for one in of_build.values()]


@pytest.mark.usefixtures("few_arguments")
@pytest.mark.parametrize("places", [-1, 0, 1])
def test_an_exp_that_is_off_beside_one_argument_known_to_be_hard_is_found(
    places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    worst = max((one for one in KNOWN if (one.function, one.dtype) == ("exp", "float32")), key=lambda one: one.ulp)
    place = (np.array([worst.argument], dtype=np.float32).view(np.int32) + np.int32(places)).view(np.float32)
    off = changed("exp", lambda x: np.where(x == place, np.exp(x) * x.dtype.type(1 + 2.0**-20), np.exp(x)))
    monkeypatch.setattr(doctor, "ELEMENTARY", off)
    found = doctor.examination()
    assert not found["sound"]
    assert found_of(found, "exp", "float32")["argument"] == float(place[0]).hex()
    assert "\n".join(doctor.doctor_lines(found)).count(" TOO LARGE") == 1


@pytest.mark.usefixtures("few_arguments")
def test_an_exp_that_level_stable_allows_may_be_too_bad_for_level_accurate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ELEMENTARY", changed("exp", lambda x: np.exp(x) * x.dtype.type(1 + 2.0**-52)))
    found = doctor.examination()
    one = found_of(found, "exp", "float64")
    assert (one["within_beta"], one["within_accurate"]) == (True, False)
    assert (found["sound"], found["sound_for_accurate"]) == (True, False)
    assert "\n".join(doctor.doctor_lines(found)).count(" TOO LARGE FOR LEVEL ACCURATE") == 1


@pytest.mark.usefixtures("few_arguments")
def test_an_answer_that_is_no_number_is_strict_json_and_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ELEMENTARY", changed("log1p", lambda x: np.full_like(x, np.nan)))
    found = doctor.examination()
    assert not found["sound"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert "float64 inf TOO LARGE" in "\n".join(doctor.doctor_lines(found))


def test_the_largest_errors_known_are_measured(found: Any) -> None:
    of_this_build = known_errors().get(this_build(), {})
    for (function, dtype), known in of_this_build.items():
        assert found_of(found, function, dtype)["ulp"] >= known.ulp
    assert found["known_of_this_build"] == plain(of_this_build.values())


def test_a_build_that_is_not_known_is_said_to_be_so(found: Any) -> None:
    text = "\n".join(doctor.doctor_lines({**found, "known_of_this_build": []}))
    assert "this build is not among those measured at all float32 arguments" in text


def silently(done: int, total: int) -> None:
    """Nobody looks."""


@pytest.mark.usefixtures("few_arguments")
def test_a_walk_counts_like_the_rest() -> None:
    off = replace(ELEMENTARY[0], numpy=lambda x: np.exp(x) * (1 + 2.0**-20) if x.dtype == np.float32 else np.exp(x))
    walks = [doctor.sweep_error(one, range(0x40000000, 0x40000100), 1, silently) for one in (off, ELEMENTARY[0])]
    assert [one["within_beta"] for one in walks] == [False, True]
    assert [one["n_arguments"] for one in walks] == [256, 256]
    assert doctor.examination(walks[1:])["sound"]
    found = doctor.examination(walks)
    assert not found["sound"]
    assert "\n".join(doctor.doctor_lines(found)).count("exp float32 at 256 arguments: at most ") == 2


def test_a_processor_that_is_not_known_is_no_error(found: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "absent")
    monkeypatch.setattr(doctor, "N_ARGUMENTS", 10)
    unknown = doctor.examination()
    assert unknown["processor_flags"] == []
    assert "processor flags: unknown" in list(doctor.doctor_lines(unknown))


@pytest.mark.parametrize("field", ["flags", "Features"])
def test_processor_flags_are_those_of_the_first_processor(
    field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(f"model name\t: One\n{field}\t\t: fpu avx\n\n{field}\t\t: none\n")
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(doctor, "N_ARGUMENTS", 10)
    found = doctor.examination()
    assert found["processor_flags"] == ["fpu", "avx"]
    assert found["platform"]["processor"] == "One"


def test_what_is_too_large_is_said_loudly(found: Any) -> None:
    errors = [{**one, "within_beta": False} for one in found["elementary"]]
    arithmetic = {name: dict.fromkeys(one, False) for name, one in found["arithmetic"].items()}
    text = "\n".join(doctor.doctor_lines({**found, "elementary": errors, "arithmetic": arithmetic}))
    assert text.count("TOO LARGE") == len(errors)
    assert "FLUSHED TO ZERO" in text
    assert "NOT TO NEAREST" in text
