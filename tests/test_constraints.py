"""The files of constraints pin what pyproject.toml asks for, with hashes, and name no place to get it from."""

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
FILES = {name: (ROOT / name).read_text().splitlines() for name in ("constraints.txt", "constraints-docs.txt")}
PINNED = re.compile(r"([a-z0-9-]+)==(\S+)( ; .+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
EXTRAS = PROJECT["project"]["optional-dependencies"]
BOTH = [*PROJECT["project"]["dependencies"]]
NEEDED = [
    *(("constraints.txt", one) for one in (*PROJECT["build-system"]["requires"], *PROJECT["dependency-groups"]["dev"])),
    *(("constraints.txt", one) for extra in ("test", "bench", "fast") for one in EXTRAS[extra]),
    *(("constraints-docs.txt", one) for one in EXTRAS["docs"]),
    *((name, one) for name in FILES for one in BOTH),
]


def pins(name: str) -> dict[str, str]:
    return {match[1]: match[2] for line in FILES[name] if (match := PINNED.fullmatch(line))}


@pytest.mark.parametrize(("name", "needed"), NEEDED)
def test_the_pinned_release_is_one_that_pyproject_allows(name: str, needed: str) -> None:
    requirement = Requirement(needed)
    assert requirement.specifier.contains(pins(name)[canonicalize_name(requirement.name)])


def test_what_both_files_pin_they_pin_alike() -> None:
    first, second = map(pins, FILES)
    shared = first.keys() & second.keys()
    assert shared
    assert {name: first[name] for name in shared} == {name: second[name] for name in shared}


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_a_pin_a_hash_or_a_comment(name: str) -> None:
    comments = [line for line in FILES[name] if line.lstrip().startswith("#")]
    rest = [line for line in FILES[name] if line not in comments]
    assert [line for line in rest if not PINNED.fullmatch(line) and not HASH.fullmatch(line)] == []


@pytest.mark.parametrize("name", FILES)
def test_every_pin_is_followed_by_a_hash(name: str) -> None:
    after = [following for line, following in pairwise(FILES[name]) if PINNED.fullmatch(line)]
    assert len(after) > len([one for one, _ in NEEDED if one == name])
    assert all(HASH.fullmatch(line) for line in after)


@pytest.mark.parametrize("sign", ["://", "/tmp", "--index", "--find-links", "--extra-index"])
@pytest.mark.parametrize("name", FILES)
def test_no_address_is_in_it(name: str, sign: str) -> None:
    assert [line for line in FILES[name] if sign in line] == []
