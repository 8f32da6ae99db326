"""The sweep over every margin: its truth, what it finds, how it goes on, and what its certificates are worth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.campaigns.exhaustive import evaluation, pieces, sweep
from gradlab.campaigns.exhaustive.certificate import Certificate, CertificateError
from gradlab.campaigns.exhaustive.evaluation import (
    CHUNK,
    FaultError,
    SweepTarget,
    one_by_one,
    sweep_chunk,
    sweep_target,
)
from gradlab.campaigns.exhaustive.file import encode, read_certificate
from gradlab.campaigns.exhaustive.pieces import pieces_of
from gradlab.campaigns.exhaustive.sweep import ALL, Keep, complete, fresh, resume, sweep_targets
from gradlab.campaigns.exhaustive.tally import QUANTITIES, Quantity, merge_all, nothing_yet, sizes_of
from gradlab.campaigns.exhaustive.truth import END, TRUTH_ERROR, margins_of, truth_of
from gradlab.campaigns.exhaustive.verify import changes, verify_errors
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.oracle.enclosure import enclose_by_double_double
from gradlab.oracle.ulp import ulp_exponent
from gradlab.problems.dtypes import format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.storage.files import strict_json
from gradlab.targets.load import load

FLOAT32 = format_of("float32")
RUNS = (0, 0x26000000, 0x30000000, 0x3E800000, 0x3F317000, 0x41000000, 0x42000000 - 250, 0x42800000 - 250, 0x42AE0000)
Function = Callable[..., Any]


def widened(logits: Any, labels: Any, reduction: str = "none") -> Any:
    """Each row's loss and gradient of two classes, float64 rounded once."""
    x = logits.astype(np.float64)
    behind = np.where(labels == 0, x[:, 1] - x[:, 0], x[:, 0] - x[:, 1])
    p = np.exp(np.minimum(behind, 0)) / (1 + np.exp(-np.abs(behind)))
    losses = np.maximum(behind, 0) + np.log1p(np.exp(-np.abs(behind)))
    gradient = np.where(labels[:, None] == np.arange(2), -p[:, None], p[:, None])
    if reduction == "mean":
        return losses.mean().astype(np.float32), (gradient / len(labels)).astype(np.float32)
    return losses.astype(np.float32), gradient.astype(np.float32)


def off_at(bits: int, label: int) -> Function:
    """`widened`, 16 ULP off in the target's entry of one margin alone."""

    def defective(logits: Any, labels: Any) -> Any:
        losses, gradient = widened(logits, labels)
        hit = (np.ascontiguousarray(logits[:, 0]).view(np.uint32) == bits) & (labels == label)
        gradient[hit, label] -= 16 * np.spacing(np.abs(gradient[hit, label]))
        return losses, gradient

    return defective


def target(function: Function, reduction: str = "none") -> SweepTarget:
    return SweepTarget(Implementation("given", function, Claims(reduction=(reduction,))), reduction)


def mean_of_widened(logits: Any, labels: Any) -> Any:
    return widened(logits, labels, "mean")


@pytest.fixture(autouse=True)
def folder(in_an_empty_folder: None) -> None:
    """Nothing is left behind."""


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("first", [*RUNS, END - 500])
def test_the_truth_is_that_of_the_oracle(first: int, label: int) -> None:
    bits = range(first, first + 500)
    truth = truth_of(bits)
    logits = np.stack([margins_of(bits), np.zeros(500, dtype=np.float32)], axis=1)
    answers = enclose_by_double_double(Problem(logits, np.full(500, label), Objective("none")))
    for values, per_ulp, exact in (
        (truth.losses[label], truth.per_ulp_of_losses[label], answers.loss),
        (truth.entries[label], truth.per_ulp_of_entries[label], answers.gradient[:, 1 - label]),
    ):
        scaled = np.ldexp(values, -exact.exponent.astype(np.int32))
        assert (np.abs((scaled - exact.high) - exact.low) + exact.radius <= TRUTH_ERROR).all()
        ulp = np.ldexp(1.0, ulp_exponent(exact, FLOAT32).astype(np.int32)) * per_ulp
        assert (
            (ulp == 1) | ((ulp == 0.5) & ((label == 1) | (truth.margins == 0)))
        ).all()  # the oracle takes the smaller where it cannot tell


