"""Every problem that failed is kept, whole and exact, and what is malformed is refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.cases.cases import CaseError, case_id, find_case, json_number, keep_failures, read_case
from gradlab.evaluation.call import Implementation, answer
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import Run
from gradlab.harness.tally import Tally, examine
from gradlab.harness.verdict import Verdict
from gradlab.implementations.shifted import shifted
from gradlab.implementations.textbook import textbook
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.storage import files
from gradlab.storage.encoding import encoded_answer, encoded_array
from gradlab.storage.files import write_whole


def report_on(implementation: Implementation, *problems: Problem) -> Run:
    tally = Tally(implementation)
    for problem in problems:
        examine(tally, problem)
    failing = tuple(tuple(failed.values()) for failed in tally.failing.values())
    lines = tuple(tally.in_order())
    plan = Plan(PROFILES["quick"], 11)
    return Run(implementation, plan, tally.verdict(), lines, failing, ("float32",), tally.n_problems, 0.0)


def small_logits_only(logits: Any, labels: Any) -> Any:
    """The shifted form, which gives up where logits are more than 500 apart."""
    if np.ptp(logits) > 500:
        raise OverflowError
    return shifted(logits, labels % logits.shape[1])


def problem(logits: Any, labels: Any, dtype: str = "float32") -> Problem:
    return Problem(np.asarray(logits, dtype=np.float64).astype(as_dtype(dtype)), np.asarray(labels), family="by hand")


TEXTBOOK = Implementation("textbook", textbook, Claims(dtypes=DTYPE_NAMES), "textbook")
OVERFLOWING = problem([[1000, 0], [0.1, 3]], [0, 1])


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The file of one failing problem."""
    assert keep_failures(report_on(TEXTBOOK, OVERFLOWING), tmp_path / "cases") == 1
    (path,) = (tmp_path / "cases").iterdir()
    return path


def test_a_case_is_named_by_its_id(kept: Path) -> None:
    assert kept.name == f"{case_id(TEXTBOOK, OVERFLOWING)}.json"
    assert len(kept.stem) == 10


def test_the_id_tells_targets_and_problems_apart() -> None:
    other = Implementation("textbook", textbook, Claims(), "pack:textbook")
    ids = {case_id(one, two) for one in (TEXTBOOK, other) for two in (OVERFLOWING, problem([[0, 1]], [0]))}
    assert len(ids) == 4


def test_a_second_run_writes_the_same_file(kept: Path) -> None:
    before = kept.read_bytes()
    keep_failures(report_on(TEXTBOOK, OVERFLOWING), kept.parent)
    assert [path.read_bytes() for path in kept.parent.iterdir()] == [before]


def test_nothing_is_kept_where_nothing_failed(tmp_path: Path) -> None:
    implementation = Implementation("shifted", shifted)
    assert keep_failures(report_on(implementation, problem([[0.5, 0]], [0])), tmp_path / "cases") == 0
    assert list(tmp_path.iterdir()) == []


def test_failed_advice_is_no_reason_to_keep_a_problem(tmp_path: Path) -> None:
    report = report_on(Implementation("small", small_logits_only), problem([[0.5, 0]], [0]))
    assert "refuses_bad_labels" in [line.check.name for line in report.advice]
    assert keep_failures(report, tmp_path) == 0


def test_every_failing_problem_is_kept(tmp_path: Path) -> None:
    several = [problem([[1000 + i, 0]], [0]) for i in range(3)]
    implementation = Implementation("small", small_logits_only)
    assert keep_failures(report_on(implementation, *several, problem([[0.5, 0]], [0])), tmp_path) == 3
    assert {path.stem for path in tmp_path.iterdir()} == {case_id(implementation, one) for one in several}


def test_a_case_says_how_it_was_found(kept: Path) -> None:
    case = read_case(kept)
    assert (case.target, case.name, case.seed, case.profile) == ("textbook", "textbook", 11, "quick")
    assert case.claims == TEXTBOOK.claims


def test_a_case_says_what_failed_and_by_how_much(kept: Path) -> None:
    failed = {one["check"]: one for one in read_case(kept).failed}
    assert {"loss_within_forward_error", "gradient_within_forward_error"} <= set(failed)
    assert set(failed["loss_within_forward_error"]) == {
        "check", "ratio", "where", "observed", "expected", "tolerance", "source", "ulp",
    }  # fmt: skip
    assert failed["loss_within_forward_error"]["ratio"] in ("inf", "nan")


def test_a_case_has_the_answer_and_the_enclosure(kept: Path) -> None:
    document = json.loads(kept.read_text())
    assert document["got"]["loss"] == {"dtype": "float32", "values": "nan"}
    assert document["got"]["gradient"]["values"][0][0] == "nan"
    enclosed = document["enclosure"]["gradient"]
    lower, upper = ([[float.fromhex(word) for word in row] for row in enclosed[end]] for end in ("lower", "upper"))
    p = 1 / (1 + np.exp(np.float64(OVERFLOWING.logits[1, 1]) - np.float64(OVERFLOWING.logits[1, 0])))
    assert lower[1][0] <= p / 2 * (1 + 1e-15)
    assert p / 2 * (1 - 1e-15) <= upper[1][0]


