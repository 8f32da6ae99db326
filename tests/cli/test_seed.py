"""`--seed random` draws a seed and prints it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradlab.cli import status_of
from gradlab.cli.seed import Seed
from gradlab.harness.seeds import SEEDS


def test_random_seeds_differ_and_are_numbers() -> None:
    drawn = {Seed().convert("random", None, None) for _ in range(20)}
    assert len(drawn) == 20
    assert all(0 <= one < SEEDS for one in drawn)


def test_a_random_seed_is_printed_and_repeats_the_run(
    in_an_empty_folder: None, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["check", "shifted", "--profile", "smoke", "--dtype", "float32", "--in-process", "--json"]
    assert status_of([*command, "first.json", "--seed", "random"]) == 0
    found = re.search(r"seed (\d+)", capsys.readouterr().out)
    assert found is not None
    assert status_of([*command, "second.json", "--seed", found[1]]) == 0
    texts = [
        re.sub(r'"(seconds|timing)": [^,}]*', "", Path(f"{name}.json").read_text()) for name in ("first", "second")
    ]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("seed", ["-1", "1.5", "any", "0x10"])
def test_anything_else_is_refused(seed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["check", "shifted", "--seed", seed]) == 2
    assert "must be a number from 0 on, or random" in capsys.readouterr().err
