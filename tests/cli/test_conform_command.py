"""`gradlab conform`: the table, the JSON, and what does not load."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gradlab.campaigns.conformance.page import schema


def rows(out: str) -> dict[str, str]:
    return {line.split()[0]: line for line in out.splitlines() if line and not line.startswith("case ")}


def test_the_rules_are_told_in_a_table(gradlab: Any) -> None:
    ran = gradlab("conform", "shifted")
    assert ran.status == 0
    assert "shifted: float32, float64" in ran.out
    found = rows(ran.out)
    assert re.fullmatch(
        r"masked_target +infinite_loss +loss \+inf, gradient p - 1 = -1 there *", found["masked_target"]
    )
    assert re.fullmatch(r"label_smoothing +not claimed +label_smoothing *", found["label_smoothing"])


def test_a_wrong_one_has_a_profile_too(gradlab: Any) -> None:
    ran = gradlab("conform", "teaching_label_vector", "--dtype", "float32")
    assert ran.status == 0
    assert "another rule" in rows(ran.out)["loss"]
    assert "silent" in rows(ran.out)["label_minus_1"]


def test_the_profiles_are_written(gradlab: Any) -> None:
    ran = gradlab("conform", "shifted", "every_option", "--json", "c.json", "--dtype", "float64")
    assert ran.status == 0
    document = json.loads(Path("c.json").read_text())
    jsonschema.validate(document, schema(), jsonschema.Draft202012Validator)
    shifted, every_option = document["implementations"]
    assert list(shifted["profiles"]) == ["float64"]
    assert shifted["profiles"]["float64"]["label_smoothing"]["not_claimed"] == ["label_smoothing"]
    assert every_option["profiles"]["float64"]["label_smoothing"]["rules"] == ["epsilon_over_k"]


def test_an_option_is_asked_once_it_is_claimed(gradlab: Any) -> None:
    Path("mine.py").write_text(
        "from gradlab.implementations.every_option import every_option\n"
        "def loss(logits, labels, label_smoothing=0.0):\n"
        "    k = logits.shape[1]\n"
        "    return every_option(logits, labels, label_smoothing=label_smoothing * k / (k - 1))\n"
    )
    assert "not claimed" in rows(gradlab("conform", "mine.py:loss").out)["label_smoothing"]
    ran = gradlab("conform", "mine.py:loss", "--option", "label_smoothing")
    assert "epsilon_over_others" in rows(ran.out)["label_smoothing"]


@pytest.mark.parametrize("how", [(), ("--in-process",)])
def test_what_is_told_is_the_same_in_this_process(gradlab: Any, how: tuple[str, ...]) -> None:
    ran = gradlab("conform", "every_option", "--dtype", "float32", *how)
    assert ran.status == 0
    assert {"per_class", "epsilon_over_k", "left_out"} <= set(ran.out.split())


@pytest.mark.usefixtures("ending_on_bad_labels")
def test_a_call_that_ends_its_process_is_told(gradlab: Any) -> None:
    ran = gradlab("conform", "mine.py:loss")
    assert ran.status == 0
    found = rows(ran.out)
    assert "another rule" in found["label_k"]
    assert "the call ended its process with exit status 3" in found["label_k"]
    assert "refused" in found["label_minus_100"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nothing"], "nothing is no file"),
        (["shifted", "--option", "ignore_index"], "so it must take the keyword ignore_index"),
        (["shifted", "--json", "no/c.json"], "there is no folder"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_line(gradlab: Any, arguments: list[str], reason: str) -> None:
    ran = gradlab("conform", *arguments)
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert reason in ran.err


def test_a_dtype_that_is_not_claimed_is_not_asked(gradlab: Any) -> None:
    ran = gradlab("conform", "shifted", "--dtype", "float16")
    assert ran.status == 4
    assert "not asked shifted: it claims float32, float64, not float16" in ran.out


def test_a_target_that_does_not_load_costs_the_others_nothing(gradlab: Any) -> None:
    Path("broken.py").write_text("raise RuntimeError('no')\n")
    ran = gradlab("conform", "broken.py:loss", "shifted", "--dtype", "float64", "--json", "c.json")
    assert ran.status == 2
    assert "broken.py does not import: RuntimeError: no" in ran.err
    assert "shifted: float64" in ran.out
    assert [one["name"] for one in json.loads(Path("c.json").read_text())["implementations"]] == ["shifted"]
