"""Runs a script, and reads what it proves. Whatever a tool says beside that is an error: a warning may void a proof."""

from __future__ import annotations

import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

TOOLS = ("gappa", "sollya")
MINUTES = 10
_NUMBER = r"(-?\d+)(?:b(-?\d+))?(?: \{[^}]*\})?"
_ENCLOSED = re.compile(rf"^\s*(\w+(?: -/ \w+)?) in \[{_NUMBER}, {_NUMBER}\]$")
_PRINTED = re.compile(rf"^(\w+) = {_NUMBER}$")


class ProofError(Exception):
    """The tool did not prove what the script states."""


def missing_tools() -> list[str]:
    """The tools that this machine does not have."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def version(tool: str) -> str:
    """The version that the tool says it has."""
    found = re.search(r"\d+(\.\d+)+", _output([tool, "--version"]))
    if found is None:
        raise ProofError(f"{tool} --version names no version")
    return found[0]


def prove(script: Path) -> dict[str, Fraction]:
    """The size that each name of the script is proved to have at most. Raises ProofError where the tool objects."""
    tool = script.suffix.removeprefix(".")
    lines = [line for line in _output([tool, str(script)]).splitlines() if line not in ("", "Results:")]
    return dict(_parse_gappa(line) if tool == "gappa" else _parse_sollya(line) for line in lines)


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60 * MINUTES, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ProofError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def _parse_gappa(line: str) -> tuple[str, Fraction]:
    found = _ENCLOSED.match(line)
    if found is None:
        raise ProofError(line)
    name, *numbers = found.groups()
    return name, max(abs(_number(*numbers[:2])), abs(_number(*numbers[2:])))


def _parse_sollya(line: str) -> tuple[str, Fraction]:
    found = _PRINTED.match(line)
    if found is None:
        raise ProofError(line)
    return found[1], abs(_number(found[2], found[3]))


def _number(mantissa: str, exponent: str | None) -> Fraction:
    return int(mantissa) * Fraction(2) ** int(exponent or 0)
