"""What doctor measures: known arithmetic gives known answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.harness import machine
from gradlab.report import doctor


@pytest.fixture(scope="module")
def found() -> Any:
    return doctor.examination()


def test_every_function_is_measured_in_every_dtype(found: Any) -> None:
    measured = {(one["function"], one["dtype"]) for one in found["elementary"]}
    assert measured == {(f, d) for f in ("exp", "log", "log1p") for d in ("float16", "bfloat16", "float32", "float64")}


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


def test_a_processor_that_is_not_known_is_no_error(found: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "absent")
    monkeypatch.setattr(doctor, "N_ARGUMENTS", 10)
    unknown = doctor.examination()
    assert unknown["processor_flags"] == []
    assert "processor flags: unknown" in list(doctor.told(unknown))


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
    text = "\n".join(doctor.told({**found, "elementary": errors, "arithmetic": arithmetic}))
    assert text.count("TOO LARGE") == len(errors)
    assert "FLUSHED TO ZERO" in text
    assert "NOT TO NEAREST" in text