def test_the_margins_reach_beyond_the_last_answer_that_does_not_round_to_0() -> None:
    assert len(ALL) == 1_120_927_744
    assert float(margins_of(range(END, END + 1))[0]) == 104.0
    rounded = truth_of(range(END - 2**13, END)).entries[0].astype(np.float32)
    assert (rounded[0] > 0, rounded[-1]) == (True, 0)


@pytest.mark.parametrize("bits", [range(END - 1, END + 1), range(0)])
def test_margins_without_an_answer_are_refused(bits: range) -> None:
    with pytest.raises(ValueError, match="bits must lie in"):
        truth_of(bits)


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("bits", [0x41234567, 0x42B12345])
def test_one_wrong_margin_is_found(bits: int, label: int) -> None:
    run = range(bits - 5000, bits + 3000)
    found = sweep_chunk(target(off_at(bits, label)), run, truth_of(run))
    worst = found[Quantity(label, "target")].worst
    assert worst is not None
    assert worst.bits == bits
    assert worst.ulp > 15
    assert sum(found[Quantity(label, "target")].sizes[2:]) == 1
    others = [found[quantity].sizes[1:] for quantity in QUANTITIES if quantity != (label, "target")]
    assert not np.any(others)


@pytest.mark.parametrize("first", [*RUNS, 0x429B8000, END - 3000])
def test_a_function_that_gives_the_mean_is_seen_as_sharply(first: int) -> None:
    bits = range(first, first + 3000)
    truth = truth_of(bits)
    each, mean = sweep_chunk(target(widened), bits, truth), sweep_chunk(target(mean_of_widened, "mean"), bits, truth)
    for quantity in QUANTITIES:
        if quantity[1] in ("target", "others"):
            assert mean[quantity].sizes == each[quantity].sizes


def test_the_last_margins_of_a_mean_are_asked_one_by_one() -> None:
    bits = range(END - 2000, END)
    assert sweep_chunk(target(mean_of_widened, "mean"), bits, truth_of(bits))[Quantity(0, "loss")].count == 2000


def test_nan_is_an_infinite_error() -> None:
    def nan(logits: Any, labels: Any) -> Any:
        losses, gradient = widened(logits, labels)
        return losses * np.nan, gradient

    worst = sweep_chunk(target(nan), range(100), truth_of(range(100)))[Quantity(0, "loss")].worst
    assert worst is not None
    assert worst.ulp == np.inf


@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("answer", [(1.0, 2.0), 3.0, (np.zeros(3), np.zeros((3, 3)))])
def test_what_is_no_answer_is_a_fault(answer: Any, reduction: str) -> None:
    one = target(lambda logits, labels: answer, reduction)
    with pytest.raises(FaultError, match="given does not answer"):
        sweep_chunk(one, range(64), truth_of(range(64)))
    with pytest.raises(FaultError, match="given does not answer"):
        one_by_one(one, 0, margins_of(range(3)))


def test_what_is_raised_is_a_fault_that_names_the_margins() -> None:
    def refuse(logits: Any, labels: Any) -> Any:
        raise ArithmeticError("no")

    with pytest.raises(FaultError, match=r"bits 0x00000010 to 0x0000004f, 64 rows.*raised ArithmeticError: no"):
        sweep_chunk(target(refuse), range(16, 80), truth_of(range(16, 80)))


