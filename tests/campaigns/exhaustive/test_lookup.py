"""A certificate is found by content: of these files, versions and answers, and of no others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gradlab.campaigns.exhaustive.certificate import Certificate, description_of
from gradlab.campaigns.exhaustive.file import encode, read_certificate
from gradlab.campaigns.exhaustive.lookup import certificates_in, certified, dependencies_in
from gradlab.campaigns.exhaustive.verify import target_of_outcome
from gradlab.evaluation.call import Implementation
from gradlab.judged.remote_function import RemoteFunction, Signed
from gradlab.storage.files import strict_json
from gradlab.targets.definition import Definition
from gradlab.targets.in_scope import load_in_scope
from gradlab.targets.load import load

ROOT = Path(__file__).parents[3]
Write = Callable[..., Path]


@pytest.fixture(scope="session")
def known() -> Certificate:
    """The certificate of `shifted`, as if it had been made here."""
    found = read_certificate(ROOT / "docs/exhaustive/shifted.json")
    (outcome,) = found.outcomes
    return replace(found, outcomes=(replace(outcome, description=description_of(target_of_outcome(outcome))),))


@pytest.fixture
def write(known: Certificate, tmp_path: Path) -> Write:
    """Writes the certificate, with some of its description changed, to a folder, which it returns."""

    def written(changes: Mapping[str, Any] | None = None) -> Path:
        (outcome,) = known.outcomes
        changed = replace(outcome, description={**outcome.description, **(changes or {})})
        (tmp_path / "any.json").write_text(strict_json(encode(replace(known, outcomes=(changed,)))))
        return tmp_path

    return written


def loaded(target: str = "shifted") -> Implementation:
    (found,) = load(target, {})
    return found


def test_a_folder_that_is_not_there_has_no_certificates(tmp_path: Path) -> None:
    assert certificates_in(tmp_path / "nowhere") == {}
    assert certified(loaded(), tmp_path / "nowhere") is None


def test_it_is_found_whatever_file_it_is_in_and_whatever_the_target_is_called(write: Write) -> None:
    folder = write({"target": "elsewhere.py:shifted"})
    found = certified(replace(loaded(), name="mine", target="mine"), folder)
    assert found is not None
    assert found.path == folder / "any.json"
    assert found.outcome.description["target"] == "elsewhere.py:shifted"


@pytest.mark.parametrize(
    "changes",
    [
        {"sources": {"shifted.py": "0" * 64}},
        {"packages": {"numpy": "1.26.4"}},
        {"packages": {}},
        {"name": "online"},
        {"probes": "0" * 64},
        {"reduction": "sum"},
    ],
    ids=str,
)
def test_one_of_other_code_versions_or_answers_is_none(write: Write, changes: Mapping[str, Any]) -> None:
    assert certified(loaded(), write(changes)) is None


def test_another_function_with_the_same_answers_has_none(write: Write) -> None:
    assert certified(loaded("online"), write()) is None


def test_an_incomplete_one_is_none(known: Certificate, tmp_path: Path) -> None:
    (outcome,) = known.outcomes
    first = known.pieces[0]
    part = replace(known, done=(first,), outcomes=(replace(outcome, evidence={first: outcome.evidence[first]}),))
    text = strict_json(encode(part))
    (tmp_path / "part.json").write_text(text)
    assert all(digest in text for digest in dependencies_in(loaded().function).sources.values())
    assert certified(loaded(), tmp_path) is None


def test_a_file_that_is_no_certificate_is_passed_over(write: Write) -> None:
    folder = write()
    text = (folder / "any.json").read_text()
    (folder / "any.json").write_text(text.replace('"gradlab-exhaustive-2"', '"another"'))
    assert certified(loaded(), folder) is None


def test_only_files_that_name_the_sources_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.json").write_text("{}")
    monkeypatch.setattr("gradlab.campaigns.exhaustive.lookup.read_certificate", None)
    assert certified(loaded(), tmp_path) is None


def test_a_function_in_another_process_depends_on_the_file_that_it_is_in() -> None:
    own = dependencies_in(loaded().function)

    def remote(definition: Definition | None) -> RemoteFunction:
        signed = Signed("shifted", "", {}, None, definition)
        return RemoteFunction(signed, lambda *given: None, lambda dtypes: [], None)  # type: ignore[arg-type]  # no calls

    there = dependencies_in(remote(Definition(str(ROOT / "implementations/shifted.py"), 1)))
    assert (there.sources, there.versions) == (own.sources, own.versions)
    assert dependencies_in(remote(None)).sources == {}


def test_a_layer_has_none(write: Write) -> None:
    (layer,) = load_in_scope(f"layer:{ROOT}/implementations/specimens/teaching_global_shift.py:softmax_regression", {})
    shifted, folder = loaded(), write()
    assert certified(shifted, folder) is not None
    assert certified(replace(shifted, claims=replace(shifted.claims, layer=layer.claims.layer)), folder) is None
