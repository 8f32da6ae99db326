"""constraints.txt pins what pyproject.toml asks for, with hashes, and names no place to get it from."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LINES = (ROOT / "constraints.txt").read_text().splitlines()
PINNED = re.compile(r"([a-z0-9-]+)==(\S+)( ; .+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
NEEDED = [
    *PROJECT["build-system"]["requires"],
    *PROJECT["project"]["dependencies"],
    *PROJECT["project"]["optional-dependencies"]["test"],
    *PROJECT["project"]["optional-dependencies"]["bench"],
    *PROJECT["project"]["optional-dependencies"]["fast"],
    *PROJECT["dependency-groups"]["dev"],
]


@pytest.mark.parametrize("needed", NEEDED)
def test_the_pinned_release_is_one_that_pyproject_allows(needed: str) -> None:
    pinned = {match[1]: match[2] for line in LINES if (match := PINNED.fullmatch(line))}
    requirement = Requirement(needed)
    assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)])


def test_every_line_is_a_pin_a_hash_or_a_comment() -> None:
    comments = [line for line in LINES if line.lstrip().startswith("#")]
    rest = [line for line in LINES if line not in comments]
    assert [line for line in rest if not PINNED.fullmatch(line) and not HASH.fullmatch(line)] == []


def test_every_pin_is_followed_by_a_hash() -> None:
    after = [following for line, following in pairwise(LINES) if PINNED.fullmatch(line)]
    assert len(after) > len(NEEDED)
    assert all(HASH.fullmatch(line) for line in after)


@pytest.mark.parametrize("sign", ["://", "/tmp", "--index", "--find-links", "--extra-index"])
def test_no_address_is_in_it(sign: str) -> None:
    assert [line for line in LINES if sign in line] == []