def test_storage_class_by_class_is_used_only_where_it_gives_the_same_bits() -> None:
    def by_storage(logits: Any, labels: Any) -> Any:
        losses, gradient = widened(logits, labels)
        return losses, gradient * np.float32(1 if logits.flags.c_contiguous else 2)

    claims = Claims(reduction=("none",))
    assert sweep_target(Implementation("same", widened, claims)).order == "F"
    assert sweep_target(Implementation("other", by_storage, claims)).order == "C"


@pytest.mark.parametrize("step", [1, 3, 2**12])
def test_the_pieces_are_all_margins(step: int) -> None:
    pieces = list(pieces_of(ALL[::step]))
    assert sum(map(len, pieces)) == len(ALL[::step])
    assert all(before.stop == after.start for before, after in pairwise(pieces))


def test_sizes_are_counted_by_powers_of_two() -> None:
    counts = sizes_of(np.array([0, 0.5, 0.6, 1, 2, 2.1, np.inf]))
    assert (counts[:4], counts[-1], sum(counts)) == ((2, 2, 1, 1), 1, 7)


def swept(targets: list[SweepTarget], place: Path, margins: range) -> Certificate:
    begun, _ = resume(fresh(targets, margins), place)
    return complete(begun, targets, 1, Keep(place))


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_PIECE", 2**12)
    monkeypatch.setattr(sweep, "SECONDS_BETWEEN_WRITES", 0.0)


