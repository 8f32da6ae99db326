"""Profiles as JSON fit their schema; as tables they say what differs between dtypes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gradlab.campaigns.conformance.document import encode_cases
from gradlab.campaigns.conformance.page import (
    Conformance,
    case_lines,
    conformance_document,
    conformance_of,
    profile_table,
    rule_lines,
    schema,
)
from gradlab.campaigns.conformance.profile import profile_of
from gradlab.campaigns.conformance.table import CASES
from gradlab.evaluation.call import Implementation
from gradlab.storage.files import parsed_json, strict_json
from gradlab.targets.load import load


def profiled(implementation: Implementation) -> Conformance:
    return conformance_of(
        implementation, {dtype: profile_of(implementation, dtype) for dtype in ("float32", "float64")}
    )


def in_float64(logits: Any, labels: Any) -> Any:
    (shifted,) = load("shifted", {})
    return shifted.function(logits.astype("float64"), labels)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found = [profiled(load("every_option", {})[0]), profiled(Implementation("mine", in_float64))]
    plain: dict[str, Any] = parsed_json(strict_json(conformance_document(found)))
    return plain


def fits(document: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(schema()).is_valid(document))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_real_profiles_fit_the_schema(document: dict[str, Any]) -> None:
    jsonschema.validate(document, schema(), jsonschema.Draft202012Validator)
    assert document["cases"].keys() == CASES.keys()
    profiles = document["implementations"][0]["profiles"]
    assert {len(one) for one in profiles.values()} == {len(CASES)}


@pytest.mark.parametrize("field", ["rules", "not_claimed", "seen", "as_ruled"])
def test_a_field_that_is_missing_or_new_does_not_fit(document: dict[str, Any], field: str) -> None:
    changed = copy.deepcopy(document)
    case = changed["implementations"][0]["profiles"]["float32"]["nan_row"]
    case["new"] = case[field]
    assert not fits(changed)
    del case["new"]
    assert fits(changed)
    del case[field]
    assert not fits(changed)


def test_a_case_has_one_row_where_the_dtypes_agree_and_a_row_for_each_rule_where_they_do_not() -> None:
    table = profile_table(profiled(Implementation("mine", in_float64)))
    cells = [list(map(str, column.cells)) for column in table.columns]
    rows = list(zip(*cells, strict=True))
    assert [row[1:3] for row in rows if row[0] == "dtype_of_answers"] == [("float64", "float32"), ("kept", "float64")]
    assert [row[1:3] for row in rows if row[0] == "nan_row"] == [("contained", "")]


def test_in_markdown_another_rule_than_gradlabs_is_bold_and_what_is_not_claimed_a_dash(
    document: dict[str, Any],
) -> None:
    columns = {"mine": document["implementations"][1]["profiles"]["float32"]}
    lines = list(case_lines(document["cases"], columns))
    assert lines[0] == "| case | `mine` |"
    assert "| dtype_of_answers | **float64** |" in lines
    assert "| label_smoothing | - |" in lines


def test_every_rule_is_in_the_list_of_rules(document: dict[str, Any]) -> None:
    lines = list(rule_lines(document["cases"]))
    assert len(lines) == sum(1 + len(case["rules"]) for case in document["cases"].values())
    assert "  - **left_out**: they do not (torch)" in lines


def test_what_was_seen_is_text_and_no_markdown() -> None:
    case = {"question": "", "rules": []}
    one = {"rules": [], "not_claimed": [], "seen": "a | b*", "as_ruled": False}
    assert list(case_lines({"x": case}, {"t": {"x": one}}))[2] == "| x | **another rule: a \\| b\\*** |"


def test_the_page_of_the_documentation_has_the_rules_as_they_are() -> None:
    page = (Path(__file__).parents[3] / "docs" / "conformance.md").read_text(encoding="utf-8")
    assert page.startswith("<!-- Written by `python tools/conformance.py`; not to be edited. -->\n")
    assert page.endswith("\n".join(rule_lines(encode_cases())) + "\n")
