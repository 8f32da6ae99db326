"""Kept problems: some that failed, each in a file of its own, so that it can be run again bit for bit."""

from __future__ import annotations

import glob
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import LEVELS, Claims, claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.run import Run
from gradlab.harness.scopes import scope_of
from gradlab.problems.problem import AnyProblem
from gradlab.result import Result
from gradlab.storage.encoding import Plain, hex_of
from gradlab.storage.files import CASES, keep_texts, parsed_json, strict_json, write_whole
from gradlab.storage.packing import pack, unpack

SCHEMA = "gradlab-case-2"
READ = ("gradlab-case-1", SCHEMA)  # the first has every list in full


MAX_OF_FUNCTION, MAX_BYTES = 20, 50 << 20  # of what is kept in one folder
OF_FUNCTION = 4  # digits at the beginning of an id that say of which function it is
IGNORED = ".gitignore"
_NAME = re.compile(r"[0-9a-f]{10}\.json")


class CaseError(Exception):
    """Why a case cannot be found or read: one line, for people."""


@dataclass(frozen=True, eq=False)
class Case:
    """A problem that an implementation failed.

    target, name, claims: the implementation. level: the verdict asked for. failed: one object per failed check, with
    its name as "check". got: the answer given then, as plain data. seed, profile: of the run that found it. folder:
    where the target was given; "" if it is not known.
    """

    id: str
    target: str
    name: str
    level: str
    claims: Claims
    problem: Any  # of the scope of the claims
    failed: tuple[Mapping[str, Any], ...]
    got: Plain
    seed: int
    profile: str
    folder: str = ""


def case_id(implementation: Implementation, problem: AnyProblem) -> str:
    """Ten hexadecimal digits, the same whenever this implementation meets this problem; the first are its own."""
    own = (implementation.target or implementation.name).encode(errors="surrogateescape")
    return hashlib.sha256(own).hexdigest()[:OF_FUNCTION] + hashlib.sha256(problem.digest.encode()).hexdigest()[:6]


def failures_to_keep(run: Run) -> list[tuple[Result, ...]]:
    """Of the problems that failed, each with what failed on it, those that are kept; what a report shows goes first."""
    shown = [one.problem.digest for line in run.failures for one in (line.simplest or line.worst, line.worst)]
    place = {digest: number for number, digest in reversed(list(enumerate(shown)))}
    return sorted(run.failing, key=lambda results: place.get(results[0].problem.digest, len(shown)))[:MAX_OF_FUNCTION]


def keep_failures(run: Run, folder: Path, base: Path | None = None) -> int:
    """Writes a file for each problem of the run that failed a check, up to MAX_OF_FUNCTION; how many. Raises OSError.

    base: the folder from which the target was given, the current one if left out.
    """
    return keep_cases(case_texts(run, base or Path.cwd()), folder)


def keep_cases(texts: Iterable[tuple[str, str]], folder: Path) -> int:
    """Writes files of cases into a folder, from which the oldest go where there are too many; how many are written.

    There stay MAX_OF_FUNCTION of one function at most, and MAX_BYTES of all. Raises OSError.
    """
    count = keep_texts(texts, folder)
    if count and folder.parts[-len(CASES.parts) :] == CASES.parts and not (ignored := folder.parent / IGNORED).exists():
        write_whole(ignored, "*\n")
    if count:
        _drop_oldest(folder)
    return count