@pytest.mark.usefixtures("small_pieces")
def test_a_walk_that_was_interrupted_ends_as_one_that_was_not(monkeypatch: pytest.MonkeyPatch) -> None:
    targets, margins = sweep_targets(["complement"]), range(0x41000000, 0x41000000 + 5 * CHUNK)
    whole = swept(targets, Path("whole.json"), margins)
    calls = 0

    def interrupted(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % 4 == 0:
            raise KeyboardInterrupt
        return sweep_chunk(*arguments)

    monkeypatch.setattr(pieces, "sweep_chunk", interrupted)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            swept(targets, Path("parts.json"), margins)
    assert swept(targets, Path("parts.json"), margins) == whole
    assert whole.is_complete
    assert Path("parts.json").read_text() == Path("whole.json").read_text()


@pytest.mark.usefixtures("small_pieces")
def test_several_processes_find_what_one_finds() -> None:
    targets, margins = sweep_targets(["complement"]), range(0x41000000, 0x41000000 + 2 * CHUNK)
    begun = fresh(targets, margins)
    assert complete(begun, targets, 2, Keep(Path("two.json"))) == complete(begun, targets, 1, Keep(Path("one.json")))


@pytest.mark.parametrize("name", ["checker", "numpy", "processor", "python"])
def test_what_another_machine_kept_is_not_gone_on_with(name: str) -> None:
    begun = fresh(sweep_targets(["shifted"]), range(0, END, 2**22))
    Keep(Path("kept.json")).write(replace(begun, machine={**begun.machine, name: "other"}))
    again, how = resume(begun, Path("kept.json"))
    assert again is begun
    assert how == f"starts again: the progress in kept.json is of another {name}"


def test_what_another_source_kept_is_not_gone_on_with() -> None:
    source = "from gradlab.implementations.shifted import shifted\n\ndef loss(x, y): return shifted(x, y)\n"
    Path("mine.py").write_text(source)
    begun = fresh(sweep_targets(["mine.py:loss"]), range(0, END, 2**22))
    Keep(Path("kept.json")).write(begun)
    assert resume(begun, Path("kept.json"))[1].startswith("goes on with")
    Path("mine.py").write_text(source + "\n")
    changed = fresh(sweep_targets(["mine.py:loss"]), range(0, END, 2**22))
    assert "another sources of mine.py:loss" in resume(changed, Path("kept.json"))[1]


def test_a_file_that_is_no_certificate_is_not_gone_on_with() -> None:
    Path("kept.json").write_text("{}")
    begun = fresh(sweep_targets(["shifted"]), range(0, END, 2**22))
    assert resume(begun, Path("kept.json"))[1].startswith("starts again: kept.json is no certificate")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Of shifted, whose answers are means, and of every_option, which gives each loss."""
    return swept(
        sweep_targets(["shifted", "every_option"]), tmp_path_factory.mktemp("kept") / "c", range(0, END, 2**18)
    )


def test_a_certificate_reads_back_as_it_was(certificate: Certificate) -> None:
    Path("c.json").write_text(strict_json(encode(certificate)))
    assert read_certificate(Path("c.json")) == certificate


def test_the_largest_errors_of_a_certificate_hold(certificate: Certificate) -> None:
    assert list(changes(certificate)) == []
    findings = list(verify_errors(certificate))
    assert len(findings) == 8 + 6
    assert [finding.faults for finding in findings if finding.faults] == []


def other_ulp(worst: Any) -> None:
    worst["ulp"] *= 0.99


def other_answer(worst: Any) -> None:
    worst["observed"] = (float.fromhex(worst["observed"]) * 1.001 + 1e-9).hex()


def other_margin(worst: Any) -> None:
    worst.update(bits="0x3f800000", margin="0x1.0000000000000p+0")


@pytest.mark.parametrize("tamper", [other_ulp, other_answer, other_margin])
def test_a_tampered_certificate_does_not_hold(certificate: Certificate, tamper: Callable[[Any], None]) -> None:
    plain = json.loads(strict_json(encode(certificate)))
    for result in plain["implementations"][1]["results"]:
        if result["worst"] is not None:
            tamper(result["worst"])
    Path("c.json").write_text(json.dumps(plain))
    findings = [one for one in verify_errors(read_certificate(Path("c.json"))) if one.name == "every_option"]
    assert findings
    assert all(finding.faults for finding in findings)


@pytest.mark.parametrize("field", ["count", "correctly_rounded"])
def test_a_certificate_with_counts_that_do_not_fit_is_refused(certificate: Certificate, field: str) -> None:
    plain = encode(certificate)
    plain["implementations"][0]["results"][0][field] += 1
    Path("c.json").write_text(json.dumps(plain))
    with pytest.raises(CertificateError, match="count must be the sum of sizes"):
        read_certificate(Path("c.json"))


# What each shipped implementation says of itself, in ULP, for the entries that it keeps its digits in.
STATED = {"accurate": 5.0, "widened": 0.51, "complement": 130.0}


@pytest.mark.parametrize("name", STATED)
def test_a_shipped_implementation_stays_within_what_it_states(name: str) -> None:
    (one,), found = sweep_targets([name]), nothing_yet()
    for bits in (range(0, END, 2**18), range(0x42A80000, END, 2**13)):
        found = merge_all(found, sweep_chunk(one, bits, truth_of(bits)))
    worst = {quantity: tally.worst for quantity, tally in found.items() if tally.worst is not None}
    assert max(one.ulp for one in worst.values()) <= STATED[name]


def test_a_subtraction_from_one_is_seen() -> None:
    (one,) = sweep_targets(["shifted"])
    bits = range(0x41900000, 0x41900000 + 64)  # 18: p_y - 1 is 0
    worst = sweep_chunk(one, bits, truth_of(bits))[Quantity(0, "target")].worst
    assert worst is not None
    assert worst.ulp > 2**22


def test_an_implementation_that_does_not_claim_float32_is_refused() -> None:
    (one,) = load("shifted", {"dtypes": ["float64"]})
    assert "float32" not in one.claims.dtypes
    Path("wide.py").write_text("CLAIMS = {'dtypes': ['float64']}\ndef loss(logits, labels): ...\n")
    with pytest.raises(ValueError, match="loss must claim float32, claims float64"):
        sweep_targets(["wide.py:loss"])


def test_the_probes_are_not_all_margins_of_one_kind() -> None:
    margins = margins_of(evaluation.PROBES)
    assert (margins.min() < 1e-30, margins.max() > 88) == (True, True)
