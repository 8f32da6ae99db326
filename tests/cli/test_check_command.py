"""`gradlab check`: exit statuses, what is written where, and that nothing an implementation does upsets it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gradlab.cases.cases import read_case
from gradlab.report.json import schema
from tests.runs import every

DEFECTIVE = {
    "raises": "def loss(logits, labels):\n    raise RuntimeError('not\\ntoday \\ud800')\n",
    "exits": "def loss(logits, labels):\n    raise SystemExit(7)\n",
    "returns_nothing": "def loss(logits, labels): ...\n",
    "returns_one_value": "def loss(logits, labels):\n    return 1.0\n",
    "returns_text": "def loss(logits, labels):\n    return 'loss', 'gradient'\n",
    "returns_objects": "def loss(logits, labels):\n    return object(), [object()]\n",
    "returns_the_wrong_shape": "def loss(logits, labels):\n    return logits, logits.sum()\n",
    "returns_nan": "def loss(logits, labels):\n    return logits.sum() * float('nan'), logits * float('nan')\n",
    "returns_integers": "def loss(logits, labels):\n    return 0, 0 * (logits == 0).astype(int)\n",
    "returns_complex_numbers": "def loss(logits, labels):\n    return 0j, logits * 1j\n",
    "recurses": "def loss(logits, labels):\n    return loss(logits, labels)\n",
    "prints": "def loss(logits, labels):\n    print('x' * 100_000)\n    return 0.0, logits\n",
    "warns": "import warnings\ndef loss(logits, labels):\n    warnings.warn('careful')\n    return 0.0, logits\n",
}

pytestmark = pytest.mark.usefixtures("files")


def document() -> Any:
    return json.loads(Path("report.json").read_text())


def test_status_0_where_the_level_is_met(gradlab: Any) -> None:
    ran = gradlab("check", "good.py:loss")
    assert (ran.status, ran.err) == (0, "")


def test_status_1_where_it_is_not(gradlab: Any) -> None:
    assert gradlab("check", "bad.py:loss").status == 1


def test_status_1_where_one_of_several_is_not(gradlab: Any) -> None:
    assert gradlab("check", "good.py:loss", "bad.py:loss").status == 1


def test_status_4_where_nothing_was_checked(gradlab: Any) -> None:
    Path("narrow.py").write_text(Path("good.py").read_text() + "CLAIMS = {'dtypes': 'float32'}\n")
    ran = gradlab("check", "narrow.py:loss", "--dtype", "float64")
    assert ran.status == 4
    assert "not checked loss: it claims float32, not float64" in ran.out


def test_status_0_where_only_one_of_two_could_be_checked(gradlab: Any) -> None:
    Path("narrow.py").write_text(Path("good.py").read_text() + "CLAIMS = {'dtypes': 'float32'}\n")
    ran = gradlab("check", "narrow.py:loss", "good.py:loss", "--dtype", "float64", "--json", "report.json")
    assert ran.status == 0
    assert [one["target"] for one in document()["implementations"]] == ["good.py:loss"]
    assert document()["not_checked"] == [
        {"name": "narrow.py:loss", "target": "narrow.py:loss", "reason": "it claims float32, not float64"}
    ]


def test_the_first_line_says_what_repeats_the_run(gradlab: Any) -> None:
    first = gradlab("check", "good.py:loss", "--profile", "quick", "--seed", "5").out.splitlines()[0]
    assert first == f"gradlab {version('gradlab-verify')} · profile quick · seed 5"


def test_the_level_decides(gradlab: Any) -> None:
    ran = gradlab("check", "good.py:loss", "--level", "accurate")
    assert ran.status == 1
    assert "FAIL" in ran.out


def test_a_claimed_level_is_asked_for(gradlab: Any) -> None:
    Path("proud.py").write_text(Path("good.py").read_text() + "CLAIMS = {'level': 'accurate'}\n")
    assert gradlab("check", "proud.py:loss").status == 1
    assert gradlab("check", "proud.py:loss", "--level", "stable").status == 0


def test_what_keeps_it_from_being_accurate_is_said_in_one_line(gradlab: Any) -> None:
    out = gradlab("check", "good.py:loss", "--dtype", "float32").out
    said = [line for line in out.splitlines() if line.startswith("not accurate")]
    assert len(said) == 1
    assert re.fullmatch(
        r"not accurate \(level stable does not ask for it\): .* = .*, exactly .*, in float32, on .*", said[0]
    )


def test_only_the_dtypes_asked_for_are_checked(gradlab: Any) -> None:
    gradlab("check", "good.py:loss", "--dtype", "float32", "--dtype", "float16", "--json", "report.json")
    assert document()["implementations"][0]["dtypes"] == ["float32", "float16"]


def test_claims_can_be_made_on_the_command_line(gradlab: Any) -> None:
    summed = Path("good.py").read_text().replace("np.mean(", "np.sum(").replace("p / len(labels)", "p")
    Path("summed.py").write_text(summed)
    assert gradlab("check", "summed.py:loss", "--reduction", "sum").status == 0
    assert gradlab("check", "summed.py:loss").status == 1


def test_functions_of_one_name_are_told_apart(gradlab: Any) -> None:
    gradlab("check", "good.py:loss", "bad.py:loss", "--json", "report.json")
    assert [one["name"] for one in document()["implementations"]] == ["good.py:loss", "bad.py:loss"]


def test_a_target_given_twice_is_checked_once(gradlab: Any) -> None:
    gradlab("check", "good.py:loss", "good.py:loss", "--json", "report.json")
    assert len(document()["implementations"]) == 1


def test_a_failure_shows_the_fact_the_entry_the_bound_and_both_problems(gradlab: Any) -> None:
    out = gradlab("check", "bad.py:loss", "--dtype", "float32", "--verbose").out
    block = out[out.index("FAIL gradient_within_forward_error  loss  float32") :].splitlines()
    assert re.search(r" = nan, must be \S+ ± \S+ within \S+ ", block[1])
    assert "(bound: forward error of the shifted algorithm" in block[1]
    assert re.search(r"problem \(small\): logits \[\[1000, 0\]\], labels \[1\] +gradlab replay [0-9a-f]{10}", block[2])


def test_few_failures_are_shown_unless_all_are_asked_for(gradlab: Any) -> None:
    few = gradlab("check", "bad.py:loss").out
    many = gradlab("check", "bad.py:loss", "--verbose").out
    assert few.count("FAIL ") == 1
    assert "0x" not in few.replace("fromhex", "")
    assert len(few.splitlines()) <= 28
    assert "(--verbose shows all)" in few
    assert many.count("FAIL ") > 6


def test_advice_does_not_lower_the_verdict(gradlab: Any) -> None:
    ran = gradlab("check", "good.py:loss")
    assert ran.status == 0
    assert "advice refuses_bad_labels" in ran.out


def test_the_table_has_the_verdicts_and_the_reason(gradlab: Any) -> None:
    lines = gradlab("check", "good.py:loss", "bad.py:loss").out.splitlines()
    heading = next(i for i, line in enumerate(lines) if line.startswith("implementation"))
    assert lines[heading].split() == [
        "implementation", "float32", "float64", "verdict", "met", "problems", "seconds", "reason",
    ]  # fmt: skip
    assert lines[heading + 1].split()[:6] == ["good.py:loss", "stable", "stable", "stable", "yes", "10"]
    assert lines[heading + 2].split()[:6] == ["bad.py:loss", "unstable", "unstable", "unstable", "no", "10"]


def test_output_that_is_no_terminal_has_no_colour(gradlab: Any) -> None:
    assert "\x1b" not in gradlab("check", "bad.py:loss").out


def test_no_case_is_kept_for_what_passes(gradlab: Any) -> None:
    Path("exact.py").write_text("def loss(logits, labels):\n    import gradlab.implementations.widened as w\n"
                                "    return w.widened(logits, labels)\n")  # fmt: skip
    assert gradlab("check", "exact.py:loss", "--dtype", "float32", "--level", "accurate").status == 0
    assert not Path(".gradlab").exists()


def test_every_case_named_is_kept(gradlab: Any) -> None:
    out = gradlab("check", "bad.py:loss", "--cases", "kept").out
    named = set(re.findall(r"gradlab replay ([0-9a-f]{10})", out))
    assert named
    assert named <= {path.stem for path in Path("kept").iterdir()}
    assert read_case(Path("kept") / f"{named.pop()}.json").target == "bad.py:loss"


def test_a_second_run_piles_up_nothing(gradlab: Any) -> None:
    gradlab("check", "bad.py:loss")
    before = {path: path.read_bytes() for path in Path(".gradlab/cases").iterdir()}
    gradlab("check", "bad.py:loss")
    assert {path: path.read_bytes() for path in Path(".gradlab/cases").iterdir()} == before


def test_the_json_fits_its_schema_and_repeats(gradlab: Any) -> None:
    Path("raises.py").write_text(DEFECTIVE["raises"])
    texts = []
    for _ in range(2):
        gradlab("check", "good.py:loss", "bad.py:loss", "raises.py:loss", "--json", "report.json")
        jsonschema.Draft202012Validator(schema()).validate(document())
        texts.append(json.dumps({**document(), "timing": None}))
    assert texts[0] == texts[1]


def test_the_json_goes_to_a_device_too(gradlab: Any) -> None:
    assert gradlab("check", "good.py:loss", "--json", "/dev/null").status == 0


@pytest.mark.parametrize("name", every(3, DEFECTIVE, DEFECTIVE))
def test_a_defect_is_a_verdict_and_no_traceback(gradlab: Any, name: str) -> None:
    Path(f"{name}.py").write_text(DEFECTIVE[name])
    ran = gradlab("check", f"{name}.py:loss", "--dtype", "float32", "--json", "report.json")
    assert (ran.status, ran.err) == (1, "")
    assert "Traceback" not in ran.out
    assert max(map(len, ran.out.splitlines())) < 2000
    assert document()["implementations"][0]["verdict"] == "wrong"


def test_what_ships_gets_the_verdicts_that_it_states(gradlab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradlab.harness.run._explained", lambda found, *rest: found)
    ran = gradlab("check", "--shipped", "--profile", "quick", "--dtype", "float32", "--json", "report.json")
    rows = [line for line in ran.out.splitlines() if "yes: " in line or "NO: " in line]
    assert len(rows) == len(document()["implementations"]) >= 12
    assert "yes: at least stable" in ran.out
    assert "yes: unstable" in ran.out


def test_a_verdict_that_is_not_as_stated_is_status_1(gradlab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from gradlab.targets import shipped as module

    wrong = {"shifted": replace(module.shipped_targets()["shifted"], stated="wrong")}
    monkeypatch.setattr(module, "shipped_targets", lambda: wrong)
    ran = gradlab("check", "--shipped")
    assert ran.status == 1
    assert "NO: wrong" in ran.out


def test_a_verdict_for_another_reason_than_the_stated_one_is_status_1(
    gradlab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gradlab.targets import shipped as module

    one = replace(module.shipped_targets()["textbook"], because=("keeps_the_dtype", "gradient_within_forward_error"))
    monkeypatch.setattr(module, "shipped_targets", lambda: {"textbook": one})
    ran = gradlab("check", "--shipped")
    assert ran.status == 1
    assert "NO: keeps_the_dtype did not fail" in ran.out


@pytest.mark.parametrize("told", [(), ("--verbose",)], ids=["table", "verbose"])
def test_nothing_that_ships_claims_float16_so_nothing_was_checked(gradlab: Any, told: tuple[str, ...]) -> None:
    assert gradlab("check", "--shipped", "--dtype", "float16", *told).status == 4