def test_a_fault_is_kept_where_there_is_no_answer(tmp_path: Path) -> None:
    def raising(logits: Any, labels: Any) -> Any:
        raise RuntimeError("not today")

    implementation = Implementation("raising", raising)
    line = raising.__code__.co_firstlineno + 1
    keep_failures(report_on(implementation, problem([[0, 1]], [0])), tmp_path)
    (path,) = tmp_path.iterdir()
    assert read_case(path).got == {
        "fault": f"raised RuntimeError: not today (test_cases.py, line {line})",
        "loss": None,
        "gradient": None,
        "noise": [],
    }


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, -0.0, 0.1])
def test_a_problem_comes_back_from_its_file_to_the_last_bit(tmp_path: Path, dtype: str, odd: float) -> None:
    given = problem([[odd, 0.3], [60000, -70]], [1, 1], dtype)
    implementation = Implementation("none", lambda logits, labels: None, Claims(dtypes=(dtype,)), "pack:none")
    keep_failures(report_on(implementation, given), tmp_path)
    (path,) = tmp_path.iterdir()
    back = read_case(path).problem
    assert (back.digest, back.logits.dtype, back.family) == (given.digest, given.logits.dtype, "by hand")
    assert encoded_array(back.logits) == encoded_array(given.logits)
    assert np.array_equal(back.targets, given.targets)


def test_a_row_of_131072_classes_at_two_levels_is_kept_in_a_small_file_and_comes_back(tmp_path: Path) -> None:
    given = problem([[1000, *[1.5] * (2**17 - 1)]], [3])
    assert keep_failures(report_on(TEXTBOOK, given), tmp_path) == 1
    (path,) = tmp_path.iterdir()
    assert path.stat().st_size < 20_000
    back = read_case(path)
    assert back.problem.digest == given.digest
    assert back.got == encoded_answer(answer(TEXTBOOK, given))


def test_options_come_back_from_the_file(tmp_path: Path) -> None:
    objective = Objective("sum", "index", 0.1, (1.0, 1 / 3), 1)
    given = Problem(np.eye(2), np.array([0, 1]), objective)
    claims = claims_from({"reduction": ["sum"], "options": ["label_smoothing", "class_weights", "ignore_index"]})
    implementation = Implementation("none", lambda logits, labels, **options: None, claims, "pack:none")
    keep_failures(report_on(implementation, given), tmp_path)
    (path,) = tmp_path.iterdir()
    assert read_case(path).problem.objective == objective
    assert read_case(path).claims == claims


def test_a_case_is_found_by_its_id_and_by_its_path(kept: Path) -> None:
    assert find_case(kept.stem, kept.parent) == kept
    assert find_case(str(kept), Path("elsewhere")) == kept


@pytest.mark.parametrize(
    ("name", "reason"),
    [("0123456789", "there is no case 0123456789 in cases"), ("a/b.json", "a/b.json does not exist")],
)
def test_a_case_that_is_not_there(name: str, reason: str) -> None:
    with pytest.raises(CaseError) as caught:
        find_case(name, Path("cases"))
    assert str(caught.value) == reason


def changed(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda document: {**document, **changes}


def with_problem(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda document: {**document, "problem": {**document["problem"], **changes}}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda document: [], "schema must be 'gradlab-case-1' or 'gradlab-case-2', got []"),
        (lambda document: {}, "schema must be 'gradlab-case-1' or 'gradlab-case-2', got None"),
        (changed(schema="gradlab-report-1"), "or 'gradlab-case-2', got 'gradlab-report-1'"),
        (changed(id=7), "id must be of type str, got 7"),
        (changed(target=None), "target must be of type str, got None"),
        (changed(level="fine"), "level must be one of stable, accurate, got 'fine'"),
        (changed(seed=True), "seed must be of type int, got True"),
        (changed(seed=1.5), "seed must be of type int, got 1.5"),
        (changed(failed=[]), "failed must be a list of objects"),
        (changed(failed=[{}]), "failed must be a list of objects"),
        (changed(claims={"fast": True}), "a claim must be one of"),
        (changed(claims={"dtypes": 3}), "is no case: "),
        (changed(claims={"masks": "no"}), "claim masks must be True or False, got 'no'"),
        (changed(problem=[]), "problem must be of type dict, got []"),
        (with_problem(logits=[["0x1p+0", "0x1p+0"]]), "logits must be a list of 2 rows, as shape says"),
        (with_problem(logits=[["1", "2"], ["3", "4"]]), "logits must be hexadecimal floats"),
        (with_problem(targets=[0, 2]), "labels must lie in [0, 2), got 2"),
    ],
)  # fmt: skip
def test_a_malformed_case_is_refused_in_one_line(kept: Path, change: Callable[[Any], Any], reason: str) -> None:
    kept.write_text(json.dumps(change(json.loads(kept.read_text()))))
    with pytest.raises(CaseError) as caught:
        read_case(kept)
    assert str(caught.value).startswith(f"{kept} is no case: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b"[" * 600 + b"]" * 600, b'{"seed": 1, "seed": 2}'],
)
def test_a_file_that_is_no_json_is_refused_in_one_line(kept: Path, content: bytes) -> None:
    kept.write_bytes(content)
    with pytest.raises(CaseError) as caught:
        read_case(kept)
    assert str(caught.value).startswith(f"{kept} is no case: ")
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="cannot be read: Is a directory"):
        read_case(tmp_path)


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, None), (0.5, 0.5), (np.float64(2), 2.0), (np.inf, "inf"), (-np.inf, "-inf"), (np.nan, "nan")],
)
def test_numbers_that_json_lacks_are_words(value: float | None, said: Any) -> None:
    assert json_number(value) == said
    assert type(json_number(value)) is type(said)


def test_an_interrupted_run_leaves_whole_files_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    several = [problem([[1000 + i, 0]], [0]) for i in range(3)]
    report = report_on(TEXTBOOK, *several)
    written: list[Path] = []

    def write_one(path: Path, text: str) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(path)
        write_whole(path, text)

    monkeypatch.setattr(files, "write_whole", write_one)
    with pytest.raises(KeyboardInterrupt):
        keep_failures(report, tmp_path)
    assert list(tmp_path.iterdir()) == written
    assert report.verdict is Verdict.UNSTABLE
    assert read_case(written[0]).target == "textbook"