def kept_files(folder: Path) -> list[Path]:
    """The files of cases in a folder, the newest first."""
    found = [path for path in folder.glob("*.json") if _NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _drop_oldest(folder: Path) -> None:
    counts, n_bytes = Counter[str](), 0
    for path in kept_files(folder):
        counts[path.name[:OF_FUNCTION]] += 1
        n_bytes += path.stat().st_size
        if counts[path.name[:OF_FUNCTION]] > MAX_OF_FUNCTION or n_bytes > MAX_BYTES:
            path.unlink(missing_ok=True)


def keep_case(implementation: Implementation, plan: Plan, result: Result, base: Path) -> Path:
    """The file, written here, of one problem that failed a check in a run of this plan. Raises OSError.

    base: the folder from which the target was given, and in which cases are kept at the usual place.
    """
    name, text = case_text(case_document(implementation, plan, (result,)), base)
    keep_cases([(name, text)], base / CASES)
    return base / CASES / name


def case_texts(run: Run, base: Path) -> Iterator[tuple[str, str]]:
    """For the problems of the run that failed a check and are kept, the name of the file and what is in it."""
    for results in failures_to_keep(run):
        yield case_text(case_document(run.implementation, run.plan, results), base)


def case_text(document: Plain, base: Path) -> tuple[str, str]:
    """The name of the file of a case and what is in it."""
    return f"{document['id']}.json", strict_json(pack({**document, "folder": str(base)}))


def case_document(implementation: Implementation, plan: Plan, results: tuple[Result, ...]) -> Plain:
    """What is kept of one problem and the results of the checks that it failed, as plain data."""
    problem, scope = results[0].problem, scope_of(implementation.claims)
    return {
        "schema": SCHEMA,
        "gradlab": version("gradlab-verify"),
        "id": case_id(implementation, problem),
        "target": implementation.target,
        "name": implementation.name,
        "level": plan.level,
        "claims": encode_claims(implementation.claims),
        "seed": plan.seed,
        "profile": plan.profile.name,
        "failed": [encode_result(result) for result in results],
        "problem": scope.writing.encode_problem(problem),
        "got": scope.writing.encode_answer(scope.calls.answer(implementation, problem)),
        "enclosure": scope.writing.encode_truth(problem),
    }


def encode_claims(claims: Claims) -> Plain:
    """All claims, defaults included, as plain data."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(claims).items()}


def encode_result(result: Result) -> Plain:
    """One result without its problem; numbers that JSON lacks are the strings "nan" and "inf"."""
    return {
        "check": result.check,
        "ratio": json_number(result.ratio),
        "where": result.where,
        "observed": result.observed,
        "expected": result.expected,
        "tolerance": json_number(result.tolerance),
        "source": result.source,
        "ulp": json_number(result.ulp),
    }


def json_number(value: float | None) -> float | str | None:
    """The number, or "nan", "inf", "-inf" where JSON has none."""
    if value is None:
        return None
    return float(value) if value - value == 0 else hex_of(value)


def find_case(name: str, folder: Path) -> Path:
    """The file of a case: a path, or an id in `folder`, or how one begins. Raises CaseError where there is none."""
    for path in (Path(name), folder / f"{name}.json"):
        if path.is_file():
            return path
    if not name:
        raise CaseError("a case must be an id or a file, got an empty name")
    if "/" in name or name.endswith(".json"):
        raise CaseError(f"{name} {'is no file' if Path(name).exists() else 'does not exist'}")
    found = sorted(folder.glob(f"{glob.escape(name)}*.json"))
    if len(found) > 1:
        raise CaseError(f"{name} begins the ids of {len(found)} cases in {folder}, such as {found[0].stem}")
    if not found:
        raise CaseError(f"there is no case {name} in {folder}")
    return found[0]


def read_case(path: Path) -> Case:
    """The case in a file. Raises CaseError that says in one line what is wrong with it."""
    try:
        return _decode(unpack(parsed_json(path.read_text(encoding="utf-8"))))
    except OSError as error:
        raise CaseError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise CaseError(f"{path} is no case: {error}") from error


_FIELDS: dict[str, type] = {
    "id": str,
    "target": str,
    "name": str,
    "level": str,
    "claims": dict,
    "seed": int,
    "profile": str,
    "failed": list,
    "problem": dict,
    "got": dict,
    "enclosure": dict,
}


def _decode(document: Any) -> Case:
    if not isinstance(document, dict) or document.get("schema") not in READ:
        given = document.get("schema") if isinstance(document, dict) else document
        raise ValueError(f"schema must be {' or '.join(map(repr, READ))}, got {given!r:.60}")
    for name, kind in _FIELDS.items():
        if not isinstance(document.get(name), kind) or isinstance(document[name], bool):
            raise ValueError(f"{name} must be of type {kind.__name__}, got {document.get(name)!r:.60}")
    failed = document["failed"]
    if not failed or not all(isinstance(one, dict) and isinstance(one.get("check"), str) for one in failed):
        raise ValueError("failed must be a list of objects, each with the name of a check, and must not be empty")
    claims = claims_from(document["claims"])
    problem = scope_of(claims).writing.decode_problem(document["problem"])
    if document["level"] not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, got {document['level']!r}")
    said = (document["id"], document["target"], document["name"], document["level"])
    run = (document["seed"], document["profile"], str(document.get("folder", "")))
    return Case(*said, claims, problem, tuple(failed), document["got"], *run)
