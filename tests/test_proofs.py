"""The proofs by machine: the scripts are those of the sources, the log is of these, and each claim is proved."""

from __future__ import annotations

import ast
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from gradlab.oracle import double_double
from gradlab.oracle.fast.exponential import EXP_ERROR
from tools.proofs import arithmetic, exponentials, log, oracle
from tools.proofs.machine import ProofError, missing_tools, prove
from tools.proofs.scripts import FOLDER, script_path, script_text
from tools.proofs.sources import ELEMENTARY, constants, function_text
from tools.proofs.steps import STEPS
from tools.proofs.table import all_proofs

ROOT = Path(__file__).parents[1]

PROOFS = all_proofs()
needs_tools = pytest.mark.skipif(bool(missing_tools()), reason="needs gappa and sollya, Debian packages")


def test_the_scripts_are_what_the_sources_make() -> None:
    made = {script_path(proof): script_text(proof) for proof in PROOFS.values()}
    stored = {path: path.read_text() for path in (FOLDER / "scripts").iterdir()}
    assert stored == made, "python -m tools.proofs --write makes them again"


def test_every_template_is_used() -> None:
    assert {path.name for path in (FOLDER / "templates").iterdir()} == {proof.template for proof in PROOFS.values()}


def test_the_log_is_of_these_scripts_and_this_code() -> None:
    logged = {name: entry["digest"] for name, entry in log.read_log()["proofs"].items()}
    assert logged == {name: log.digest(proof) for name, proof in PROOFS.items()}


@pytest.mark.parametrize("name", PROOFS)
def test_the_log_proves_what_is_claimed(name: str) -> None:
    entry = log.read_log()["proofs"][name]
    assert entry["claims"] == PROOFS[name].claims
    assert log.unproved_claims(PROOFS[name], entry) == []


def test_the_log_says_what_stands_on_the_proofs_of_each_step() -> None:
    assert log.read_log()["steps"] == {name: asdict(step) for name, step in STEPS.items()}
    assert {proof.step for proof in PROOFS.values()} == {name for name, step in STEPS.items() if step.machine}


def test_what_the_double_double_exp_takes_for_its_error_is_proved() -> None:
    assert oracle.total() < EXP_ERROR


def test_what_double_double_takes_for_its_errors_is_proved() -> None:
    taken = {
        "multiply": double_double.MULTIPLY_ERROR,
        "multiply_by_double": double_double.MULTIPLY_BY_DOUBLE_ERROR,
        "add_nonnegative": double_double.ADD_ERROR,
    }
    for (
        function,
        error,
    ) in arithmetic.PAIRS.items():  # relative to upper parts, of which the pairs are (1 - u)^2 at least
        assert error * double_double.UNIT**2 < taken[function] * (1 - 2.0**-50), function


def test_a_bound_above_its_claim_is_seen_and_so_is_one_that_is_missing() -> None:
    proof = PROOFS["exp32_reduction_near"]
    assert log.unproved_claims(proof, {"bounds": {"n": 1.0}}) == ["n"]
    assert log.unproved_claims(proof, {"bounds": {}}) == ["n"]


def test_a_digest_changes_with_the_code_that_a_script_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = PROOFS["exp32_below_either"]
    before = log.digest(proof)
    monkeypatch.setattr(log, "function_text", lambda path, name: function_text(path, name).replace("r * r", "r * q"))
    assert log.digest(proof) != before


def test_constants_are_those_of_the_source() -> None:
    text = (ROOT / ELEMENTARY).read_text()
    assert float.fromhex(constants()["LOG2_64_1"]) == float(re.search(r"LOG2_64 = \(\S+, (\S+)\)", text)[1])  # type: ignore[index]


def test_the_docstring_says_the_error_of_exp_that_is_proved() -> None:
    said = re.search(
        r"off by less than ([\d.]+) ULP", ast.get_docstring(ast.parse((ROOT / ELEMENTARY).read_text())) or ""
    )
    assert said is not None
    most = max(max(precision.below, precision.above) for precision in exponentials.PRECISIONS)
    assert float(said[1]) == most
    assert all(precision.at_one / 2 + 0.5 <= most for precision in exponentials.PRECISIONS)  # subnormal, beside normal


@needs_tools
@pytest.mark.slow
@pytest.mark.parametrize("name", PROOFS)
def test_the_tools_prove_what_is_logged(name: str) -> None:
    proof = PROOFS[name]
    entry = log.entry(proof, prove(script_path(proof)))
    assert log.unproved_claims(proof, entry) == []
    assert entry["digest"] == log.read_log()["proofs"][name]["digest"]


@needs_tools
def test_what_a_tool_says_beside_the_proof_voids_it(tmp_path: Path) -> None:
    script = tmp_path / "wrong.gappa"
    script.write_text("{ x in [1,2] -> y in ? }")
    with pytest.raises(ProofError):
        prove(script)
    script.write_text("z = x * y; { x in [1,2] /\\ y in [1,2] -> z in ? } z -> x + y;")
    with pytest.raises(ProofError, match="not trivially equal"):
        prove(script)
    script.write_text("z = x * y; { x in [1,2] /\\ y in [1,2] -> z in ? }")
    assert prove(script) == {"z": 4}


@needs_tools
@pytest.mark.parametrize(
    ("name", "constant", "claim"),
    [
        ("exp32_polynomial", "Q32_3", "eta"),
        ("exp64_polynomial", "Q64_8", "eta"),
        ("exp64_constants", "LOG2_64_1", "constants_off"),
        ("exp64_reduction_far", "PER_LOG2_64", "v"),
    ],
)
def test_a_constant_that_is_a_little_off_loses_its_proof(tmp_path: Path, name: str, constant: str, claim: str) -> None:
    value = constants()[constant]
    off = (float.fromhex(value) * (1 + 2.0**-18)).hex()
    script = tmp_path / script_path(PROOFS[name]).name
    script.write_text(script_path(PROOFS[name]).read_text().replace(value, off))
    assert claim in log.unproved_claims(PROOFS[name], log.entry(PROOFS[name], prove(script)))
