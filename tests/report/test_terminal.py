"""Colour and width follow the stream; the progress display is for terminals only."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from rich.text import Text

from gradlab.harness.plan import Progress
from gradlab.harness.run import Run
from gradlab.report.progress import show_progress
from gradlab.report.terminal import WIDE, console_for, print_lines, print_table, verdict_table

Reports = dict[str, Run]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 80 columns with colours."""
    for name, value in {"COLUMNS": "80", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


def test_a_pipe_gets_long_lines_without_colour(capsys: pytest.CaptureFixture[str]) -> None:
    line = "FAIL " + "0x1.8p+3, " * 200
    print_lines([line])
    assert capsys.readouterr().out == line + "\n"


def test_a_terminal_gets_colour(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", terminal)
    print_lines(["FAIL this", "advice that", "plain"])
    lines = terminal.getvalue().splitlines()
    assert ["\x1b[" in line for line in lines] == [True, True, False]


def test_brackets_and_colons_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    text = "logits [[0, 0]] [red]:smile: [/]"
    print_lines([text])
    assert capsys.readouterr().out == text + "\n"


def test_width_is_that_of_the_terminal_or_wide(terminal: Terminal) -> None:
    assert console_for(terminal).width == 80
    assert console_for(io.StringIO()).width == WIDE


def printed(capsys: pytest.CaptureFixture[str], table: Any) -> list[list[str]]:
    print_table(table)
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_the_table_has_a_column_for_every_dtype_in_use(reports: Reports, capsys: pytest.CaptureFixture[str]) -> None:
    heading, first, second = printed(capsys, verdict_table([reports["stable"], reports["unstable"]], {}))
    assert heading[:7] == ["implementation", "float16", "bfloat16", "float32", "float64", "verdict", "met"]
    assert first[0] == "shifted"
    assert first[6] == "yes"
    assert second[:7] == ["textbook", "-", "-", "unstable", "unstable", "unstable", "no"]


def test_the_table_compares_with_what_is_stated(reports: Reports, capsys: pytest.CaptureFixture[str]) -> None:
    heading, row = printed(capsys, verdict_table([reports["unstable"]], {"textbook": "yes: unstable"}))
    assert heading[4:6] == ["as", "stated"]
    assert row[4:6] == ["yes:", "unstable"]


def test_a_long_reason_is_cut_and_takes_no_room_from_the_verdict(
    reports: Reports, capsys: pytest.CaptureFixture[str]
) -> None:
    table = verdict_table([reports["stable"], reports["unstable"]], {})
    for cell in table.columns[-1].cells:
        assert isinstance(cell, Text)
        cell.append("why " * 200)
    print_table(table)
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split()[-4:] == ["met", "problems", "seconds", "reason"]
    assert all(row.rstrip().endswith("…") and len(row) <= WIDE for row in rows)


def test_nothing_is_shown_of_progress_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress("shifted") as watch:
        watch(Progress("shifted", "float32", "margins", 3, 10, 0))
    assert capsys.readouterr() == ("", "")


def test_progress_on_a_terminal_says_where_the_run_is_and_is_gone_afterwards(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    with show_progress("shifted") as watch:
        watch(Progress("shifted", "float32", "margins", 3, 10, 2))
    text = terminal.getvalue()
    assert "shifted  float32  margins" in text
    assert "3/10" in text
    assert text.endswith("\x1b[2K")


class Closed(io.StringIO):
    """A stream whose reader has gone away."""

    def write(self, text: str, /) -> int:
        raise BrokenPipeError


def test_where_nobody_reads_any_more_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Closed())
    print_lines(["one", "two"])
    assert not isinstance(sys.stdout, Closed)
    sys.stdout.close()
