"""Several targets judged side by side, each from a worker: what recognises gradlab finds as little of it as alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from gradlab.campaigns.attacks.attack import FOLDER, HELPERS, attacks
from gradlab.cli import status_of

RECOGNISING = ("folder_recognised", "environment_recognised", "arguments_recognised", "parent_recognised")


# Its name is in the environment of what it runs.
def test_what_recognises_its_judge_is_judged_as_it_deserves(in_an_empty_folder: None) -> None:
    known = attacks()
    for path in (*(known[name].path for name in RECOGNISING), *FOLDER.glob(HELPERS)):
        shutil.copy(path, Path())
    targets = [f"{name}.py:loss" for name in RECOGNISING]
    few = ("--profile", "smoke", "--dtype", "float32", "--seed", "7", "--jobs", "2")
    assert status_of(["check", *targets, *few, "--json", "report.json"]) == 1
    found = json.loads(Path("report.json").read_text())["implementations"]
    assert [(one["target"], one["verdict"]) for one in found] == [(target, "wrong") for target in targets]
