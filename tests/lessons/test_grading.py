"""A class of submissions: each gets its line, whatever another one does."""

from __future__ import annotations

import csv
import os
from pathlib import Path, PurePath

import pytest

from gradlab.cli import status_of
from gradlab.isolation.limits import Limits
from gradlab.lessons.grading import COLUMNS, cell, grade, table_of
from gradlab.lessons.submissions import MAX_FILES, SubmissionError, submissions_in
from gradlab.lessons.table import MATERIAL, lesson_named
from tests.lessons.conftest import solution

pytestmark = [
    pytest.mark.usefixtures("in_an_empty_folder"),
    pytest.mark.skipif(os.name != "posix", reason="processes of their own need POSIX"),
]
RIGHT = solution("gradient")
NOT_DIVIDED = RIGHT.replace("row_gradients(logits, labels) / len(labels)", "row_gradients(logits, labels)")
# Each harms whoever runs in the same process, or reads the folder afterwards.
HOSTILE = {
    "crash": "import os\nos._exit(3)\n",
    "hang": "while True: pass\n",
    "killer": "import os, signal\ndef loss(logits, labels):\n    os.kill(os.getppid(), signal.SIGKILL)\n",
    "vandal": (
        "import glob, os\n"
        "for place in glob.glob({folder!r} + '/*.py') + glob.glob({table!r}):\n"
        "    open(place, 'w').write('gone')\n"
    ),
    "talker": "print('x' * 10**6)\ndef loss(logits, labels):\n    raise SystemExit('=1+1')\n",
}


def hand_in(**sources: str) -> Path:
    folder = Path("class").resolve()
    folder.mkdir(exist_ok=True)
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    return folder


def lines_of(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as stream:
        return {line["name"]: line for line in csv.DictReader(stream)}


def test_a_submission_is_a_file_or_a_folder_with_the_stub_or_one_file() -> None:
    folder = hand_in(ann=RIGHT)
    for path in ("bob/loss.py", "bob/notes.py", "cem/deep/answer.py", "dee/a.py", "dee/b.py", ".git/x.py", "eve/x.txt"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(RIGHT)
    (folder / "points.csv").write_text("")
    found = {one.name: one for one in submissions_in(folder)}
    assert list(found) == ["ann.py", "bob", "cem", "dee", "eve"]
    assert (found["bob"].main, found["cem"].main) == ("loss.py", "deep/answer.py")
    assert found["bob"].files[PurePath("notes.py")] == RIGHT.encode()
    assert "has 2 Python files" in found["dee"].fault
    assert "has 0 Python files" in found["eve"].fault


def test_a_link_leads_to_nobody_elses_work() -> None:
    folder = hand_in(ann=RIGHT)
    (folder / "bob.py").symlink_to("ann.py")
    (folder / "cem").mkdir()
    (folder / "cem/loss.py").symlink_to("../ann.py")
    _, bob, cem = submissions_in(folder)
    assert "it is a link" in bob.fault
    assert "has 0 Python files" in cem.fault


def test_a_submission_that_is_too_large_is_refused() -> None:
    folder = hand_in(ann=RIGHT)
    (folder / "bob").mkdir()
    for number in range(MAX_FILES + 1):
        (folder / f"bob/{number}.txt").touch()
    os.mkfifo(folder / "cem.py")
    _, bob, cem = submissions_in(folder)
    assert f"at most {MAX_FILES} files" in bob.fault
    assert cem.fault == "it is no file"


def test_a_folder_without_a_submission_is_refused() -> None:
    Path("class").mkdir()
    with pytest.raises(SubmissionError, match="has no submission"):
        submissions_in(Path("class"))
    assert status_of(["grade", "class", "--csv", "points.csv"]) == 2


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x"])
def test_no_spreadsheet_takes_a_cell_for_a_formula(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert cell(f"a{text}") == f"a{text}"


@pytest.mark.more
def test_a_hostile_submission_costs_no_other_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    table = Path("points.csv").resolve()
    folder = hand_in(ann=RIGHT, zoe=NOT_DIVIDED)
    for name, source in HOSTILE.items():
        (folder / f"{name}.py").write_text(
            source.replace("{folder!r}", repr(str(folder))).replace("{table!r}", repr(str(table)))
        )
    task = lesson_named("gradient").task
    limits = Limits(call_seconds=5, load_seconds=5)
    table.write_text(table_of(list(grade(submissions_in(folder), task, 0, limits=limits))))
    marks = lines_of(table)
    assert list(marks) == sorted(f"{name}.py" for name in ("ann", "zoe", *HOSTILE))
    assert (marks["ann.py"]["passed"], marks["ann.py"]["points"], marks["ann.py"]["finding"]) == ("yes", "10", "")
    assert (marks["zoe.py"]["verdict"], marks["zoe.py"]["points"]) == ("wrong", "2")
    assert "that of another number" not in marks["zoe.py"]["hint"]  # which is the hint of another lesson
    for name in HOSTILE:
        assert (marks[f"{name}.py"]["passed"], marks[f"{name}.py"]["points"]) == ("no", "0")
        assert marks[f"{name}.py"]["hint"]
    assert (folder / "zoe.py").read_text() == "gone"  # what the vandal did, too late
    assert capsys.readouterr().out == ""


def test_the_command_writes_a_line_each_and_the_same_again(capsys: pytest.CaptureFixture[str]) -> None:
    folder = hand_in(ann=(MATERIAL / "gradient/loss.py").read_text(), bob=NOT_DIVIDED)
    texts = []
    for name in ("first.csv", "second.csv"):
        assert status_of(["grade", str(folder), "--lesson", "gradient", "--csv", name, "--seed", "7"]) == 0
        texts.append(Path(name).read_text())
    assert texts[0] == texts[1]
    assert texts[0].splitlines()[0] == ",".join(COLUMNS)
    assert [line["verdict"] for line in lines_of(Path("first.csv")).values()] == ["not begun", "wrong"]
    assert "0 of 2 pass; first.csv has the marks" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--lesson", "nowhere"],
        ["--lesson", "gradient", "--level", "accurate"],
        ["--lesson", "gradient", "--dtype", "float32"],
        ["--option", "ignore_index", "--targets", "probability"],
        ["--csv", "no/such/folder.csv"],
    ],
)
def test_bad_usage_is_refused_before_anything_runs(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    folder = hand_in(ann="raise SystemExit")
    assert status_of(["grade", str(folder), "--csv", "points.csv", *arguments]) == 2
    assert capsys.readouterr().out == ""
    assert not Path("points.csv").exists()
