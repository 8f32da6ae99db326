"""`gradlab atlas`: on shipped targets, with frameworks missing, and interrupted."""

from __future__ import annotations

import importlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from gradlab.campaigns import runner
from gradlab.campaigns.atlas import run
from gradlab.cli.atlas import DEFAULT
from tests.cli.few_problems import broken, work_in_worker

FEW = ("--family", "margins", "--climb", "0")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def few_problems_in_workers(few_problems: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has workers try a handful of problems too, and finds what they do by its name in tests/."""
    monkeypatch.setattr(runner, "work_in_worker", work_in_worker)
    monkeypatch.syspath_prepend(str(ROOT))


def test_the_page_goes_to_stdout(gradlab: Any) -> None:
    ran = gradlab("atlas", "shifted", *FEW)
    assert ran.status == 0
    assert ran.out.startswith("<!-- Written by `gradlab atlas shifted --family margins --climb 0`; not to be edited")
    assert "shifted float32: " in ran.err


def test_the_page_and_the_document_are_written(gradlab: Any) -> None:
    ran = gradlab("atlas", "shifted", *FEW, "--in-process", "--markdown", "a.md", "--json", "a.json")
    assert (ran.status, ran.out) == (0, "")
    document = json.loads(Path("a.json").read_text())
    assert [chart["dtype"] for chart in document["targets"][0]["charts"]] == ["float32", "float64"]
    assert f"`{document['command']}`" in Path("a.md").read_text()


def test_the_same_command_writes_the_same_again(gradlab: Any) -> None:
    found = []
    for _ in range(2):
        gradlab("atlas", "shifted", *FEW, "--in-process", "--json", "a.json")
        found.append(Path("a.json").read_text())
    assert found[0] == found[1]


def test_a_target_whose_framework_is_missing_is_left_out(gradlab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else real(name))
    ran = gradlab("atlas", "torch:cross_entropy", "shifted", *FEW, "--in-process")
    reason = "torch:cross_entropy needs torch, which the extra brings: gradlab-verify[torch]"
    assert ran.status == 0
    assert f"left out: {reason}\n" in ran.err
    assert f"\nLeft out: {reason}.\n" in ran.out
    assert gradlab("atlas", "torch:cross_entropy", *FEW, "--in-process").status == 4


@pytest.mark.more
def test_a_target_that_always_ends_its_process_is_left_out(gradlab: Any) -> None:
    Path("ending.py").write_text(
        "import os\ndef loss(logits, labels): os._exit(3)\nloss.__gradlab_claims__ = {'dtypes': ['float32']}\n"
    )
    ran = gradlab("atlas", "ending.py:loss", "shifted", *FEW, "--json", "a.json")
    assert ran.status == 0
    reason = "ending.py:loss: no call has returned, and the last of 5 ended its process with exit status 3"
    assert f"left out: {reason}\n" in ran.err
    document = json.loads(Path("a.json").read_text())
    assert [(one["target"], one["reason"]) for one in document["missing"]] == [("ending.py:loss", reason)]
    assert [one["target"] for one in document["targets"]] == ["shifted"]


def test_what_a_target_changes_of_gradlab_in_its_process_changes_nothing_of_what_is_measured(gradlab: Any) -> None:
    Path("mine.py").write_text(
        "from gradlab.implementations.shifted import shifted\n"
        "loss = lambda logits, labels: shifted(logits, labels)\n"
        "loss.__gradlab_claims__ = {'dtypes': ['float32']}\n"
        "import importlib\n"
        "def broken(*arguments, **keywords): raise ZeroDivisionError('in the worker')\n"
        "importlib.import_module('gradlab.campaigns.atlas.run').entry_of = broken\n"
    )
    ran = gradlab("atlas", "shifted", "mine.py:loss", *FEW, "--json", "a.json", "--jobs", "2")
    assert ran.status == 0
    document = json.loads(Path("a.json").read_text())
    assert [one["target"] for one in document["targets"]] == ["shifted", "mine.py:loss"]
    assert document["missing"] == []


def test_an_error_of_gradlabs_own_leaves_the_target_out(gradlab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "work_in_worker", broken)
    ran = gradlab("atlas", "shifted", *FEW)
    assert ran.status == 4
    assert "left out: shifted: ZeroDivisionError: in the worker\n" in ran.err


@pytest.mark.usefixtures("ending_on_bad_labels")
@pytest.mark.more
def test_one_that_ends_its_process_on_bad_labels_is_measured(gradlab: Any) -> None:
    ran = gradlab("atlas", "mine.py:loss", *FEW, "--json", "a.json")
    assert ran.status == 0
    (target,) = json.loads(Path("a.json").read_text())["targets"]
    profiles = [chart["conformance"] for chart in target["charts"]]
    assert [one["label_k"]["seen"] for one in profiles] == ["the call ended its process with exit status 3"] * 2
    assert [chart["verdict"] for chart in target["charts"]] == ["stable", "stable"]


def test_what_was_measured_before_an_interrupt_is_kept(gradlab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = run.add

    def interrupted(name: str, *rest: Any) -> None:
        if name == "complement":
            raise KeyboardInterrupt
        real(name, *rest)

    monkeypatch.setattr(run, "add", interrupted)
    assert gradlab("atlas", "shifted", "complement", *FEW, "--json", "a.json").status == 130
    assert [one["target"] for one in json.loads(Path("a.json").read_text())["targets"]] == ["shifted"]


@pytest.mark.more
def test_in_process_it_measures_the_same_errors(gradlab: Any) -> None:
    found = []
    certificates = str(ROOT / "docs/exhaustive")
    for how in ((), ("--in-process",)):
        gradlab("atlas", "shifted", *FEW, *how, "--certificates", certificates, "--json", "a.json")
        (target,) = json.loads(Path("a.json").read_text())["targets"]
        charts = [(chart["families"], chart["vanishes"], chart["conformance"]) for chart in target["charts"]]
        found.append((charts, target["exhaustive"]))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nothing"], "nothing is no file"),
        (["shifted", "--family", "nothing"], "a family must be one of smallest, "),
        (["shifted", "--json", "no/a.json"], "there is no folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(gradlab: Any, arguments: list[str], reason: str) -> None:
    ran = gradlab("atlas", *arguments)
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert reason in ran.err


@pytest.mark.parametrize("target", DEFAULT)
def test_every_default_target_loads_where_its_packages_are(target: str) -> None:
    from gradlab.targets.importing import MissingError
    from gradlab.targets.load import load

    try:
        assert load(target, {})[0].target == target
    except MissingError as error:
        pytest.skip(str(error))


def test_an_atlas_is_taken_up_again_where_it_stopped(gradlab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ("atlas", "shifted", "complement", *FEW, "--in-process", "--json", "a.json")
    gradlab(*given)
    whole = json.loads(Path("a.json").read_text())
    Path("a.json").write_text(json.dumps({**whole, "targets": whole["targets"][:1]}))
    done: list[str] = []
    real = run.add

    def noted(name: str, *rest: Any) -> None:
        done.append(name)
        real(name, *rest)

    monkeypatch.setattr(run, "add", noted)
    ran = gradlab(*given, "--resume")
    assert done == ["complement"]
    assert "measured before: shifted\n" in ran.err
    assert json.loads(Path("a.json").read_text()) == whole


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"command": "gradlab atlas other"}, "a.json: command must be 'gradlab atlas shifted"),
        ({"versions": {"numpy": "1.0"}}, "a.json: versions must be {"),
        ({"schema": "something"}, "a.json: schema must be 'gradlab-atlas'"),
    ],
)
def test_another_atlas_is_not_gone_on_with(gradlab: Any, changes: dict[str, Any], said: str) -> None:
    given = ("atlas", "shifted", *FEW, "--in-process", "--json", "a.json")
    gradlab(*given)
    Path("a.json").write_text(json.dumps({**json.loads(Path("a.json").read_text()), **changes}))
    ran = gradlab(*given, "--resume")
    assert (ran.status, said in ran.err) == (2, True)


@pytest.mark.more
def test_a_target_whose_time_is_up_is_left_out_and_the_others_go_on(gradlab: Any) -> None:
    Path("slow.py").write_text(
        "import time\n"
        "from gradlab.implementations.shifted import shifted\n"
        "def loss(logits, labels):\n    time.sleep(2)\n    return shifted(logits, labels)\n"
        "loss.__gradlab_claims__ = {'dtypes': ['float32']}\n"
    )
    given = ("--minutes", "0.25", "--call-seconds", "3", "--json", "a.json")  # shifted takes 2 s
    ran = gradlab("atlas", "slow.py:loss", "shifted", *FEW, *given)
    assert ran.status == 0
    assert "left out: slow.py:loss: its time was up (`--minutes`)\n" in ran.err
    document = json.loads(Path("a.json").read_text())
    assert "--minutes 0.25" in document["command"]
    assert [one["target"] for one in document["targets"]] == ["shifted"]


@pytest.mark.parametrize("options", [("--resume",), ("--minutes", "1", "--in-process")])
def test_options_that_do_not_go_together_are_refused(gradlab: Any, options: tuple[str, ...]) -> None:
    assert gradlab("atlas", "shifted", *FEW, *options).status == 2
